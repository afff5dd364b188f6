"""Runs one script of tlsfuzzer, and writes what became of each of its conversations as lines of JSON.

    tlsfuzzer_script.py TLSFUZZER SCRIPT OUTPUT SEED ARGUMENT…

The same seed makes the same conversations in the same order, so two runs can be laid side by side.
"""

import builtins
import contextlib
import io
import json
import random
import re
import sys

folder, script, output, seed, *arguments = sys.argv[1:]
sys.path.insert(0, folder)

from tlsfuzzer import runner as conversations  # noqa: E402

random.seed(int(seed))
printed = io.StringIO()
records = open(output, "w", buffering=1)
run = conversations.Runner.run
# What differs from one run to the next and says nothing: addresses of objects.
noise = re.compile(r"0x[0-9a-f]{6,}")


def recorded(self):
    lines = [line for line in printed.getvalue().splitlines() if line.endswith(" ...")]
    name = lines[-1][:-4] if lines else "?"
    ending = "OK"
    try:
        run(self)
    except Exception as problem:
        ending = noise.sub("0x", f"{type(problem).__name__}: {problem}")
        raise
    finally:
        records.write(json.dumps([name, ending]) + "\n")


conversations.Runner.run = recorded
sys.argv = [script, *arguments]
module = __import__(f"tlsfuzzer._apps.{script.removesuffix('.py').replace('-', '_')}", fromlist=["main"])
with contextlib.redirect_stdout(printed):
    module.main()
