#!/usr/bin/env python3
"""Strangers who greet a server, each from another address of 127.0.0.0/8, as many as this machine makes until the time is over.

strangers.py ADDRESS PORT NAME SECONDS RATE LINGER: NAME is whom they call by TLS, RATE the most connections in a second, LINGER for how many
seconds a stranger stays that is not sent away. Prints how many there were, how many were reset, and how many got an answer.
"""
import errno
import random
import select
import socket
import ssl
import struct
import sys
import time

address, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
seconds, rate, linger = float(sys.argv[4]), float(sys.argv[5]), float(sys.argv[6])
RESET = struct.pack("ii", 1, 0)
MOST_OPEN = 3000



def greeting():
    """A ClientHello as any TLS client says it."""
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


hello = greeting()
random.seed(7)
poll = select.epoll()
open_sockets = {}
order = []
made = reset = answered = 0


def leave(number):
    peer, _ = open_sockets.pop(number)
    # With a reset, so that no port waits for a minute.
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.close()


def greet():
    global made
    peer = socket.socket()
    peer.setblocking(False)
    peer.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    peer.bind(("127.%d.%d.%d" % (random.randrange(241, 255), random.randrange(256), random.randrange(1, 255)), 0))
    try:
        peer.connect((address, port))
    except BlockingIOError:
        pass
    except OSError:
        peer.close()
        return
    poll.register(peer, select.EPOLLOUT)
    open_sockets[peer.fileno()] = (peer, time.monotonic() + linger)
    order.append(peer.fileno())
    made += 1


start = time.monotonic()
print("begun", flush=True)
while (now := time.monotonic()) < start + seconds:
    wanted = (now - start) * rate
    batch = 0
    while made < wanted and len(open_sockets) < MOST_OPEN and batch < 200:
        greet()
        batch += 1
    for number, events in poll.poll(0.001, 512):
        if number not in open_sockets:
            continue
        peer = open_sockets[number][0]
        try:
            if events & select.EPOLLOUT:
                peer.send(hello)
                poll.modify(number, select.EPOLLIN)
            elif peer.recv(4096):
                answered += 1
                poll.modify(number, 0)
            else:
                leave(number)
        except OSError as error:
            if error.errno in (errno.ECONNRESET, errno.EPIPE, errno.ECONNREFUSED):
                reset += 1
            leave(number)
    now = time.monotonic()
    while order and (order[0] not in open_sockets or open_sockets[order[0]][1] <= now):
        number = order.pop(0)
        if number in open_sockets and open_sockets[number][1] <= now:
            leave(number)
elapsed = time.monotonic() - start
print("made %d reset %d answered %d rate %.0f" % (made, reset, answered, made / elapsed), flush=True)
