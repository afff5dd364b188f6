"""Watches what authoritative servers say about a name.

    dnswatch.py NAME SECONDS SERVER…

Asks each server every 50 ms for the CNAME, for so many seconds. Whenever a server says something else than before that is a line of JSON: `at`, in seconds
since 1970, `server`, and `answer`: the target, `nothing` when there is no such record, an error as NXDOMAIN, or `silent`.
"""
import asyncio, json, sys, time

from dnsclient import CNAME, Silence, ask

PERIOD = 0.05


async def watch(server, name, end):
    last = None
    while time.monotonic() < end:
        next_time = time.monotonic() + PERIOD
        try:
            answer = await ask(server, name, CNAME, timeout=0.5)
            said = answer.rcode or ",".join(answer.of(name, CNAME)) or "nothing"
        except Silence:
            said = "silent"
        if said != last:
            print(json.dumps({"at": time.time(), "server": server, "answer": said}), flush=True)
        last = said
        await asyncio.sleep(max(0, next_time - time.monotonic()))


async def main():
    name, seconds, *servers = sys.argv[1:]
    end = time.monotonic() + float(seconds)
    await asyncio.gather(*(watch(server, name, end) for server in servers))


asyncio.run(main())
