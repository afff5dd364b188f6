"""A device that calls a service again and again, and forgets everything between two calls.

    devicecalls.py NAME RESOLVER CERTIFICATE SECONDS PATIENCE

Ten times a second, for so many seconds: asks the resolver for the name's address, and makes an HTTPS request of its own to that. A call does not wait for the
one before it. Its look-up is given up after PATIENCE seconds, and its request after as many more. Each call is a line of JSON when it has ended: `opened` and
`ended` in seconds since 1970, `address` (null when the name led to none), and `fault`, null when the answer was the service's.
"""
import asyncio, json, ssl, sys, time

from dnsclient import A, Silence, ask

PERIOD = 0.1


async def request(address, name, trust):
    reader, writer = await asyncio.open_connection(address, 443, ssl=trust, server_hostname=name)
    try:
        writer.write(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read(65536)
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(answer.split(b"\r\n")[0].decode(errors="replace") or "closed without an answer")
    finally:
        writer.transport.abort()


async def call(name, resolver, trust, patience):
    opened, address, fault = time.time(), None, None
    try:
        answer = await ask(resolver, name, A, patience, recursion=True)
        address = answer.address(name)
        if address is None:
            fault = f"the name has no address: {answer.rcode or 'nothing'}"
        else:
            async with asyncio.timeout(patience):
                await request(address, name, trust)
    except Silence as silence:
        fault = str(silence)
    except TimeoutError:
        fault = f"no answer in {patience} s"
    except OSError as problem:
        fault = f"{type(problem).__name__}: {problem}"
    print(json.dumps({"opened": opened, "ended": time.time(), "address": address, "fault": fault}), flush=True)


async def main():
    name, resolver, certificate, seconds, patience = sys.argv[1:]
    trust = ssl.create_default_context(cafile=certificate)
    began = time.monotonic()
    async with asyncio.TaskGroup() as calls:
        for number in range(round(float(seconds) / PERIOD)):
            await asyncio.sleep(max(0, began + number * PERIOD - time.monotonic()))
            calls.create_task(call(name, resolver, trust, float(patience)))


asyncio.run(main())
