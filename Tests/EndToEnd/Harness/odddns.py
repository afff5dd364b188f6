"""A DNS server that does what no good one would, for what no real one does on demand.

    odddns.py ADDRESS PORT RULES

RULES is a file that is read again whenever it changes. Each line is a rule; the first that fits holds, and what none fits does not exist:

    NAME TYPE REPLY

NAME may begin or end with `*`. TYPE is A, AAAA or `any`. REPLY is one of
    drop                    no answer at all
    fail                    SERVFAIL
    nothing                 the name exists and has no such record
    unknown                 NXDOMAIN
    TTL ADDRESS,ADDRESS…    those records
"""
import os, socket, struct, sys, time

TYPES = {1: "A", 28: "AAAA"}


def read_rules(path):
    rules = []
    for line in open(path):
        words = line.split()
        if len(words) >= 3:
            rules.append((words[0], words[1], words[2:]))
    return rules


def question(query):
    labels, index = [], 12
    while query[index]:
        labels.append(query[index + 1:index + 1 + query[index]].decode("ascii", "replace"))
        index += 1 + query[index]
    return ".".join(labels).lower(), struct.unpack("!H", query[index + 1:index + 3])[0], index + 5


def fits(pattern, name):
    if pattern.startswith("*"):
        return name.endswith(pattern[1:])
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def answer(query, rules):
    name, kind, end = question(query)
    reply = next((r for n, t, r in rules if fits(n, name) and t in ("any", TYPES.get(kind))), ["unknown"])
    if reply[0] == "drop":
        return None
    code = {"fail": 2, "unknown": 3}.get(reply[0], 0)
    records = b""
    addresses = reply[1].split(",") if len(reply) > 1 else []
    for address in addresses:
        octets = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
        records += struct.pack("!HHHIH", 0xC00C, kind, 1, int(reply[0]), len(octets)) + octets
    return query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(addresses), 0, 0) + query[12:end] + records


def main():
    address, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    server.bind((address, port))
    rules, seen, looked = [], None, 0.0
    while True:
        query, peer = server.recvfrom(4096)
        if time.monotonic() - looked > 0.02:
            looked = time.monotonic()
            stat = os.stat(path)
            if (stat.st_mtime_ns, stat.st_ino) != seen:
                rules, seen = read_rules(path), (stat.st_mtime_ns, stat.st_ino)
        try:
            said = answer(query, rules)
        except (IndexError, struct.error):
            continue
        if said:
            server.sendto(said, peer)


main()
