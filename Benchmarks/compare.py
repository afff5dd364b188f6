"""Compares TCP proxies that route TLS by server name, on this machine, measures publishing, and prints Markdown tables.

Started by `run`, which builds the tools first.
"""

import argparse
import pathlib
import signal
import sys
import tempfile

import crowd
import names
import publishing
import reconnecting
import sharing
import strangers
from harness import ddirect, layout, machine, proxies, tables, tools, workloads

HERE = pathlib.Path(__file__).resolve().parent

# These have nothing to be compared with: D-Direct's data plane under particular conditions, and its control plane.
OWN = ["sharing", "strangers", "names", "crowd", "publishing", "reconnecting"]
PARTS = [*workloads.ALL, *OWN]


def comma_separated(choices):
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in choices:
                raise argparse.ArgumentTypeError(f"'{name}'; expected some of {','.join(choices)}")
        return names

    return parse


def parse_arguments():
    parser = argparse.ArgumentParser(prog="run", description="Compares TLS passthrough proxies on this machine.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default 3)")
    parser.add_argument("--seconds", type=float, default=3, help="length of a timed workload (default 3)")
    parser.add_argument(
        "--only", metavar="PARTS", type=comma_separated(PARTS), default=PARTS, help=f"some of {','.join(PARTS)}")
    parser.add_argument(
        "--proxies", metavar="NAMES", type=comma_separated(list(proxies.ALL)), default=list(proxies.ALL),
        help=f"some of {','.join(proxies.ALL)}")
    parser.add_argument(
        "--ddirect-bin", metavar="DIRECTORY", type=pathlib.Path, default=HERE / "../.build/release",
        help="where ddirect-control and ddirect-proxy are (default ../.build/release)")
    return parser.parse_args()


def note(text):
    """Progress goes to standard error; standard output is the report and nothing else."""
    print(text, file=sys.stderr, flush=True)


def check_ddirect(arguments):
    """A report without what it is about would look like one: D-Direct has to be there unless nobody asked for it."""
    if "ddirect" in arguments.proxies or set(OWN) & set(arguments.only):
        try:
            ddirect.check_built(arguments.ddirect_bin.resolve())
        except tools.Failure as failure:
            sys.exit(f"ddirect cannot be measured: {failure}")


def choose(arguments, toolbox, folder):
    """The proxies that can be run here, ready to be started."""
    chosen = []
    for name in arguments.proxies:
        proxy = proxies.ALL[name](toolbox, folder, arguments.ddirect_bin.resolve())
        try:
            proxy.check_installed()
            proxy.prepare(note)
            chosen.append(proxy)
        except tools.Failure as failure:
            if name == "ddirect":
                sys.exit(f"ddirect cannot be measured: {failure}")
            note(f"{name} is left out: {failure}")
    return chosen


def measure(proxy, workload, toolbox):
    """The figures of one workload with one proxy, freshly started and warmed up; or why there are none."""
    try:
        with proxy.running() as process:
            workload.warm_up(toolbox, proxy.targets())
            return workload.measure(toolbox, proxy.targets(), process)
    except tools.Failure as failure:
        return failure


def compare(arguments, names, chosen, toolbox):
    """For each workload of these names and each proxy, the outcomes round by round."""
    outcomes = {name: {proxy.name: [] for proxy in chosen} for name in names}
    for round_number in range(arguments.rounds):
        # Whoever came first in this round comes last in the next, so that no place in the order favours anyone.
        turn = round_number % len(chosen)
        order = chosen[turn:] + chosen[:turn]
        for name in names:
            workload = workloads.ALL[name](arguments.seconds)
            for proxy in order:
                outcome = measure(proxy, workload, toolbox)
                outcomes[name][proxy.name].append(outcome)
                note(f"round {round_number + 1}/{arguments.rounds} {name} {proxy.name}: {workload.show(outcome)}")
    return outcomes


def main():
    arguments = parse_arguments()
    check_ddirect(arguments)
    # Ends the context managers, and with them the proxies, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machine.raise_descriptor_limit()
    machine.look_for_daemons()
    toolbox = tools.Toolbox(HERE / ".build/release")
    with tempfile.TemporaryDirectory(prefix="ddirect-benchmark-") as folder:
        # Some proxies give up root before they open their files.
        pathlib.Path(folder).chmod(0o755)
        folder = pathlib.Path(folder)
        compared = [name for name in arguments.only if name in workloads.ALL]
        if compared:
            chosen = choose(arguments, toolbox, folder)
            if not chosen:
                sys.exit("none of the proxies can be run here")
            with toolbox.origin(layout.ORIGINS):
                outcomes = compare(arguments, compared, chosen, toolbox)
            print(tables.report(machine.description(), arguments, chosen, outcomes), flush=True)
        if "sharing" in arguments.only:
            print(sharing.report(arguments.ddirect_bin.resolve(), folder, toolbox, arguments, note), flush=True)
        if "strangers" in arguments.only:
            print(strangers.report(arguments.ddirect_bin.resolve(), folder, toolbox, note), flush=True)
        if "names" in arguments.only:
            print(names.report(arguments.ddirect_bin.resolve(), folder, toolbox, arguments, note), flush=True)
        if "crowd" in arguments.only:
            print(crowd.report(arguments.ddirect_bin.resolve(), folder, toolbox, note), flush=True)
        if "publishing" in arguments.only:
            print(publishing.report(arguments.ddirect_bin.resolve(), folder, note), flush=True)
        if "reconnecting" in arguments.only:
            print(reconnecting.report(arguments.ddirect_bin.resolve(), folder, note))


main()
