"""Measures how soon a few names that resolve are found among many that nobody answers for, when D-Direct's data plane starts.

Called by compare.py. The name server is the benchmark's own (harness/name_server.py): it answers for 20 names and is silent about 10,000.
"""

import contextlib
import json
import pathlib
import selectors
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time

from harness import ddirect, ddirect_api, layout, machine, readiness, tables, tools

NAME_SERVER = pathlib.Path(__file__).resolve().parent / "harness/name_server.py"

SERVER = "za1"
DEAD_NAMES = 10_000
# Of these, so many have devices that call, and are so asked for before the others.
DEAD_CALLED = 1_000
TARGET_SECONDS = 2.0
# Only a fault takes so long.
PATIENCE_SECONDS = 30


class Names:
    def __init__(self, ddirect_bin, folder, toolbox, arguments, note):
        self.ddirect_bin = ddirect_bin
        self.folder = ddirect.room(ddirect_bin, folder / "names")
        self.toolbox = toolbox
        self.rounds = arguments.rounds
        self.note = note
        self.control = ddirect.ControlPlane(ddirect_bin, self.folder, layout.NAMES_API)

    def run(self, parts):
        with self.control.running(layout.PLAYERS_CORE), self.toolbox.origin(layout.LIVE_ORIGINS):
            self.create_services()
            rows = [
                self.starts("nobody calls: all 20 have an address", self.resolve, 0),
                self.starts("devices call the 20: all have carried", self.carry, 0),
                self.starts(f"devices call {DEAD_CALLED:,} of the dead as well", self.carry, DEAD_CALLED)]
        parts += report_of(rows)

    def create_services(self):
        """The live ones are spread among the dead, all of one customer: nobody's turn comes before another's."""
        self.note(f"creating {len(layout.LIVE_ORIGINS) + DEAD_NAMES:,} services")
        api = self.control.api()
        ddirect_api.create_few_services(api, SERVER, {})
        live = list(layout.LIVE_ORIGINS.items())
        for number in range(DEAD_NAMES):
            if number % (DEAD_NAMES // len(live)) == 0:
                domain, address = live[number * len(live) // DEAD_NAMES]
                self.create_service(api, f"live-{domain.split('.')[0]}", domain, int(address.rsplit(":", 1)[1]))
            self.create_service(api, f"dead-{number}", dead_domain(number), layout.ORIGIN_PORTS[0])

    def create_service(self, api, name, domain, port):
        service = ddirect_api.service(name, domain, port, SERVER)
        service["endpoint"]["host"] = f"{name}.names.test"
        api.create("services", service)

    def starts(self, what, reach, dead_called):
        """A row of the table: some cold starts, each with a name server that has heard nothing yet. `reach` returns when what is measured has come."""
        outcomes = []
        for number in range(self.rounds):
            outcomes.append(self.start(reach, dead_called))
            ready, reached, counts = outcomes[-1]
            self.note(
                f"round {number + 1}/{self.rounds} {what}: listening after {ready:.2f} s, and there {reached:.2f} s later; "
                f"of {counts['questions']:,} questions until then {counts['dropped']:,} were lost")
        reached = [outcome[1] for outcome in outcomes]
        return [
            what, f"{statistics.median(outcome[0] for outcome in outcomes):.2f}", f"{statistics.median(reached):.2f}", f"{max(reached):.2f}",
            f"max under {TARGET_SECONDS:g}: " + ("reached" if max(reached) < TARGET_SECONDS else "missed"),
            f"{statistics.median(outcome[2]['questions'] for outcome in outcomes):,.0f}",
            f"{max(outcome[2]['dropped'] for outcome in outcomes):,}"]

    def start(self, reach, dead_called):
        """Seconds until the proxy listens, and from then until what is measured has come; and what the name server saw."""
        command = ddirect.proxy_command(
            self.ddirect_bin, SERVER, self.control.channel, **layout.NAMES_PROXY, folder=self.folder, resolver=layout.NAME_SERVER)
        targets = [f"{name}={layout.NAMES_PROXY['https']}" for name in layout.LIVE_ORIGINS]
        hellos = hellos_to(map(dead_domain, range(dead_called)))
        with contextlib.ExitStack() as stack:
            # They leave before the proxy ends, which would wait for them.
            callers = stack.enter_context(contextlib.ExitStack())
            load = callers.enter_context(self.toolbox.load("idle", len(targets), *targets))
            name_server = stack.enter_context(running_name_server())
            notifications = stack.enter_context(readiness.Notifications(self.folder / "notify.sock"))
            log = stack.enter_context(open(self.folder / "proxy.log", "ab"))
            began = time.perf_counter()
            stack.enter_context(tools.process(
                command, layout.PROXY_CORE, stdout=log, stderr=log, env=notifications.environment()))
            notifications.wait_until_ready()
            ready = time.perf_counter()
            callers.enter_context(calling(hellos))
            try:
                reach(load)
            except tools.Failure as failure:
                raise tools.Failure(
                    f"{failure}, {time.perf_counter() - ready:.1f} s after the proxy listened; it counts {incidents() or 'no incidents'}") from failure
            reached = time.perf_counter()
            callers.close()
            name_server.stdin.close()
            counts = json.loads(name_server.stdout.readline())
        return ready - began, reached - ready, counts

    def carry(self, load):
        """Devices call all live services at once, and each brings its answer."""
        load.play()

    def resolve(self, load):
        """Each live name has an address, though nobody has called."""
        deadline = tools.now() + PATIENCE_SECONDS
        while (resolved := int(metric('ddirect_endpoint_names{status="resolved"}'))) < len(layout.LIVE_ORIGINS):
            if tools.now() > deadline:
                raise tools.Failure(f"{resolved} of {len(layout.LIVE_ORIGINS)} names have an address")
            time.sleep(0.02)


def metric(name):
    return ddirect_api.metrics(layout.NAMES_PROXY["admin"])[name]


def incidents():
    metrics = ddirect_api.metrics(layout.NAMES_PROXY["admin"])
    return ", ".join(
        f"{value:.0f} {name.split(chr(34))[1]}" for name, value in metrics.items() if name.startswith("ddirect_incidents_total{") and value)


def dead_domain(number):
    return f"app-{number}.dead.test"


@contextlib.contextmanager
def running_name_server():
    command = [sys.executable, NAME_SERVER, layout.NAME_SERVER, layout.ORIGIN_ADDRESS]
    with tools.process(command, layout.PLAYERS_CORE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        if child.stdout.readline() != "ready\n":
            raise tools.Failure("the name server cannot start")
        yield child


def hellos_to(names):
    """What TLS clients say first, to each of these."""
    # It reads the system's authorities, which takes longer than all hellos.
    context = ssl.create_default_context()
    hellos = []
    for name in names:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with contextlib.suppress(ssl.SSLWantReadError):
            context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
        hellos.append(outgoing.read())
    return hellos


@contextlib.contextmanager
def calling(hellos):
    """Devices of services whose names nobody answers for: each calls again when it is sent away, for as long as the context lasts."""
    if not hellos:
        yield
        return
    host, port = layout.NAMES_PROXY["https"].rsplit(":", 1)
    over = threading.Event()

    def call(selector, hello):
        device = socket.create_connection((host, int(port)))
        device.sendall(hello)
        device.setblocking(False)
        selector.register(device, selectors.EVENT_READ, hello)

    def play():
        with contextlib.suppress(OSError), selectors.DefaultSelector() as selector:
            for hello in hellos:
                call(selector, hello)
            while not over.is_set():
                for key, _ in selector.select(0.05):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    call(selector, key.data)
            for key in list(selector.get_map().values()):
                key.fileobj.close()

    devices = threading.Thread(target=play)
    devices.start()
    try:
        yield
    finally:
        over.set()
        devices.join()


def report_of(rows):
    header = ["", "start to listening s", "from then on s, p50", "max", "target", "questions until then", "lost by the name server"]
    explanation = (
        f"{len(layout.LIVE_ORIGINS) + DEAD_NAMES:,} services of one customer, each with an endpoint by a name of its own: the name server answers for "
        f"{len(layout.LIVE_ORIGINS)} of them and is silent about the others. The proxy starts cold. The time is from when it notifies READY=1, with the "
        f"whole snapshot and its listeners. With devices, which call at that moment, it is until each of the {len(layout.LIVE_ORIGINS)} services has carried a connection and "
        "brought its answer; names that are called for come before others. Without them it is until the proxy counts as many names with an address.")
    return ["## Live names among dead ones", explanation, tables.table(header, rows)]


def report(ddirect_bin, folder, toolbox, arguments, note):
    """The report in Markdown."""
    parts = ["# Names that resolve, among those that do not", machine.facts()]
    try:
        Names(ddirect_bin, folder, toolbox, arguments, note).run(parts)
    except tools.Failure as failure:
        parts.append(f"Not measured: {failure}")
    return "\n\n".join(parts)
