"""Measures whether D-Direct's probes are answered while strangers flood a server with hellos for its own name.

Called by compare.py. What the fleet says of the server is asked of the control plane, as an operator would.
"""

import contextlib
import datetime
import json
import threading
import time
import urllib.request

from harness import ddirect, ddirect_api, layout, machine, processes, tables, tools

SERVER = "za1"
# Another place that probes are made from, as a fleet has.
VANTAGE = "ie1"
REGIONS = {SERVER: "af-south-1", VANTAGE: "eu-west-1"}

OFFERED = 20_000
ADDRESSES = {"one address": 1, "4,096 addresses": 4096}
FLOOD_SECONDS = 30
# Devices' connections, by the second: enough to be missed, and no load.
HEALTHY_RATE = 200
# Within this time a fleet that is well has answered from everywhere.
PATIENCE_SECONDS = 60


class Strangers:
    def __init__(self, ddirect_bin, folder, toolbox, note):
        self.ddirect_bin = ddirect_bin
        self.folder = ddirect.room(ddirect_bin, folder / "strangers")
        self.toolbox = toolbox
        self.note = note
        self.control = ddirect.ControlPlane(ddirect_bin, self.folder, layout.STRANGERS_API)

    def run(self, parts):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.control.running(layout.PLAYERS_CORE))
            stack.enter_context(self.toolbox.origin(layout.ORIGINS))
            self.create_fleet()
            self.process = stack.enter_context(self.proxy(SERVER, layout.PROXY_CORE))
            stack.enter_context(self.proxy(VANTAGE, layout.PLAYERS_CORE))
            self.await_health()
            rows = [self.without_strangers()]
            for what, addresses in ADDRESSES.items():
                rows.append(self.flood(what, addresses))
                self.await_health()
        parts += report_of(rows)

    def create_fleet(self):
        """Limits, intervals and thresholds are the defaults: they are what is measured. Only the devices, which all have one address, may do as many do."""
        api = self.control.api()
        api.create("customers", {"name": "bench"})
        # Probes every second, so that there are some to count.
        api.ask("PATCH", "settings", {"monitoring": {"intervalSeconds": 1, "timeoutSeconds": 1}})
        for name, region in REGIONS.items():
            places = layout.STRANGERS_PROXIES[name]
            http, https = (places[kind].rsplit(":", 1) for kind in ("http", "https"))
            api.create("servers", {
                "name": name, "region": region, "hostname": hostname(name), "addresses": [http[0]],
                "monitoring": {"httpPort": int(http[1]), "httpsPort": int(https[1])},
            })
        for domain, address in layout.ORIGINS.items():
            api.create("services", ddirect_api.service(
                f"bench-{domain.split('.')[0]}", domain, int(address.rsplit(":", 1)[1]), SERVER))

    @contextlib.contextmanager
    def proxy(self, name, core):
        places = layout.STRANGERS_PROXIES[name]
        command = ddirect.proxy_command(self.ddirect_bin, name, self.control.channel, **places, folder=self.folder)
        with tools.daemon(command, core, self.folder / f"{name}.log", lambda: ddirect_api.is_ready(places["admin"])) as child:
            yield processes.ProcessTree(child.pid)

    def await_health(self):
        """Waits until the server is healthy, and each vantage has had an answer a moment ago."""
        api = self.control.api()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            standing = standing_of(api)
            # The machine has heard of the server only when its first probes are planned.
            outcomes = [vantage["outcome"] for vantage in standing["vantages"]] if standing else []
            if standing and standing["state"] == "healthy" and outcomes == ["answered"] * len(REGIONS):
                return
            if time.monotonic() > deadline:
                raise tools.Failure(f"{SERVER} is not healthy within {PATIENCE_SECONDS} s: {json.dumps(standing)}")
            time.sleep(0.2)

    # MARK: rows

    def without_strangers(self):
        self.note("probes without strangers")
        with Watch(self.control) as watch, self.devices(FLOOD_SECONDS / 3) as load:
            before = self.counted()
            healthy = load.play()
            return self.row("nobody", watch, healthy, None, before, self.counted())

    def flood(self, what, addresses):
        self.note(f"strangers from {what}, {OFFERED:,} hellos a second")
        target = f"{hostname(SERVER)}={layout.STRANGERS_PROXIES[SERVER]['https']}"
        with self.toolbox.load("flood", OFFERED, FLOOD_SECONDS, addresses, target) as strangers:
            # The devices are there for as long as the strangers, and a little longer.
            with Watch(self.control) as watch, self.devices(FLOOD_SECONDS + 1) as load:
                before = self.counted()
                load.start()
                flooded = strangers.play()
                after = self.counted()
                watch.end()
                healthy = load.read_figures()
        self.note(f"strangers: {json.dumps(flooded)}")
        return self.row(what, watch, healthy, flooded, before, after)

    def counted(self):
        """What the proxy has counted so far: connections accepted, tokens of probes taken; and its processor seconds, and the time."""
        metrics = ddirect_api.metrics(layout.STRANGERS_PROXIES[SERVER]["admin"])
        accepted = sum(value for name, value in metrics.items() if name.startswith("ddirect_worker_accepted_total{"))
        return accepted, metrics['ddirect_monitor_proofs_total{outcome="taken"}'], self.process.cpu_seconds(), tools.now()

    @contextlib.contextmanager
    def devices(self, seconds):
        targets = [f"{name}={layout.STRANGERS_PROXIES[SERVER]['https']}" for name in layout.NAMES]
        with self.toolbox.load("steady", HEALTHY_RATE, seconds, *targets) as load:
            yield load

    def row(self, what, watch, healthy, flooded, before, after):
        watch.end()
        answered, others = watch.counts()
        made = answered + sum(others.values())
        changes = watch.changes()
        accepted, proofs, cpu, seconds = (now - then for now, then in zip(after, before))
        self.note(
            f"strangers from {what}: {made} probes, {answered} answered, others {others or 'none'}, {proofs:.0f} tokens taken (two a probe); "
            f"events {changes or 'none'}; devices' connections p50 {healthy['p50Microseconds'] / 1e3:.1f} ms, "
            f"max {healthy['longestMicroseconds'] / 1e3:.0f} ms")
        verdict = "reached" if made and answered == made and not changes else "missed"
        offered, said = (f"{flooded[count] / flooded['seconds']:,.0f}" if flooded else "" for count in ("opened", "said"))
        return [
            what, offered, said, f"{accepted / seconds:,.0f}", f"{made}", f"{answered}", f"{others.get('missed', 0)}",
            f"{others.get('unanswered', 0)}", f"{len(changes)}", f"all answered, no change: {verdict}",
            f"{cpu / seconds * 100:.0f}", f"{healthy['p50Microseconds'] / 1e3:,.1f}", f"{healthy['p99Microseconds'] / 1e3:,.1f}"]


class Watch:
    """Looks at the server all the time, as the control plane sees it: each round of each vantage, and whatever is told of it."""

    # Rounds of a vantage are a second apart; the time that is told of one may differ by a little from look to look.
    SAME_ROUND = 0.3

    def __init__(self, control):
        self.control = control
        self.rounds = {}
        self.states = []
        self.failure = None
        self.over = threading.Event()

    def __enter__(self):
        self.last_event = self.events(None)[-1][0]
        api = self.control.api()
        # What was there before does not count.
        self.seen = {vantage["vantage"]: when(vantage["at"]) for vantage in standing_of(api)["vantages"]}
        self.thread = threading.Thread(target=self.look, args=[api])
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """Looks no more, and fails with what went wrong."""
        if self.over.is_set():
            return
        self.over.set()
        self.thread.join()
        if self.failure:
            raise self.failure
        self.kinds = [kind for _, kind, about in self.events(self.last_event) if about == SERVER]

    def look(self, api):
        try:
            while not self.over.is_set():
                standing = standing_of(api)
                if not self.states or self.states[-1] != standing["state"]:
                    self.states.append(standing["state"])
                for vantage in standing["vantages"]:
                    self.take(vantage["vantage"], when(vantage["at"]), vantage["outcome"])
                self.over.wait(0.1)
        except tools.Failure as failure:
            self.failure = failure

    def take(self, vantage, at, outcome):
        if at - self.seen.get(vantage, 0) > self.SAME_ROUND:
            self.rounds.setdefault(vantage, []).append(outcome)
            self.seen[vantage] = at

    def counts(self):
        """Rounds that were answered, and the others by their outcome."""
        if sorted(self.rounds) != sorted(["control", VANTAGE]):
            raise tools.Failure(f"probes were made from {', '.join(self.rounds) or 'nowhere'}; expected control and {VANTAGE}")
        outcomes = [outcome for rounds in self.rounds.values() for outcome in rounds]
        others = {outcome: outcomes.count(outcome) for outcome in set(outcomes) - {"answered"}}
        return outcomes.count("answered"), others

    def changes(self):
        """What was told of the server meanwhile, and the states that it had beside `healthy`."""
        return self.kinds + [state for state in self.states if state != "healthy"]

    def events(self, after):
        """The events since that one: its number, its kind, and the server that it is about."""
        path = f"http://{self.control.api_address}/api/v1/events?follow=false" + (f"&after={after}" if after else "")
        token = self.control.token_file.read_text().strip()
        request = urllib.request.Request(path, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read().decode()
        events = []
        for block in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "id" in fields:
                about = json.loads(fields["data"]).get("server") if "data" in fields else None
                events.append((fields["id"], fields.get("event", ""), about))
        return events


def hostname(server):
    return f"{server}.bench.test"


def standing_of(api):
    return next((server for server in api.ask("GET", "failover")["servers"] if server["server"] == SERVER), None)


def when(text):
    """Seconds since 1970 of a time as the API writes it."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def report_of(rows):
    header = [
        "strangers from", "hellos/s offered", "said", "accepted/s", "probes", "answered", "missed", "unanswered", "changes of state", "target",
        "CPU % of the proxy", "devices' p50 ms", "p99 ms"]
    explanation = (
        f"{FLOOD_SECONDS} s of strangers who greet a server by its own name, {OFFERED:,} a second wanted; offered is how many came, said how many hellos left, "
        "accepted what the proxy's workers took of them and of the devices. Meanwhile the control plane and a data plane of another region probe the server, each every second, at both "
        f"ports within 1 s; and devices make {HEALTHY_RATE} connections a second. A probe that had no answer although connections were taken is told as unanswered. "
        "Changes of state are the fleet's events about the server. Limits are the defaults; the proxy has one worker and a core to itself.")
    return ["## Probes among strangers", explanation, tables.table(header, rows)]


def report(ddirect_bin, folder, toolbox, note):
    """The report in Markdown."""
    parts = ["# Strangers at the monitor endpoint", machine.facts()]
    try:
        Strangers(ddirect_bin, folder, toolbox, note).run(parts)
    except tools.Failure as failure:
        parts.append(f"Not measured: {failure}")
    return "\n\n".join(parts)
