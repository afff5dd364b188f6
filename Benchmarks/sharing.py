"""Measures how flows share D-Direct's data plane: its workers, its pipes, and one core.

Called by compare.py. Each figure has its target beside it.
"""

import contextlib
import statistics
import time
import urllib.request

from harness import ddirect, ddirect_api, layout, processes, tables, tools, unprivileged

SERVER = "za1"

LONG_CONNECTIONS = 400
TARGET_BALANCE = 1.10

MANY_BULK = 120
TARGET_UNPRIVILEGED = 1.10

BULK_BESIDE = 64
TARGET_BESIDE = 3.0


class Sharing:
    def __init__(self, ddirect_bin, folder, toolbox, arguments, note):
        self.ddirect_bin = ddirect_bin
        self.folder = ddirect.room(ddirect_bin, folder / "sharing")
        self.toolbox = toolbox
        self.rounds = arguments.rounds
        self.seconds = arguments.seconds
        self.note = note
        self.addresses = layout.SHARING
        self.control = ddirect.ControlPlane(ddirect_bin, self.folder, self.addresses["api"])

    def run(self, parts):
        """Adds to the report's parts what has been measured, as soon as it has been."""
        names = layout.ORIGINS | layout.SMALL_ORIGIN
        with self.control.running(layout.PLAYERS_CORE):
            ddirect_api.create_few_services(self.control.api(), SERVER, names)
            with self.toolbox.origin(layout.ORIGINS, gives_way=True), self.toolbox.origin(layout.SMALL_ORIGIN):
                parts += self.beside()
            with self.toolbox.origin(layout.ORIGINS):
                parts += self.workers()
                parts += self.pipes()

    @contextlib.contextmanager
    def proxy(self, cores, workers, as_root=False):
        command = ddirect.proxy_command(
            self.ddirect_bin, SERVER, self.control.channel, http=self.addresses["http"], https=self.addresses["https"],
            admin=self.addresses["admin"], workers=workers, folder=self.folder, as_root=as_root)
        ready = lambda: ddirect_api.is_ready(self.addresses["admin"])
        with tools.daemon(command, cores, self.folder / "proxy.log", ready) as child:
            yield processes.ProcessTree(child.pid)

    def targets(self, names):
        return [f"{name}={self.addresses['https']}" for name in names]

    def metric(self, name):
        """The values of a metric, in the order of its samples."""
        with urllib.request.urlopen(f"http://{self.addresses['admin']}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return [int(line.split()[-1]) for line in lines if line.startswith((name + "{", name + " "))]

    # MARK: a core

    def beside(self):
        """A small message's way through a proxy that is otherwise idle, and through one that carries bulk."""
        rows, ratios = [], []
        for number in range(self.rounds):
            with self.proxy(layout.PROXY_CORE, 1):
                alone = self.ping()
                with self.bulk_without_end() as carried:
                    beside = self.ping()
                    rate = carried()
            ratios.append(beside["p99Microseconds"] / alone["p99Microseconds"])
            rows.append([alone["p50Microseconds"], alone["p99Microseconds"], beside["p50Microseconds"], beside["p99Microseconds"], rate])
            self.note(
                f"round {number + 1}/{self.rounds} small message: p99 {alone['p99Microseconds']:.0f} µs alone, "
                f"{beside['p99Microseconds']:.0f} µs beside {BULK_BESIDE} bulk flows ({rate:.2f} GB/s)")
        medians = [statistics.median(column) for column in zip(*rows)]
        header = ["", "p50 µs", "p99 µs", "p99 to alone", "target", "bulk GB/s"]
        ratio = statistics.median(ratios)
        table = [
            ["alone", f"{medians[0]:,.0f}", f"{medians[1]:,.0f}", "1", "", ""],
            [f"beside {BULK_BESIDE} bulk flows", f"{medians[2]:,.0f}", f"{medians[3]:,.0f}", f"{ratio:.2f}",
             verdict(ratio, TARGET_BESIDE), f"{medians[4]:.2f}"],
        ]
        return [
            "## A small message beside bulk",
            "64 bytes to and fro on one connection, one after the other, through one worker on a core of its own. Those who play bulk have an origin of "
            "their own, and give way to those who play the small message (SCHED_IDLE), so that what is measured is the proxy's part.",
            tables.table(header, table)]

    def ping(self):
        with self.toolbox.load("pingpong", 1, self.seconds, *self.targets(layout.SMALL_ORIGIN)) as load:
            return load.play()

    @contextlib.contextmanager
    def bulk_without_end(self):
        """Plays bulk for as long as the context lasts; gives a function that tells GB/s since the call."""
        with self.toolbox.load("bulk", BULK_BESIDE, int(1e15), *self.targets(layout.NAMES), gives_way=True) as load:
            load.start()
            # Until every connection is in full flow.
            time.sleep(0.5)
            before, began = self.bytes_down(), tools.now()
            yield lambda: (self.bytes_down() - before) / (tools.now() - began) / 1e9
            load.stop()

    def bytes_down(self):
        return sum(self.metric("ddirect_worker_spliced_bytes_total")) + sum(self.metric("ddirect_worker_copied_bytes_total"))

    # MARK: workers

    def workers(self):
        """How two workers share long connections."""
        counts = []
        for number in range(self.rounds):
            with self.proxy("0,1", 2), self.toolbox.load("idle", LONG_CONNECTIONS, *self.targets(layout.NAMES)) as load:
                load.play()
                counts.append(self.metric("ddirect_worker_flows_open"))
            self.note(f"round {number + 1}/{self.rounds} flows by worker: {counts[-1]}")
        ratio = max(max(count) / max(1, min(count)) for count in counts)
        shown = "; ".join(" and ".join(map(str, count)) for count in counts)
        return [
            "## Long connections on two workers",
            f"{LONG_CONNECTIONS} connections that come at once and stay. Flows of each worker, round by round, and the worst round's more to its less.",
            tables.table(["flows by worker", "more to less", "target"], [[shown, f"{ratio:.2f}", verdict(ratio, TARGET_BALANCE)]])]

    # MARK: pipes

    def pipes(self):
        """What bulk on many flows costs as the unit runs, and as root."""
        if not unprivileged.applies():
            return ["## Bulk without privileges", "Not measured: only root can compare itself with somebody else."]
        costs = {False: [], True: []}
        refused = 0
        for number in range(self.rounds):
            for as_root in (False, True) if number % 2 == 0 else (True, False):
                with self.proxy(layout.PROXY_CORE, 1, as_root=as_root) as process:
                    # Clients that give way to the origin are the slower ones, so that each flow holds a pipe most of the time.
                    with self.toolbox.load("bulk", MANY_BULK, int(4e9), *self.targets(layout.NAMES), gives_way=True) as load:
                        before = process.cpu_seconds()
                        played = load.play()
                        costs[as_root].append((process.cpu_seconds() - before) / played["bytes"] * 1e9)
                    if not as_root:
                        refused = max(refused, sum(self.metric("ddirect_worker_pipes_refused_total")))
            self.note(
                f"round {number + 1}/{self.rounds} bulk on {MANY_BULK} flows: {costs[False][-1]:.3f} s/GB without privileges, "
                f"{costs[True][-1]:.3f} as root")
        ratio = statistics.median(mine / root for mine, root in zip(costs[False], costs[True]))
        rows = [
            ["without privileges, as the unit runs", f"{statistics.median(costs[False]):.3f}", f"{ratio:.2f}",
             verdict(ratio, TARGET_UNPRIVILEGED), f"{refused:,}"],
            ["as root", f"{statistics.median(costs[True]):.3f}", "1", "", ""],
        ]
        return [
            "## Bulk without privileges",
            f"4 GB over {MANY_BULK} connections. The kernel grants a user so many pages of pipes (fs.pipe-user-pages-soft); root has all it wants.",
            tables.table(["", "CPU s per GB", "to root", "target", "pipes refused"], rows)]


def verdict(ratio, target):
    return f"at most {target:.2f}: " + ("reached" if ratio <= target else "missed")


def report(ddirect_bin, folder, toolbox, arguments, note):
    parts = ["# How flows share D-Direct's data plane"]
    try:
        Sharing(ddirect_bin, folder, toolbox, arguments, note).run(parts)
    except tools.Failure as failure:
        parts += [f"Not measured: {failure}"]
    return "\n\n".join(parts)
