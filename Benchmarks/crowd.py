"""Measures a crowd of idle flows in D-Direct's data plane: what each costs, and how long the others wait while a snapshot is applied.

Called by compare.py.
"""

import contextlib
import os
import statistics
import subprocess
import time

from harness import ddirect, ddirect_api, layout, machine, processes, tables, tools

SERVER = "za1"

FLOWS = 100_000
WORKERS = 2
# A client address has some 28,000 ports.
NAMESPACES = 4
CHANGES = 20
# For so long from a change on the pulse is looked at, and then for as long without one.
WINDOW_SECONDS = 0.5
# Until everything is in full flow.
SETTLE_SECONDS = 2
TARGET_PAUSE_MS = 5.0
# Messages go over so many connections in turn. They come at once and are many, so that each worker has its part; otherwise they come again.
PULSES = 400
LEAST_PART = 0.1
ATTEMPTS = 20


class Crowd:
    def __init__(self, ddirect_bin, folder, toolbox, note):
        self.ddirect_bin = ddirect_bin
        self.folder = ddirect.room(ddirect_bin, folder / "crowd")
        self.toolbox = toolbox
        self.note = note
        self.control = ddirect.ControlPlane(ddirect_bin, self.folder, layout.CROWD["api"])

    def run(self, parts):
        with contextlib.ExitStack() as stack:
            descriptors = stack.enter_context(machine.descriptors_for(FLOWS + PULSES))
            flows = (descriptors - PULSES) // NAMESPACES * NAMESPACES
            places = stack.enter_context(client_places())
            # The control plane of a server of the field is on another machine: it gives way to who is measured.
            stack.enter_context(self.control.running(layout.PLAYERS_CORE, gives_way=True))
            api = self.control.api()
            ddirect_api.create_services(api, SERVER, self.note)
            for domain, address in (layout.CROWD_ORIGINS | layout.SMALL_ORIGIN).items():
                api.create("services", ddirect_api.service(
                    service_name(domain), domain, int(address.rsplit(":", 1)[1]), SERVER))
            stack.enter_context(self.toolbox.origin(layout.CROWD_ORIGINS))
            stack.enter_context(self.toolbox.origin(layout.SMALL_ORIGIN, goes_first=True))
            proxy = stack.enter_context(self.proxy(places, flows))
            parts += self.memory(stack, places, proxy, flows)
            parts += self.pauses(stack, places, api, flows)

    @contextlib.contextmanager
    def proxy(self, places, flows):
        command = ddirect.proxy_command(
            self.ddirect_bin, SERVER, self.control.channel, http=layout.CROWD["http"], https=[place.address for place in places],
            admin=layout.CROWD["admin"], workers=WORKERS, folder=self.folder, flows=flows + PULSES)
        ready = lambda: ddirect_api.is_ready(layout.CROWD["admin"])
        with tools.daemon(command, "0,1", self.folder / "proxy.log", ready) as child:
            yield processes.ProcessTree(child.pid)

    # MARK: memory

    def memory(self, stack, places, proxy, flows):
        """Opens the crowd, which stays until the stack ends."""
        targets = [[f"{name}={place.address}" for name in layout.CROWD_ORIGINS] for place in places]
        with self.toolbox.load("short", 64, 0.3, *targets[0], inside=places[0].inside) as load:
            load.play()
        self.note(f"opening {flows:,} flows")
        before, began = proxy.anonymous_bytes(), tools.now()
        for place, names in zip(places, targets):
            load = stack.enter_context(self.toolbox.load("idle", flows // NAMESPACES, *names, inside=place.inside))
            load.play()
        seconds = tools.now() - began
        open_flows = flows_by_worker()
        if sum(open_flows) != flows:
            raise tools.Failure(f"the proxy has {sum(open_flows):,.0f} flows open; expected {flows:,}")
        grown = proxy.anonymous_bytes() - before
        self.note(f"{flows:,} flows in {seconds:.1f} s, {grown / flows:,.0f} bytes each; by worker {open_flows}")
        fewer = "" if flows == FLOWS else (
            f" Not {FLOWS:,}: a process may have only {machine.descriptor_limit():,} descriptors here, of which a flow takes two.")
        where = "network namespaces, each with an address of its own" if places[0].inside else "places of the loopback interface"
        return [
            "## Memory of idle flows",
            f"{flows:,} flows from {NAMESPACES} {where}, answered once and then silent, through one ddirect-proxy with {WORKERS} workers and {ddirect_api.SERVICES:,} services: "
            f"growth of its Pss_Anon + Pss_Shmem.{fewer} The kernel's memory for sockets is not in it.",
            tables.table(
                ["flows", "bytes per flow", "MB in all", "opened in s", "by worker"],
                [[f"{flows:,}", f"{grown / flows:,.0f}", f"{grown / 1e6:,.1f}", f"{seconds:.1f}", " and ".join(f"{count:,}" for count in open_flows)]])]

    # MARK: pauses

    def pauses(self, stack, places, api, flows):
        """How long a small message waits while a snapshot is applied, and otherwise."""
        seconds = SETTLE_SECONDS + CHANGES * 2 * WINDOW_SECONDS + 1
        load, spread = self.pulse(stack, places, seconds)
        self.note(f"{CHANGES} changes beside {flows:,} idle flows; the pulse has {' and '.join(map(str, spread))} connections by worker")
        flows_before = flows_by_worker()
        load.start()
        time.sleep(SETTLE_SECONDS)
        moments, applied = [], []
        for number in range(CHANGES):
            moment = tools.now()
            self.change(api, number)
            applied.append(tools.now() - moment)
            if applied[-1] > WINDOW_SECONDS:
                raise tools.Failure(f"a change was applied only after {applied[-1]:.2f} s; expected {WINDOW_SECONDS} s at most")
            moments.append(moment)
            time.sleep(max(0, moment + 2 * WINDOW_SECONDS - tools.now()))
        pulse = load.read_figures()
        if flows_by_worker() != flows_before:
            raise tools.Failure(f"there are {flows_by_worker()} flows after the changes, and there were {flows_before}: a change has cut some")
        within = [longest(pulse, moment, moment + WINDOW_SECONDS) for moment in moments]
        without = [longest(pulse, moment + WINDOW_SECONDS, moment + 2 * WINDOW_SECONDS) for moment in moments]
        self.note(f"longest with a change, one after the other: {' '.join(f'{pause:.1f}' for pause in within)} ms")
        self.note(f"longest without, after each of them: {' '.join(f'{pause:.1f}' for pause in without)} ms")
        rows = [
            ["with a change", f"{statistics.median(within):.2f}", f"{max(within):.2f}",
             f"at most {TARGET_PAUSE_MS:g}: " + ("reached" if max(within) <= TARGET_PAUSE_MS else "missed")],
            ["without", f"{statistics.median(without):.2f}", f"{max(without):.2f}", ""]]
        return [
            "## A snapshot applied beside idle flows",
            f"A message of 64 bytes every quarter of a millisecond, over {PULSES} connections in turn ({' and '.join(map(str, spread))} by worker), beside {flows:,} idle "
            f"flows. {CHANGES} changes: cutovers of services with flows and of others in turn, and a new service. Of each the longest way of a message in the "
            f"{WINDOW_SECONDS:g} s from its request on, and in the {WINDOW_SECONDS:g} s after those, without a change. The proxy has applied it "
            f"{statistics.median(applied) * 1000:.0f} ms after its request (median; {max(applied) * 1000:.0f} ms at most). Of all messages the median took "
            f"{pulse['p50Microseconds']:,.0f} µs and the p99 {pulse['p99Microseconds']:,.0f} µs. Whoever plays the message goes first on "
            "its core (SCHED_FIFO, where we are root) and the control plane gives way, so that what is measured is the proxy's part.",
            tables.table([f"{CHANGES} times", "longest ms, p50", "longest ms, max", "target"], rows)]

    def pulse(self, stack, places, seconds):
        """The load that plays the messages, and how many of its connections each worker has."""
        targets = [f"{name}={places[0].address}" for name in layout.SMALL_ORIGIN]
        for _ in range(ATTEMPTS):
            before = flows_by_worker()
            with contextlib.ExitStack() as attempt:
                load = attempt.enter_context(
                    self.toolbox.load("pulse", PULSES, seconds, *targets, inside=places[0].inside, goes_first=True))
                spread = [now - then for now, then in zip(flows_by_worker(), before)]
                if min(spread) >= PULSES * LEAST_PART:
                    stack.push(attempt.pop_all())
                    return load, spread
        raise tools.Failure(f"of {PULSES} connections that came at once the workers had {spread}, and no better in {ATTEMPTS} attempts")

    def change(self, api, number):
        """Cutovers of services that have flows and of others in turn; the last change is a new service."""
        if number == CHANGES - 1:
            answer = api.ask(
                "POST", "services?wait=applied&timeout=10",
                ddirect_api.service("latecomer", "latecomer.bench.test", layout.ORIGIN_PORTS[0], SERVER))
        else:
            crowd = list(layout.CROWD_ORIGINS)
            name = service_name(crowd[number // 2 % len(crowd)]) if number % 2 == 0 else f"filler-{number}"
            answer = api.ask("PATCH", f"services/{name}?wait=applied&timeout=10", {"endpoint": {"host": f"127.3.0.{number + 1}"}})
        if not answer["applied"]["complete"]:
            raise tools.Failure(f"a change was not applied: {answer['applied']}")


class Place:
    """Where clients are: the proxy's address as they see it, and the command that runs another one there."""

    def __init__(self, address, inside=()):
        self.address = address
        self.inside = list(inside)


@contextlib.contextmanager
def client_places():
    """Network namespaces, each joined to ours by a pair of Ethernet devices; or, where we may not, addresses of the loopback interface."""
    if os.geteuid() != 0:
        yield [Place(f"127.0.0.{21 + number}:{layout.CROWD_HTTPS_PORT}") for number in range(NAMESPACES)]
        return
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(namespace(number)) for number in range(NAMESPACES)]


@contextlib.contextmanager
def namespace(number):
    # A device's name has at most 15 characters.
    name = f"ddb{os.getpid()}-{number}"
    # Of 198.18.0.0/15, which is for benchmarks (RFC 2544).
    ours, theirs = f"198.18.{number}.1", f"198.18.{number}.2"
    ip("netns", "add", name)
    try:
        ip("link", "add", f"{name}o", "type", "veth", "peer", "name", f"{name}t", "netns", name)
        ip("address", "add", f"{ours}/30", "dev", f"{name}o")
        ip("link", "set", f"{name}o", "up")
        ip("-n", name, "address", "add", f"{theirs}/30", "dev", f"{name}t")
        ip("-n", name, "link", "set", f"{name}t", "up")
        yield Place(f"{ours}:{layout.CROWD_HTTPS_PORT}", ["ip", "netns", "exec", name])
    finally:
        # The devices go with the namespace, but later; and another may want their address at once.
        subprocess.run(["ip", "link", "del", f"{name}o"], stderr=subprocess.DEVNULL)
        ip("netns", "del", name)


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise tools.Failure(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def service_name(domain):
    return f"bench-{domain.split('.')[0]}"


def flows_by_worker():
    metrics = ddirect_api.metrics(layout.CROWD["admin"])
    return [int(value) for name, value in sorted(metrics.items()) if name.startswith("ddirect_worker_flows_open{")]


def longest(pulse, begin, end):
    """The longest way, in milliseconds, of a message that was under way in this time."""
    first = max(0, int((begin - pulse["start"]) / pulse["slotSeconds"]))
    last = int((end - pulse["start"]) / pulse["slotSeconds"])
    ways = pulse["longestMicroseconds"][first:last]
    if not ways or not any(ways):
        raise tools.Failure("no message came back during a change")
    return max(ways) / 1000


def report(ddirect_bin, folder, toolbox, note):
    """The report in Markdown."""
    parts = ["# A crowd of idle flows", machine.facts()]
    try:
        Crowd(ddirect_bin, folder, toolbox, note).run(parts)
    except tools.Failure as failure:
        parts.append(f"Not measured, and nothing after it: {failure}")
    return "\n\n".join(parts)
