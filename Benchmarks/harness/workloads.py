"""The workloads: what is played, and which figures come of it.

Each has a `cost`: the figure by which proxies are compared, less being better. Others are told beside it.
"""

from . import machine, tools


class Figure:
    """A column of a table."""

    def __init__(self, title, form):
        self.title = title
        self.form = form

    def show(self, value):
        return format(value, self.form)


class Workload:
    def __init__(self, seconds):
        self.seconds = seconds

    def figures(self):
        return [self.cost, *self.others]

    def show(self, outcome):
        """One measurement in one line: its figures, or why there are none."""
        if isinstance(outcome, tools.Failure):
            return str(outcome)
        return ", ".join(f"{figure.show(value)} {figure.title}" for figure, value in zip(self.figures(), outcome))

    def warm_up(self, toolbox, targets):
        """Lets the proxy fill its pools and caches before anything is measured."""
        with toolbox.load("short", 64, 0.3, *targets) as load:
            load.play()


def play_and_take_cpu(load, process):
    """The load's figures, and the processor seconds that the proxy spent meanwhile."""
    before = process.cpu_seconds()
    played = load.play()
    return played, process.cpu_seconds() - before


class Short(Workload):
    title = "Short connections"
    explanation = "ClientHello, 1 KB back, closed by the origin; 64 at a time, three names."
    cost = Figure("CPU µs per connection", ".1f")
    others = [Figure("connections/s", ",.0f")]

    def measure(self, toolbox, targets, process):
        with toolbox.load("short", 64, self.seconds, *targets) as load:
            played, cpu = play_and_take_cpu(load, process)
        return [cpu / played["connections"] * 1e6, played["connections"] / played["seconds"]]


class PingPong(Workload):
    title = "Round trips on long connections"
    explanation = "64 bytes to and fro, one message under way on each of 50 connections."
    cost = Figure("CPU µs per round trip", ".2f")
    others = [Figure("p50 µs", ",.0f"), Figure("p99 µs", ",.0f"), Figure("round trips/s", ",.0f")]

    def measure(self, toolbox, targets, process):
        with toolbox.load("pingpong", 50, self.seconds, *targets) as load:
            played, cpu = play_and_take_cpu(load, process)
        return [
            cpu / played["roundTrips"] * 1e6,
            played["p50Microseconds"],
            played["p99Microseconds"],
            played["roundTrips"] / played["seconds"],
        ]


class Bulk(Workload):
    title = "Bulk"
    explanation = "2 GB (10⁹ bytes each) from the origins, over 4 connections."
    cost = Figure("CPU s per GB", ".3f")
    others = [Figure("GB/s", ".2f")]

    def measure(self, toolbox, targets, process):
        with toolbox.load("bulk", 4, int(2e9), *targets) as load:
            played, cpu = play_and_take_cpu(load, process)
        return [cpu / played["bytes"] * 1e9, played["bytes"] / played["seconds"] / 1e9]


class Idle(Workload):
    title = "Idle connections"
    cost = Figure("KB per connection", ".2f")
    others = []

    @property
    def explanation(self):
        count = machine.idle_connections()
        reason = "" if count == machine.WANTED_IDLE_CONNECTIONS else (
            f" (not {machine.WANTED_IDLE_CONNECTIONS:,}, since a process may have only "
            f"{machine.descriptor_limit():,} descriptors here)")
        return (f"{count:,} connections{reason} that were answered once: growth of the proxy's Pss_Anon + Pss_Shmem. "
                "KB are 1,024 bytes; the kernel's own memory for sockets is not in it.")

    def measure(self, toolbox, targets, process):
        connections = machine.idle_connections()
        before = process.anonymous_bytes()
        with toolbox.load("idle", connections, *targets) as load:
            load.play()
            grown = process.anonymous_bytes() - before
        return [grown / connections / 1024]


ALL = {"short": Short, "bulk": Bulk, "pingpong": PingPong, "idle": Idle}
