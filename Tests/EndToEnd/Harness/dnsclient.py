"""As much of a DNS client as the game day needs: one question by UDP, and no memory of the last one (RFC 1035)."""
import asyncio, random, socket, struct

A, CNAME = 1, 5
RCODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 9: "NOTAUTH"}


class Silence(Exception):
    """Nobody answered in time, or nobody is there."""


class Answer:
    def __init__(self, message):
        flags, questions, answers = struct.unpack(">3H", message[2:8])
        self.rcode = RCODES.get(flags & 15, str(flags & 15)) if flags & 15 else None
        self.records = []
        place = 12
        for _ in range(questions):
            place = read_name(message, place)[1] + 4
        for _ in range(answers):
            owner, place = read_name(message, place)
            kind, _, _, length = struct.unpack(">HHIH", message[place:place + 10])
            place += 10
            if kind == A:
                self.records.append((owner, kind, socket.inet_ntoa(message[place:place + 4])))
            elif kind == CNAME:
                self.records.append((owner, kind, read_name(message, place)[0]))
            place += length

    def of(self, name, kind):
        return sorted(value for owner, of, value in self.records if (owner, of) == (name, kind))

    def address(self, name):
        """The first address at the end of the chain of CNAMEs that begins at the name; None when it leads nowhere."""
        for _ in range(8):
            if addresses := self.of(name, A):
                return addresses[0]
            targets = self.of(name, CNAME)
            if not targets:
                return None
            name = targets[0]
        return None


def read_name(message, place):
    """The name at a place, and the place after it. The names of the game day are short: what points on for ever is cut."""
    labels, end = [], None
    for _ in range(64):
        length = message[place]
        if length >= 0xC0:
            end = place + 2 if end is None else end
            place = struct.unpack(">H", message[place:place + 2])[0] & 0x3FFF
        elif length == 0:
            break
        else:
            labels.append(message[place + 1:place + 1 + length].decode().lower())
            place += 1 + length
    return ".".join(labels), place + 1 if end is None else end


async def ask(server, name, kind, timeout, recursion=False):
    """The answer of a server about a name, or Silence."""
    number = random.randrange(1 << 16)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = struct.pack(">6H", number, 0x100 if recursion else 0, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)
    loop = asyncio.get_running_loop()
    # A socket for each question, and so a port of its own.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as end:
        try:
            end.connect((server, 53))
            async with asyncio.timeout(timeout):
                await loop.sock_sendall(end, query)
                while True:
                    message = await loop.sock_recv(end, 4096)
                    if len(message) >= 12 and message[:2] == query[:2]:
                        return Answer(message)
        except TimeoutError:
            raise Silence(f"{server} has not answered in {timeout} s") from None
        except OSError as problem:
            raise Silence(f"{server}: {problem.strerror}") from None
