#!/usr/bin/env python3
"""Sends mutated hellos to an OpenSSL server direct, and the same through us, and says which are answered differently.

    Tests/Hostile/mutated_hellos.py [--count N] [--seed S] [--keep FOLDER]

The hellos are those that this machine's OpenSSL, curl and Python send, and a very long one. The same seed makes the same mutations. Exits with
1 when an answer differs in a way that `named` below has no reason for, or when the server does not live on.
"""

import argparse
import collections
import contextlib
import pathlib
import random
import socket
import ssl
import subprocess
import sys
import tempfile

import hello_fleet

NAME = hello_fleet.NAME.encode()
ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
    47: "illegal_parameter", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version", 80: "internal_error",
    86: "inappropriate_fallback", 109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
    120: "no_application_protocol",
}
# For an answer. A server that has taken everything answers within milliseconds.
PATIENCE = 20


# What is sent

def record(piece, kind=22, version=b"\x03\x01"):
    return bytes([kind]) + version + len(piece).to_bytes(2, "big") + piece


def records(message, size=16384):
    return b"".join(record(message[start:start + size]) for start in range(0, len(message), size))


def message_of(hello):
    """The handshake message in well-formed records."""
    message, place = b"", 0
    while place + 5 <= len(hello):
        end = place + 5 + int.from_bytes(hello[place + 3:place + 5], "big")
        message += hello[place + 5:end]
        place = end
    return message


def caught(command):
    """What a client says first to whoever accepts it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(PATIENCE)
        port = listener.getsockname()[1]
        client = subprocess.Popen(
            [part.replace("PORT", str(port)) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENCE)
                said = b""
                while len(said) < 5 or len(said) < 5 + int.from_bytes(said[3:5], "big"):
                    piece = connection.recv(65536)
                    if not piece:
                        raise hello_fleet.Failure(f"{command} says no hello")
                    said += piece
                return said
        finally:
            client.kill()
            client.wait()


def python_hello():
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=hello_fleet.NAME)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def extension(kind, data):
    return kind.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data


def server_names(*names):
    listed = b"".join(bytes([kind]) + len(name).to_bytes(2, "big") + name for kind, name in names)
    return len(listed).to_bytes(2, "big") + listed


class Hello:
    """The parts of a hello, to be changed one by one."""

    def __init__(self, hello):
        message = message_of(hello)
        body = message[4:4 + int.from_bytes(message[1:4], "big")]
        place = 35 + body[34]
        self.start = body[:place]
        suites = int.from_bytes(body[place:place + 2], "big")
        self.suites = body[place + 2:place + 2 + suites]
        place += 2 + suites
        self.compressions = body[place + 1:place + 1 + body[place]]
        place += 1 + body[place] + 2
        self.extensions = []
        while place + 4 <= len(body):
            kind = int.from_bytes(body[place:place + 2], "big")
            size = int.from_bytes(body[place + 2:place + 4], "big")
            self.extensions.append((kind, body[place + 4:place + 4 + size]))
            place += 4 + size

    def message(self):
        extensions = b"".join(extension(*one) for one in self.extensions)
        # What does not fit into its length is cut by it.
        body = (self.start + len(self.suites).to_bytes(2, "big") + self.suites + bytes([len(self.compressions)])
                + self.compressions + (len(extensions) & 0xFFFF).to_bytes(2, "big") + extensions)
        return b"\x01" + len(body).to_bytes(3, "big") + body


def real_hellos():
    client = ["openssl", "s_client", "-connect", "127.0.0.1:PORT", "-servername", hello_fleet.NAME, "-cipher", "ALL:@SECLEVEL=0"]
    found = {
        "OpenSSL, TLS 1.0": caught([*client, "-tls1"]),
        "OpenSSL, TLS 1.1": caught([*client, "-tls1_1"]),
        "OpenSSL, TLS 1.2": caught([*client, "-tls1_2"]),
        "OpenSSL, TLS 1.3": caught([*client, "-tls1_3"]),
        "OpenSSL, all, ALPN": caught([*client, "-alpn", "h2,http/1.1"]),
        "OpenSSL, nameless": caught([*client[:4], "-noservername"]),
        "curl": caught(["curl", "--insecure", "--connect-to", "::127.0.0.1:PORT", f"https://{hello_fleet.NAME}/"]),
        "Python": python_hello(),
    }
    longest = Hello(found["OpenSSL, TLS 1.3"])
    longest.suites += b"\x13\x01" * 32000
    longest.compressions += bytes(200)
    longest.extensions.append((21, bytes(60000)))
    found["long"] = records(longest.message())
    return found


# Names that some client may send: right ones, odd ones, and none at all.
NAMES = [
    NAME, NAME + b".", NAME.upper(), b"nobody.example", b"my_app.example", b"127.0.0.1", b"::1", b"", b".", b"a" * 64 + b".example",
    b"a.bc" * 63, b"a" * 255, b"a" * 256, b"app\0.acme.test", b"app acme.test", b"b\xc3\xbccher.example", b"-a-.example",
    NAME + b"..", NAME + b":443",
]
EMPTY = record(b"")


def mutated(random, name, hello):
    """A hello with one to three things wrong, and in what way."""
    ways = random.choices(["parts", "bits", "lengths", "cut", "records", "frames", "trail"], [5, 3, 3, 1, 3, 3, 1], k=random.choice([1, 1, 1, 2, 3]))
    message = message_of(hello)
    if "parts" in ways:
        parts = Hello(hello)
        change = random.choice(["order", "double", "drop", "name", "names", "version", "suites", "compressions", "session", "pad"])
        if change == "order":
            random.shuffle(parts.extensions)
        elif change == "double" and parts.extensions:
            parts.extensions.insert(random.randrange(len(parts.extensions) + 1), random.choice(parts.extensions))
        elif change == "drop" and parts.extensions:
            parts.extensions.pop(random.randrange(len(parts.extensions)))
        elif change in ("name", "names"):
            count = 1 if change == "name" else random.randrange(4)
            kinds = [0] if change == "name" else [0, 0, 0, 1]
            names = server_names(*((random.choice(kinds), random.choice(NAMES)) for _ in range(count)))
            parts.extensions = [one for one in parts.extensions if one[0] != 0]
            parts.extensions.insert(random.randrange(len(parts.extensions) + 1), (0, names))
        elif change == "version":
            version = random.choice([0, 2, 0x0200, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x0305, 0x0400, 0x7F12, 0xFFFF])
            parts.start = version.to_bytes(2, "big") + parts.start[2:]
        elif change == "suites":
            parts.suites = random.choice([b"", b"\x13", parts.suites + b"\0", parts.suites[:2], bytes(4096)])
        elif change == "compressions":
            parts.compressions = random.choice([b"", b"\1", b"\1\0", bytes(255)])
        elif change == "session":
            parts.start = parts.start[:34] + (lambda size: bytes([size]) + bytes(size))(random.choice([0, 1, 31, 32, 33, 255]))
        elif change == "pad":
            parts.extensions.append((random.choice([21, 0x3A3A, 0xFE0D]), bytes(random.choice([0, 1, 500, 16000, 40000]))))
        message = parts.message()
        ways[ways.index("parts")] = f"parts ({change})"
    message = bytearray(message)
    if "bits" in ways:
        for _ in range(random.choice([1, 1, 2, 8])):
            # Most of a long hello is padding.
            message[random.randrange(min(len(message), 700))] ^= 1 << random.randrange(8)
    if "lengths" in ways:
        place = random.randrange(min(len(message), 700))
        message[place] = random.choice([0, 1, 2, 127, 128, 255, message[place] + 1 & 255, message[place] - 1 & 255])
    if "cut" in ways:
        message = message[:random.randrange(len(message))]
        if random.random() < 0.7 and len(message) >= 4:
            message[1:4] = (len(message) - 4).to_bytes(3, "big")
    if "trail" in ways:
        message += random.choice([b"\0", bytes(5), bytes(message), b"\x10\0\0\2\0\0"])
    message = bytes(message)
    size = random.choice([1, 2, 3, 7, 50, 400, 16000]) if "records" in ways else 16384
    pieces = [message[start:start + size] for start in range(0, len(message), size)]
    sent = b"".join(record(piece, version=bytes([3, random.choice([0, 1, 3, 4, 255])]) if "records" in ways else b"\x03\x01") for piece in pieces)
    if "frames" in ways:
        # Something between two records, or a header that is wrong.
        places, place = [0], 0
        while place + 5 < len(sent):
            place += 5 + int.from_bytes(sent[place + 3:place + 5], "big")
            places.append(place)
        place = random.choice(places[:50])
        odd = random.choice([
            EMPTY, EMPTY * 32, EMPTY * 33, record(b"\1\0", 21), record(b"\1", 20), record(b"", 23), record(b"hello", 23), record(b"\1\0\1", 24),
            record(bytes(16385)), record(bytes(17000), 23), record(bytes(3), 22, b"\x02\x00"), record(bytes(20), 22, b"\x04\x00"),
            b"GET / HTTP/1.1\r\n\r\n", b"\x80\x2e\x01\x03\x01", bytes(9), b"\x16\x03\x01\xff\xff", bytes([random.randrange(256)]) + b"\3\1\0\1\1",
        ])
        replaced = random.choice([0, 0, 5])
        sent = sent[:place] + odd + sent[place + replaced:]
    return f"{name}: {', '.join(ways)}", sent


# What comes back

def answer(address, sent, behind):
    """`served`, `alert …`, `closed` (at most without a word), or `reset`; how it went on after the first answer is another matter."""
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # It may be answered, and closed, before all of it is sent.
        with contextlib.suppress(OSError):
            connection.sendall(sent + behind)
            # Whoever waits for more than there is ends then.
            connection.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while len(got) < 7:
                piece = connection.recv(7 - len(got))
                if not piece:
                    break
                got += piece
        except ConnectionResetError:
            return "reset" if not got else f"reset within {got.hex()}"
        except TimeoutError:
            return "nothing"
        if got[:1] == b"\x16":
            return "served"
        if got[:1] == b"\x15" and len(got) == 7:
            return f"alert {ALERTS.get(got[6], got[6])}"
        return "closed" if not got else f"said {got.hex()}"


def server_name(hello):
    """The one server name of a hello whose parts can be told, else None."""
    try:
        names = [data for kind, data in Hello(hello).extensions if kind == 0]
    except IndexError:
        return None
    return names[0][5:] if len(names) == 1 else None


def has_malformed_names(hello):
    try:
        lists = [data for kind, data in Hello(hello).extensions if kind == 0]
    except IndexError:
        return False
    return any(
        len(data) < 5 or int.from_bytes(data[:2], "big") != len(data) - 2 or data[2] != 0
        or int.from_bytes(data[3:5], "big") != len(data) - 5 for data in lists)


def has_repetition(hello):
    try:
        kinds = [kind for kind, _ in Hello(hello).extensions]
    except IndexError:
        return False
    return len(set(kinds)) < len(kinds)


def is_host_name(name):
    labels = name.removesuffix(b".").split(b".")
    return len(name.removesuffix(b".")) <= 253 and all(
        0 < len(label) < 64 and label.replace(b"-", b"a").replace(b"_", b"a").isalnum() for label in labels)


# How an answer of ours may differ, and why.
NO_HOST_NAME = "the server name is no host name: OpenSSL takes any bytes, we cannot route them"
SSL3 = "SSL 3.0: OpenSSL answers in its words, which had no protocol_version; we answer as RFC 8446 appendix D.5 has it"
TWO_FAULTS = "two faults, one that keeps it from being routed and another: OpenSSL gets to the other first"
AT_ONCE = "a hello in the form of SSL 2.0: we judge its header at once, OpenSSL waits for all of it"
SILENCE = "a client that ends without a word: many who watch a port do so"


def named(hello, direct, ours):
    """Why an answer of ours differs, or None."""
    if not hello and ours == "closed":
        return SILENCE
    if len(hello) > 2 and hello[0] & 0x80 and hello[2] == 1 and ours in ("alert protocol_version", "alert record_overflow"):
        return AT_ONCE
    if direct == "alert handshake_failure" and ours == "alert protocol_version":
        return SSL3
    name = server_name(hello)
    if name is not None and not is_host_name(name) and ours in ("alert illegal_parameter", "alert unrecognized_name"):
        return NO_HOST_NAME if direct == "served" else TWO_FAULTS
    # OpenSSL looks for repeated extensions before all else, and reads the names last.
    if direct == "alert illegal_parameter" and ours.startswith("alert ") and has_repetition(hello):
        return TWO_FAULTS
    if direct.startswith("alert ") and ours == "alert decode_error" and has_malformed_names(hello):
        return TWO_FAULTS
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for the hellos that are answered differently")
    parser.add_argument("--behind", type=int, default=0, help="bytes behind each hello, as early data would be")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hello_fleet.make_certificate(folder)
        direct = (hello_fleet.ENDPOINT, stack.enter_context(hello_fleet.openssl_server(folder, "direct")))
        behind = stack.enter_context(hello_fleet.openssl_server(folder, "behind"))
        fleet = hello_fleet.Fleet(folder)
        proxy = stack.enter_context(fleet.running(behind))
        through = (hello_fleet.SERVER, fleet.https)
        hellos = real_hellos()
        cases = [(name, hello) for name, hello in hellos.items()]
        while len(cases) < options.count:
            name = chance.choice(list(hellos))
            cases.append(mutated(chance, name, hellos[name]))
        answers = collections.Counter()
        differences = collections.defaultdict(list)
        for name, hello in cases:
            extra = bytes(options.behind)
            one, other = answer(direct, hello, extra), answer(through, hello, extra)
            answers[one] += 1
            if one != other:
                differences[one, other, named(hello, one, other)].append((name, hello))
            if proxy.poll() is not None:
                raise hello_fleet.Failure(f"the server has ended after {name}: {hello.hex()}")
        print(f"{len(cases)} hellos, seed {options.seed}; direct: " + ", ".join(f"{count} {what}" for what, count in answers.most_common()))
        unnamed = 0
        for (one, other, reason), where in sorted(differences.items(), key=lambda item: -len(item[1])):
            unnamed += 0 if reason else len(where)
            print(f"\n{len(where)} × direct {one}, through us {other}: {reason or 'NOT EXPLAINED'}")
            for name, hello in where[: 2 if reason else 10]:
                print(f"    {name}: {hello[:40].hex()}{'…' if len(hello) > 40 else ''}")
            if options.keep:
                options.keep.mkdir(exist_ok=True)
                for index, (name, hello) in enumerate(where[:20]):
                    (options.keep / f"{one} - {other} - {index}".replace("/", "_")).write_bytes(hello)
        print(f"\n{sum(len(where) for where in differences.values())} answered differently, {unnamed} of them without a reason")
        return 1 if unnamed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except hello_fleet.Failure as problem:
        sys.exit(f"{problem}")
