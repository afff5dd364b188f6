"""Measures D-Direct's control plane: how soon a change is in force everywhere, and a proxy that starts in service.

Called by compare.py; every figure is of the system's own making: what the API answers, and what a proxy notifies.
"""

import contextlib
import math
import pathlib
import statistics
import subprocess
import threading
import time

from harness import ddirect, fleet, layout, machine, processes, readiness, tables, tools

HERE = pathlib.Path(__file__).resolve().parent

CHANGES = 300
BURST = 200
BURST_CLIENTS = 4
STARTS = 20
COLD_STARTS = 5

TARGET_CHANGE_MS = 250
TARGET_START_MS = 200
TARGET_COLD_MS = 1500


class Publishing:
    def __init__(self, ddirect_bin, folder, note):
        self.ddirect_bin = ddirect_bin
        self.folder = ddirect.room(ddirect_bin, folder / "publishing")
        self.note = note
        self.control = ddirect.ControlPlane(ddirect_bin, self.folder, layout.PUBLISHING_API)

    def run(self, parts):
        """Adds to the report's parts what has been measured, as soon as it has been."""
        stub_fleet = build_stub_fleet(self.note)
        with self.control.running(layout.CONTROL_CORE) as control:
            filling = fleet.Filling(self.control, self.note)
            filling.create_servers()
            starts = []
            for services in [fleet.FEW_SERVICES, fleet.SERVICES]:
                filling.create_services(services)
                starts.append(self.starts(services, STARTS, TARGET_START_MS))
            with self.everyone_connected(stub_fleet):
                api = self.control.api()
                # Warms up connections, caches and statements.
                change_one_by_one(api, 20)
                parts += self.changes(api, control)
                parts += self.burst(api, control)
            filling.create_services(fleet.MANY_SERVICES)
            starts.append(self.starts(fleet.MANY_SERVICES, COLD_STARTS, TARGET_COLD_MS))
            parts += start_report(starts)

    # MARK: changes

    @contextlib.contextmanager
    def everyone_connected(self, stub_fleet):
        """Two proxies and the stub fleet, all with a snapshot; at the end the stubs must have the newest version too."""
        with contextlib.ExitStack() as stack:
            for name in fleet.REAL_SERVERS:
                stack.enter_context(self.proxy(name))
            stubs = stack.enter_context(fleet.stubs(stub_fleet, self.control.channel))
            yield
            received = stubs.finish()
            newest = self.control.api().ask("GET", "versions?limit=1")["items"][0]["version"]
            if received["oldestVersion"] != newest:
                raise tools.Failure(f"a stub has only version {received['oldestVersion']} of {newest}")
            self.note(f"the stubs were sent {received['differences']:,} differences")

    @contextlib.contextmanager
    def proxy(self, name):
        """Starts a proxy, and waits until it is ready; gives the seconds that it took and used, and what it said."""
        command = ddirect.proxy_command(self.ddirect_bin, name, self.control.channel, **layout.PUBLISHING_PROXIES[name])
        with readiness.Notifications(self.folder / f"{name}.sock") as notifications:
            log = open(self.folder / f"{name}.log", "ab")
            began = time.perf_counter()
            with log, tools.process(
                    command, layout.PLAYERS_CORE, stdout=log, stderr=log, env=notifications.environment()) as child:
                status = notifications.wait_until_ready()
                yield time.perf_counter() - began, processes.ProcessTree(child.pid).cpu_seconds(), status

    def changes(self, api, control):
        self.note(f"{CHANGES} changes one after the other")
        cpu = control.cpu_seconds()
        milliseconds = change_one_by_one(api, CHANGES)
        cpu = control.cpu_seconds() - cpu
        self.note(f"applied by all after {statistics.median(milliseconds):.0f} ms")
        header = ["", "p50 ms", "p99 ms", "max ms", "target", "CPU ms per change"]
        row = [
            f"{CHANGES} changes", *percentiles(milliseconds), f"p99 {verdict(percentile(99, milliseconds), TARGET_CHANGE_MS)}",
            f"{cpu / CHANGES * 1000:.1f}"]
        explanation = (
            f"{fleet.SERVERS} connected servers ({len(fleet.REAL_SERVERS)} are ddirect-proxy and carry everything, the others stubs "
            f"with some hundred services each), {fleet.SERVICES:,} services. `PATCH /services/NAME?wait=applied` gives a service that "
            f"all {fleet.SERVERS} carry another endpoint, one request after the other; the time is from the request to the answer "
            "that all have applied it. CPU is the control plane's.")
        return ["## A change, from the request to applied everywhere", explanation, tables.table(header, [row])]

    def burst(self, api, control):
        self.note(f"{BURST} changes at once")
        cpu = control.cpu_seconds()
        answered, applied = change_at_once(self.control, api)
        cpu = control.cpu_seconds() - cpu
        header = ["", "all answered after s", "changes/s", "all applied after s", "CPU ms per change"]
        row = [
            f"{BURST} changes", f"{answered:.2f}", f"{BURST / answered:.0f}", f"{applied:.2f}", f"{cpu / BURST * 1000:.1f}"]
        explanation = (
            f"{BURST_CLIENTS} clients change {BURST} services, each its next as soon as the last is answered, without waiting for "
            f"servers. Then one more change waits until all {fleet.SERVERS} servers have it, and so everything before it.")
        return ["## Many changes at once", explanation, tables.table(header, [row])]

    # MARK: starts

    def starts(self, services, times, target):
        """A row of the table: how long a proxy takes from its start until it is ready."""
        self.note(f"{times} starts with {services:,} services")
        milliseconds, cpu = [], []
        for _ in range(times):
            with self.proxy(fleet.REAL_SERVERS[0]) as (seconds, cpu_seconds, status):
                if f" {services} services" not in status:
                    raise tools.Failure(f"the proxy is ready with '{status}'; expected {services} services")
                milliseconds.append(seconds * 1000)
                cpu.append(cpu_seconds * 1000)
        self.note(f"ready after {statistics.median(milliseconds):.0f} ms")
        return [
            f"{services:,} services, {times} starts", *percentiles(milliseconds, 50),
            f"p50 {verdict(statistics.median(milliseconds), target)}", f"{statistics.median(cpu):,.0f}"]


def start_report(rows):
    return [
        "## A start, until the proxy is in service",
        "From the start of ddirect-proxy's process until it notifies READY=1: it has connected, got its whole snapshot over the "
        "channel, checked it, given it to its worker, and listens. The status that it notifies tells the number of services. CPU is the proxy's, the median.",
        tables.table(["", "p50 ms", "max ms", "target", "CPU ms"], rows),
    ]


def verdict(milliseconds, target):
    return f"under {target:,}: " + ("reached" if milliseconds < target else "missed")


def percentile(rank, values):
    return sorted(values)[math.ceil(rank / 100 * len(values)) - 1]


def percentiles(milliseconds, *ranks):
    return [f"{percentile(rank, milliseconds):,.1f}" for rank in [*(ranks or (50, 99)), 100]]


def change_one_by_one(api, count):
    """Changes services that everyone carries, and returns how many milliseconds each took until everyone had it."""
    milliseconds = []
    for number in range(count):
        name = fleet.service_name(number % fleet.CARRIED_BY_ALL)
        patch = fleet.new_endpoint()
        began = time.perf_counter()
        answer = api.ask("PATCH", f"services/{name}?wait=applied&timeout=60", patch)
        milliseconds.append((time.perf_counter() - began) * 1000)
        check_applied(answer)
    return milliseconds


def check_applied(answer):
    applied = answer["applied"]
    done = [server for server in applied["servers"] if server["state"] == "applied" and server["version"] >= applied["version"]]
    if not applied["complete"] or len(done) != fleet.SERVERS:
        raise tools.Failure(f"version {applied['version']} was applied by {len(done)} servers; expected {fleet.SERVERS}")


def change_at_once(control, api):
    """Seconds until all changes were answered, and until all servers had the last."""
    failures = []

    def change(client):
        try:
            own = control.api()
            for number in range(client, BURST, BURST_CLIENTS):
                own.ask("PATCH", f"services/{fleet.service_name(fleet.CARRIED_BY_ALL + number)}", fleet.new_endpoint())
        except tools.Failure as failure:
            failures.append(failure)

    clients = [threading.Thread(target=change, args=[client]) for client in range(BURST_CLIENTS)]
    began = time.perf_counter()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    answered = time.perf_counter() - began
    if failures:
        raise failures[0]
    change_one_by_one(api, 1)
    return answered, time.perf_counter() - began


def build_stub_fleet(note):
    package = HERE / "StubFleet"
    note("building the stub fleet")
    command = ["swift", "build", "--configuration", "release", "--package-path", package]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode:
        raise tools.Failure(f"the stub fleet cannot be built: {(built.stdout + built.stderr)[-1000:]}")
    return package / ".build/release/stub-fleet"


def report(ddirect_bin, folder, note):
    """The report in Markdown."""
    parts = []
    try:
        Publishing(ddirect_bin, folder, note).run(parts)
    except tools.Failure as failure:
        parts.append(f"Not measured, and nothing after it: {failure}")
    facts = machine.facts()
    return "\n\n".join(["# D-Direct's control plane", facts, *parts])
