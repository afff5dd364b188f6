#!/usr/bin/env python3
"""Invariant 10, read off the machine code: the hot path touches no reference count and allocates nothing.

Disassembles ddirect-proxy and looks, in every function that a flow passes through in its life, for calls into the
Swift runtime that count references, check exclusivity or allocate. Making a log line's text may, since that happens once
a second at most: it shows as closures, which are left out, and as swift_bridgeObject calls, which only strings make here.
"""

import pathlib
import re
import subprocess
import sys

# The worker's methods from accept to close, by name; the rest of a mangled name differs from build to build.
HOT = [
    "run", "accept", "readHello", "serviceForName", "assign", "depart", "startDial", "attemptNext", "attempt",
    "handleAttempt", "connected", "handle", "pump", "passEnd", "close", "closeHalf", "endDial", "takeFlow", "sweep", "check",
    # Turns, and who accepts.
    "pumpReady", "pumpBulk", "takeTurn", "giveWay", "enqueue", "armWriting", "register", "hasExcess", "lookAround", "yieldListeners",
    "considerReturn", "startAccepting", "pauseAccepting",
    # The steps of `pump`, where they are not inlined into it.
    "nextStep", "flushPending", "emptyPipe", "followOn", "fillPipe", "copy", "keep",
    # Who may, and what it may hold.
    "arrive", "endOpening", "admit", "strike", "borrow", "settleLoans", "nextCandidate", "sweepRelaying",
    "sweepLingering", "hearOut", "discard", "discardInput",
    # Plain HTTP, exchange after exchange.
    "readFirstRequest", "follow", "followRequest", "takeRequestHead", "passOn", "endRequest", "followResponse",
    "takeResponseHead", "endResponse", "endExchange", "followSilence", "followBody", "handOver", "fill", "settle",
]
# A call in a function's last place is a jump.
FORBIDDEN = re.compile(
    r"(call|jmp)\s.*<(swift_retain\w*|swift_release\w*|swift_beginAccess|swift_alloc\w+|swift_slowAlloc|malloc|calloc|"
    r"realloc|posix_memalign)\b")


def functions(binary):
    """Each function's mangled name and its lines."""
    listing = subprocess.run(
        ["objdump", "--disassemble", "--no-show-raw-insn", binary], capture_output=True, text=True, check=True).stdout
    name, lines = None, []
    for line in listing.splitlines():
        heading = re.match(r"^[0-9a-f]+ <(.*)>:$", line)
        if heading:
            if name:
                yield name, lines
            name, lines = heading.group(1), []
        else:
            lines.append(line)
    if name:
        yield name, lines


def main():
    binary = pathlib.Path(sys.argv[1])
    method = re.compile(r"9DataPlane6WorkerV\d+(" + "|".join(HOT) + r")(33_[0-9A-F]{32})?[A-Zyl]")
    found, faults = set(), []
    for name, lines in functions(binary):
        match = method.search(name)
        # "Tf" and "U_" mark specialisations and closures; a log line's text is made in one of those.
        if not match or "U_" in name:
            continue
        found.add(match.group(1))
        faults += [f"{match.group(1)}: {line.strip()}" for line in lines if FORBIDDEN.search(line)]
    # A method that is gone was inlined into another of the list, or renamed; most must be there for this to mean anything. The steps of
    # `pump` are inlined for certain.
    if len(found) < len(HOT) // 3:
        sys.exit(f"only {len(found)} of the {len(HOT)} functions were found in {binary}; this check needs mending")
    if faults:
        sys.exit("the hot path counts references or allocates:\n  " + "\n  ".join(faults))
    print(f"- hot path: no reference count and no allocation in {len(found)} functions (the others are inlined into them)")


main()
