#!/usr/bin/env python3
"""Holds tlsfuzzer's conversations with an OpenSSL server direct, and the same through us, and says which end differently.

    Tests/Hostile/tlsfuzzer.py [--tlsfuzzer FOLDER] [--most N] [--haproxy] [SCRIPT…]

`Tests/Hostile/install-tlsfuzzer` installs it. Exits with 1 when a conversation ends differently in a way that DIFFERENCES does not name.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import queue
import subprocess
import sys
import tempfile

import hello_fleet

HERE = pathlib.Path(__file__).resolve().parent
# Of no use here: they measure time, or go on until chance brings them a secret that they want.
LEFT_OUT = ("-timing", "marvin", "lucky13", "no-shared-secret-padding", "padded-shared-secret")
# For one script. The slowest takes a minute.
PATIENCE = 300


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    installed = hello_fleet.ROOT / ".build" / "tlsfuzzer"
    parser.add_argument("--tlsfuzzer", type=pathlib.Path, default=installed / "source", help="a clone of it")
    parser.add_argument("--python", default=installed / "python" / "bin" / "python", help="a Python with tlslite-ng")
    parser.add_argument("--most", type=int, default=20, help="conversations of each script")
    parser.add_argument("--lanes", type=int, default=4, help="scripts at a time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--haproxy", action="store_true", help="through HAProxy as well")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for everything that was seen")
    parser.add_argument("scripts", nargs="*")
    return parser.parse_args()


def scripts(chosen, folder):
    found = sorted(path.name for path in (folder / "scripts").glob("test-*.py"))
    if not found:
        raise hello_fleet.Failure(f"there is no tlsfuzzer in {folder}; Tests/Hostile/install-tlsfuzzer installs it, or --tlsfuzzer says where it is")
    return [name for name in found if (not chosen or name in chosen) and not any(word in name for word in LEFT_OUT)]


def converse(options, script, address, port, folder):
    """The conversations of one script, each with its ending."""
    output = folder / f"{script}.json"
    base = [options.python, HERE / "tlsfuzzer_script.py", options.tlsfuzzer, script, output, str(options.seed)]
    for most in ([], ["-n", str(options.most)])[::-1]:
        command = [*base, "-h", address, "-p", str(port), *most]
        try:
            with open(folder / f"{script}.log", "wb") as log:
                # Some take the order of their conversations from a set's.
                subprocess.run(
                    [str(part) for part in command], stdout=log, stderr=log, timeout=PATIENCE,
                    env={**os.environ, "PYTHONHASHSEED": "0"})
        except subprocess.TimeoutExpired:
            pass
        endings = [tuple(json.loads(line)) for line in output.read_text().splitlines()] if output.exists() else []
        # A script that knows no -n has had no conversation.
        if endings:
            break
    return endings


def side_by_side(direct, others):
    """Name and both endings of each conversation. Some scripts name and choose theirs by chance: what no name joins goes by its order."""
    left = list(others)
    alone = []
    for name, ending in direct:
        found = next((one for one in left if one[0] == name), None)
        if found:
            left.remove(found)
            yield name, ending, found[1]
        else:
            alone.append((name, ending))
    for index, (name, ending) in enumerate(alone):
        yield name, ending, left[index][1] if index < len(left) else "not held"


# Why a conversation may end differently: a word of what is expected direct, one of what comes through us, and the reason.
DIFFERENCES = [
    ("handshake_failure", "protocol_version", "SSL 3.0: OpenSSL answers in its words, which had no protocol_version"),
    ("does not match received \"handshake_failure\"", "OK", "SSL 3.0: as tlsfuzzer and RFC 8446 want it, and OpenSSL does not"),
    ("Handshake(server_hello)", "OK", "the server name is no host name: tlsfuzzer wants illegal_parameter, and gets it through us alone"),
    ("Handshake(server_hello)", "unrecognized_name", "the server name has a zero byte: OpenSSL does not look at it when a session is resumed"),
]


def reason_for(direct, other):
    return next((reason for one, two, reason in DIFFERENCES if one in direct and two in other), None)


def main():
    options = arguments()
    names = scripts(options.scripts, options.tlsfuzzer)
    with contextlib.ExitStack() as stack:
        folder = options.keep or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(exist_ok=True)
        hello_fleet.make_certificate(folder)
        lanes = queue.Queue()
        for index in range(options.lanes):
            # One connection at a time is all that it serves, so each lane has servers of its own.
            lane = folder / f"lane{index}"
            lane.mkdir()
            for part in ["tls.key", "tls.crt"]:
                (lane / part).symlink_to(folder / part)
            ways = {}
            ways["direct"] = (hello_fleet.ENDPOINT, stack.enter_context(hello_fleet.openssl_server(lane, "direct")))
            behind = stack.enter_context(hello_fleet.openssl_server(lane, "behind"))
            fleet = hello_fleet.Fleet(lane)
            stack.enter_context(fleet.running(behind))
            ways["through us"] = (hello_fleet.SERVER, fleet.https)
            if options.haproxy:
                behind = stack.enter_context(hello_fleet.openssl_server(lane, "haproxied"))
                ways["through HAProxy"] = (hello_fleet.SERVER, stack.enter_context(hello_fleet.haproxy(lane, behind)))
            lanes.put((lane, ways))

        def compare(script):
            lane, ways = lanes.get()
            try:
                results = {}
                for way, (address, port) in ways.items():
                    place = lane / way.replace(" ", "-")
                    place.mkdir(exist_ok=True)
                    results[way] = converse(options, script, address, port, place)
                return script, results
            finally:
                lanes.put((lane, ways))

        total = collections.Counter()
        alike = collections.Counter()
        kinds = collections.defaultdict(list)
        with concurrent.futures.ThreadPoolExecutor(options.lanes) as pool:
            for script, results in pool.map(compare, names):
                direct = results.pop("direct")
                for way, endings in results.items():
                    same = 0
                    for name, ending, other in side_by_side(direct, endings):
                        if other == ending:
                            same += 1
                        else:
                            kinds[way, ending, other].append(f"{script}: {name}")
                    total[way] += len(direct)
                    alike[way] += same
                    print(f"{script}: {same} of {len(direct)} {way} end as direct", flush=True)
        unexplained = 0
        for way in total:
            print(f"\n{way}: {alike[way]} of {total[way]} conversations end as direct")
            for (other, direct, ending), where in sorted(kinds.items()):
                if other != way:
                    continue
                reason = reason_for(direct, ending)
                if not reason and way == "through us":
                    unexplained += len(where)
                print(f"\n  {len(where)} × direct: {direct}\n  {way}: {ending}\n  {reason or 'NOT EXPLAINED'}")
                for line in where[:20]:
                    print(f"    {line}")
        print(f"\n{unexplained} conversations end differently through us without a reason")
        return 1 if unexplained else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except hello_fleet.Failure as problem:
        sys.exit(f"{problem}")
