"""Data planes of a test's own at the channel over TCP: well-behaved, ill-behaved, or very many.

    channel_peer.py ADDRESS:PORT [OPTION VALUE]… WORD…

One connection says what the words want, in their order, and then listens until it is over:

    enroll=TOKEN     asks for a certificate, and writes identity.pem to the folder --into
    hello=NAME       says Hello as this server
    applied=VERSION  says that it has applied this version
    oversized        announces a frame of 0xFFFFFFFF octets
    malformed        sends a frame that is no message
    http             sends a request of plain HTTP
    hold             answers each snapshot with Applied and beats every second, as a data plane does

    --authority FILE   the only certificate that may vouch for the control plane; without it anyone is believed
    --identity FILE    key and certificate to show
    --from ADDRESS     connect from this address
    --tls VERSION      1.3, or 1.2, or none for plain text

What it sees is printed, one JSON object a line: `connected`, `frame` (each but heartbeats), and `end` with how. SIGTERM ends it well.

    channel_peer.py ADDRESS:PORT --authority FILE --into FOLDER storm=FILE

The file has a server's name and its token a line. Each is enrolled and then holds a session, and connects again when it is lost, as the real data plane
does. Prints `enrolled`, then `ready` when each has had a snapshot, and at SIGTERM `storm` with what it saw.
"""
import argparse, asyncio, collections, json, logging, os, random, resource, signal, ssl, struct, subprocess, time

CONTROL = "control.ddirect.internal"
PROTOCOL = 1
# Of Channel.proto: the numbers of Frame's messages.
KINDS = {
    1: "hello", 2: "snapshot", 3: "applied", 4: "refused", 5: "command", 8: "observation", 9: "heartbeat", 10: "goodbye", 11: "enroll",
    12: "certificateRequest", 13: "certificate"}
NUMBERS = {kind: number for number, kind in KINDS.items()}
# Of ChannelRules and SubscriptionMachine, in seconds.
BEAT, SILENCE, CONNECT_PATIENCE, GOOD_SESSION = 1, 3, 5, 10
SHORTEST_BACKOFF, LONGEST_BACKOFF = 0.2, 5
# Only a fault takes so long.
PATIENCE = 200
# The control plane bears a few hundred connections that have not said who they are.
ENROLLING_AT_ONCE = 32


# Protocol Buffers, as much as is needed.

def varint(value):
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(octets):
    """The fields of a message by their number, of each the last."""
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            value |= (octets[at] & 0x7F) << shift
            shift += 7
            at += 1
            if octets[at - 1] < 0x80:
                return value

    while at < len(octets):
        tag = number()
        kind = tag & 7
        if kind == 0:
            found[tag >> 3] = number()
            continue
        length = {1: 8, 5: 4}[kind] if kind != 2 else number()
        found[tag >> 3] = octets[at:at + length]
        at += length
    return found


def frame(kind, *body):
    message = field(NUMBERS[kind], b"".join(body))
    return struct.pack(">I", len(message)) + message


def hello(server, boot):
    return frame("hello", field(1, PROTOCOL), field(2, server), field(3, "channel_peer"), field(7, boot))


# One connection.

def how(problem):
    if isinstance(problem, asyncio.IncompleteReadError):
        return "closed" if not problem.partial else "closed in the middle of a frame"
    if isinstance(problem, ssl.SSLError):
        return f"tls: {problem.reason or problem}"
    if isinstance(problem, (asyncio.TimeoutError, TimeoutError)):
        return "silence"
    if isinstance(problem, ConnectionResetError):
        return "reset"
    return f"{type(problem).__name__}: {problem}"


def context(authority, identity, version="1.3"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if version == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    if authority:
        context.load_verify_locations(authority)
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if identity:
        context.load_cert_chain(identity)
    return context


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.beating = None

    @staticmethod
    async def open(place, tls, source=None):
        host, port = place
        reader, writer = await asyncio.open_connection(
            host, port, ssl=tls, server_hostname=CONTROL if tls else None, local_addr=(source, 0) if source else None)
        return Connection(reader, writer)

    @property
    def version(self):
        tls = self.writer.get_extra_info("ssl_object")
        return tls.version() if tls else "none"

    def send(self, octets):
        self.writer.write(octets)

    async def receive(self, patience):
        """The kind and the fields of the next frame."""
        header = await asyncio.wait_for(self.reader.readexactly(4), patience)
        octets = await asyncio.wait_for(self.reader.readexactly(struct.unpack(">I", header)[0]), patience)
        for number, body in fields(octets).items():
            if number in KINDS:
                return KINDS[number], fields(body)
        return "unknown", {}

    def beat(self):
        async def beats():
            while True:
                self.send(frame("heartbeat"))
                await asyncio.sleep(BEAT)
        self.beating = asyncio.create_task(beats())

    async def close(self):
        if self.beating:
            self.beating.cancel()
        # Not waited for politely: the other side may never answer.
        self.writer.transport.abort()

    async def end(self):
        """Says why it goes, and gives that the time to be sent."""
        self.send(frame("goodbye", field(1, "the test is over")))
        try:
            await asyncio.wait_for(self.writer.drain(), 1)
        finally:
            self.writer.close()


# Identities.

class Key:
    """A key and a request for a certificate for it. The control plane says whose that is, so one will do for many servers."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        key, request = f"{folder}/key.pem", f"{folder}/request.der"
        subprocess.run(
            ["/usr/bin/openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
             "-subj", "/CN=channel_peer", "-outform", "DER", "-out", request], check=True, stderr=subprocess.DEVNULL)
        self.folder = folder
        with open(key, encoding="ascii") as file:
            self.text = file.read()
        with open(request, "rb") as file:
            self.request = file.read()

    def enroll(self, token):
        return frame("enroll", field(1, PROTOCOL), field(2, token), field(3, self.request))

    def keep(self, certificate, name="identity.pem"):
        path = f"{self.folder}/{name}"
        with open(path, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(self.text + ssl.DER_cert_to_PEM_cert(certificate[1]))
        return path


# A peer that does as it is told.

def say(event, **details):
    print(json.dumps({"event": event, **details}), flush=True)


def shown(kind, body):
    if kind == "goodbye":
        return {"reason": body.get(1, b"").decode()}
    if kind == "snapshot":
        return {"version": body.get(2, 0)}
    return {}


class Peer:
    def __init__(self, options):
        self.options = options
        self.key = Key(options.into) if options.into else None
        self.holds = False

    def speak(self, connection, word):
        verb, _, value = word.partition("=")
        if verb == "enroll":
            connection.send(self.key.enroll(value))
        elif verb == "hello":
            connection.send(hello(value, f"{os.getpid()}"))
        elif verb == "applied":
            connection.send(frame("applied", field(1, int(value))))
        elif verb == "oversized":
            connection.send(b"\xff\xff\xff\xff" + b"x" * 64)
        elif verb == "malformed":
            connection.send(struct.pack(">I", 8) + b"\xff" * 8)
        elif verb == "http":
            connection.send(b"GET / HTTP/1.1\r\nHost: control\r\n\r\n")
        elif verb == "hold":
            self.holds = True
            connection.beat()
        else:
            raise SystemExit(f"what does {word!r} mean?")

    async def listen(self, connection):
        while True:
            kind, body = await connection.receive(PATIENCE)
            if kind == "heartbeat":
                continue
            say("frame", kind=kind, **shown(kind, body))
            if kind == "certificate" and self.key:
                self.key.keep(body)
                return
            if kind == "snapshot" and self.holds:
                connection.send(frame("applied", field(1, body.get(2, 0))))

    async def run(self):
        options = self.options
        tls = None if options.tls == "none" else context(options.authority, options.identity, options.tls)
        connection = None
        try:
            connection = await asyncio.wait_for(Connection.open(options.place, tls, options.source), PATIENCE)
            say("connected", tls=connection.version)
            for word in options.words:
                self.speak(connection, word)
            if options.tls == "none":
                # What comes is not frames.
                while await asyncio.wait_for(connection.reader.read(4096), PATIENCE):
                    pass
                say("end", how="closed")
            else:
                await self.listen(connection)
                say("end", how="done")
        except asyncio.CancelledError:
            if connection:
                await connection.end()
            say("end", how="told to")
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.TimeoutError) as problem:
            say("end", how=how(problem))
        finally:
            if connection:
                await connection.close()


# Very many.

class Storm:
    def __init__(self, options):
        self.options = options
        self.key = Key(options.into)
        self.contexts = {}
        self.have_snapshot = set()
        self.connects = 0
        self.snapshots = 0
        self.slowest = 0.0
        self.failures = collections.Counter()
        self.goodbyes = collections.Counter()

    async def enroll(self, name, token, turn, tls):
        async with turn:
            connection = await asyncio.wait_for(Connection.open(self.options.place, tls), PATIENCE)
            connection.send(self.key.enroll(token))
            try:
                kind, body = await connection.receive(PATIENCE)
            finally:
                await connection.close()
        if kind != "certificate":
            raise SystemExit(f"{name} is not enrolled: {kind} {shown(kind, body)}")
        self.contexts[name] = context(self.options.authority, self.key.keep(body, f"{name}.pem"))

    async def session(self, name):
        began = time.monotonic()
        connection = await asyncio.wait_for(Connection.open(self.options.place, self.contexts[name]), CONNECT_PATIENCE)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.connects += 1
        try:
            connection.send(hello(name, f"{os.getpid()}"))
            connection.beat()
            while True:
                kind, body = await connection.receive(SILENCE)
                if kind == "snapshot":
                    connection.send(frame("applied", field(1, body.get(2, 0))))
                    self.snapshots += 1
                    self.have_snapshot.add(name)
                elif kind == "goodbye":
                    self.goodbyes[shown(kind, body)["reason"]] += 1
                    return
        finally:
            await connection.close()

    async def live(self, name):
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self.session(name)
            except (OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.TimeoutError) as problem:
                self.failures[how(problem)] += 1
            failures = 1 if time.monotonic() - began >= GOOD_SESSION else failures + 1
            # Full jitter: all that were lost at one moment come back at many.
            await asyncio.sleep(random.random() * min(LONGEST_BACKOFF, SHORTEST_BACKOFF * 2 ** min(failures - 1, 10)))

    async def run(self):
        with open(self.options.storm, encoding="ascii") as file:
            servers = [line.split() for line in file]
        began = time.monotonic()
        turn, tls = asyncio.Semaphore(ENROLLING_AT_ONCE), context(self.options.authority, None)
        await asyncio.gather(*(self.enroll(name, token, turn, tls) for name, token in servers))
        say("enrolled", count=len(servers), seconds=round(time.monotonic() - began, 2))
        began = time.monotonic()
        lives = [asyncio.create_task(self.live(name)) for name, _ in servers]
        try:
            while len(self.have_snapshot) < len(servers):
                await asyncio.sleep(0.05)
            say("ready", seconds=round(time.monotonic() - began, 2))
            # Not gather(), which waits for whoever misses its cancellation, below.
            ended, _ = await asyncio.wait(lives, return_when=asyncio.FIRST_EXCEPTION)
            for life in ended:
                life.result()
        except asyncio.CancelledError:
            for life in lives:
                life.cancel()
            # wait_for() swallows a cancellation that comes together with a frame (until Python 3.12).
            await asyncio.wait(lives, timeout=5)
            say("storm", connects=self.connects, snapshots=self.snapshots, slowestConnectMilliseconds=round(self.slowest * 1000),
                failures=dict(self.failures.most_common(8)), goodbyes=dict(self.goodbyes.most_common(8)))
            # And whoever missed it is not waited for.
            os._exit(0)


def place(text):
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("place", type=place)
    parser.add_argument("--authority")
    parser.add_argument("--identity")
    parser.add_argument("--from", dest="source")
    parser.add_argument("--tls", default="1.3", choices=["1.3", "1.2", "none"])
    parser.add_argument("--into")
    parser.add_argument("words", nargs="*")
    options = parser.parse_intermixed_args()
    storm = [word for word in options.words if word.startswith("storm=")]
    options.storm = storm[0].partition("=")[2] if storm else None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard != resource.RLIM_INFINITY else 8192, hard))
    task = asyncio.create_task((Storm if storm else Peer)(options).run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await task


# A broken connection is what many come for; how it ended is printed.
logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)
asyncio.run(main())
