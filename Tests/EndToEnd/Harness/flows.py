"""Long connections through a server, checked byte by byte, and the endpoint that they lead to.

    flows.py ADDRESS:PORT ORIGIN-ADDRESS:PORT PING-PONG DOWNLOADS SILENT

Prints `ready` when all connections are open and have heard from the endpoint. At SIGTERM each silent connection must still answer, and the outcome is
printed as one line of JSON: what broke, how many bytes and round trips passed, and the longest that any flow had to wait, in milliseconds.
"""
import asyncio, json, signal, struct, sys, time

NAME = b"app.acme.test"
PERIOD = bytes((31 * index + 7) & 0xFF for index in range(256))
BLOCK = PERIOD * 256  # 64 KiB; any part of the stream is a part of this twice over
TWICE = BLOCK * 2
# Only a fault takes so many seconds.
PATIENCE = 200


def hello():
    name = b"\0" + struct.pack(">H", len(NAME)) + NAME
    names = struct.pack(">H", len(name)) + name
    extensions = b"\0\0" + struct.pack(">H", len(names)) + names
    body = b"\3\3" + bytes([7]) * 32 + b"\0" + b"\0\2\x13\1" + b"\1\0" + struct.pack(">H", len(extensions)) + extensions
    handshake = b"\1" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\3\1" + struct.pack(">H", len(handshake)) + handshake


async def serve(reader, writer):
    try:
        header = await reader.readexactly(5)
        await reader.readexactly(struct.unpack(">H", header[3:])[0])
        kind = await reader.readexactly(1)
        writer.write(b"!")
        if kind == b"D":
            while not writer.is_closing():
                writer.write(BLOCK)
                await writer.drain()
                await asyncio.sleep(0.02)
        while True:
            message = await reader.readexactly(64)
            writer.write(message)
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        pass
    finally:
        writer.close()


class Load:
    def __init__(self, place):
        self.place = place
        self.failures = []
        self.round_trips = 0
        self.downloaded = 0
        self.longest = 0.0
        self.is_over = asyncio.Event()

    async def open(self, kind):
        host, port = self.place
        reader, writer = await asyncio.open_connection(host, port, limit=1 << 18)
        writer.write(hello() + kind)
        if await reader.readexactly(1) != b"!":
            raise ValueError("the endpoint's first byte is wrong")
        return reader, writer

    async def ping(self, reader, writer, number):
        message = struct.pack(">Q", number) * 8
        began = time.monotonic()
        writer.write(message)
        if await asyncio.wait_for(reader.readexactly(64), PATIENCE) != message:
            raise ValueError("a message came back changed")
        self.longest = max(self.longest, time.monotonic() - began)
        self.round_trips += 1

    async def ping_pong(self, reader, writer, number):
        while not self.is_over.is_set():
            number += 1
            await self.ping(reader, writer, number)
            await asyncio.sleep(0.02)

    async def download(self, reader, _, number):
        offset = 0
        last = time.monotonic()
        while not self.is_over.is_set():
            part = await asyncio.wait_for(reader.read(1 << 16), PATIENCE)
            now = time.monotonic()
            self.longest = max(self.longest, now - last)
            last = now
            start = offset % len(BLOCK)
            if not part or part != TWICE[start:start + len(part)]:
                raise ValueError(f"the stream {'differs' if part else 'ended'} at {offset}")
            offset += len(part)
            self.downloaded += len(part)

    async def silence(self, reader, writer, number):
        await self.is_over.wait()
        longest = self.longest
        await self.ping(reader, writer, number)
        # All of them speak at once now: how long that takes is this program's own doing.
        self.longest = longest

    async def run(self, work, kind, connection, number):
        try:
            await work(*connection, number)
        except Exception as problem:
            self.failures.append(f"{kind} {number}: {type(problem).__name__} {problem}")


def place(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


async def main():
    through, origin = place(sys.argv[1]), place(sys.argv[2])
    counts = dict(zip(("ping-pong", "download", "silent"), map(int, sys.argv[3:6])))
    await asyncio.start_server(serve, *origin, backlog=4096)
    load = Load(through)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, load.is_over.set)
    kinds = {"ping-pong": (b"P", load.ping_pong), "download": (b"D", load.download), "silent": (b"P", load.silence)}
    opened = []
    for kind, count in counts.items():
        for first in range(0, count, 100):
            batch = range(first, min(first + 100, count))
            opened += zip(batch, [kind] * len(batch), await asyncio.gather(*(load.open(kinds[kind][0]) for _ in batch)))
    tasks = [
        asyncio.create_task(load.run(kinds[kind][1], kind, connection, number)) for number, kind, connection in opened]
    print("ready", flush=True)
    await asyncio.gather(*tasks)
    print(json.dumps({
        "failures": load.failures[:20], "broken": len(load.failures), "roundTrips": load.round_trips,
        "downloaded": load.downloaded, "longestPauseMilliseconds": round(load.longest * 1000)}), flush=True)


asyncio.run(main())
