"""A name server that answers for a few names and is silent about all others.

    name_server.py ADDRESS:PORT ADDRESS

Names that begin with `live-` have that one address, and none of IPv6. Says "ready" once it takes questions; at the end of standard input it prints, as JSON,
how many questions came, how many were answered, and how many the kernel dropped as we were too slow: those are no fault of who asked.
"""

import json
import os
import pathlib
import socket
import struct
import sys
import threading

A = 1
ANSWERED_NOTHING = struct.pack("!HHHHH", 0x8180, 1, 0, 0, 0)
ANSWERED_ONE = struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0)
# Questions of all names in both families, and more.
RECEIVE_BYTES = 32 << 20
SO_RCVBUFFORCE = 33


def is_live(question):
    """Whether the first label of the name is `live-…`."""
    return question[13:18].lower() == b"live-"


def answer(question, address):
    end = question.index(b"\0", 12) + 5
    kind = int.from_bytes(question[end - 4:end - 2], "big")
    if kind != A:
        return question[:2] + ANSWERED_NOTHING + question[12:end]
    record = struct.pack("!HHHIH", 0xC00C, A, 1, 60, 4) + address
    return question[:2] + ANSWERED_ONE + question[12:end] + record


def dropped(port):
    """What the kernel has dropped of the socket at this port."""
    for line in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rsplit(":", 1)[1], 16) == port:
            return int(fields[-1])
    return 0


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    address = socket.inet_aton(sys.argv[2])
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
    except PermissionError:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    server.bind((host, int(port)))
    counts = {"questions": 0, "answered": 0}

    def report_at_the_end():
        sys.stdin.read()
        print(json.dumps(counts | {"dropped": dropped(int(port))}), flush=True)
        os._exit(0)

    threading.Thread(target=report_at_the_end, daemon=True).start()
    print("ready", flush=True)
    while True:
        question, peer = server.recvfrom(512)
        counts["questions"] += 1
        if is_live(question):
            counts["answered"] += 1
            server.sendto(answer(question, address), peer)


main()
