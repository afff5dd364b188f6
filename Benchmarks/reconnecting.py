"""Measures how soon a large fleet is back after a restart of D-Direct's control plane: 500 sessions over TCP, each in TLS of its own.

Called by compare.py. The data planes are played by one process, the end-to-end tests' channel_peer.py, which connects again as the real one does: at a random
moment within a pause that doubles up to five seconds.
"""

import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import time
import urllib.request

from harness import ddirect, layout, machine, tables, tools

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE / "../Tests/EndToEnd/Harness/channel_peer.py"

SESSIONS = 500
RESTARTS = 5
# Long enough for all to try often, and to pause for as long as they ever do.
AWAY_SECONDS = 8
# The longest pause between two attempts is five seconds of it.
TARGET_SECONDS = 10
# Only a fault takes so long.
PATIENCE_SECONDS = 120


class Reconnecting:
    def __init__(self, ddirect_bin, folder, note):
        self.folder = ddirect.room(ddirect_bin, folder / "reconnecting")
        self.note = note
        self.authority = self.folder / "authority.pem"
        self.control = ddirect.ControlPlane(
            ddirect_bin, self.folder, layout.RECONNECTING_API,
            ["--channel", f"tcp:{layout.RECONNECTING_CHANNEL}", "--channel-authority", self.authority])

    def run(self, parts):
        self.note(f"{SESSIONS} sessions, {RESTARTS} restarts of the control plane")
        with contextlib.ExitStack() as stack:
            with self.control.running(layout.CONTROL_CORE):
                peers = stack.enter_context(self.peers(self.tokens()))
                self.await_word(peers, "ready")
                self.await_all(None)
            outcomes = [self.restart() for _ in range(RESTARTS)]
        parts += report_of(outcomes)

    def tokens(self):
        """The file with each server's name and its token."""
        api = self.control.api()
        # Nobody plays the monitor endpoints, and a fleet that is dead costs more probes than one that is well.
        api.ask("PATCH", "settings", {"monitoring": {"intervalSeconds": 3600, "timeoutSeconds": 1}})
        lines = []
        for number in range(SESSIONS):
            name = f"storm-{number}"
            api.create("servers", {
                "name": name, "region": "af-south-1", "hostname": f"{name}.bench.test",
                "addresses": [f"127.0.{2 + number // 250}.{number % 250 + 1}"],
            })
            lines.append(f"{name} {api.ask('POST', f'servers/{name}/enroll', {'validForSeconds': 3600})['token']}\n")
        path = self.folder / "tokens"
        path.write_text("".join(lines))
        return path

    def peers(self, tokens):
        command = [
            sys.executable, PEERS, layout.RECONNECTING_CHANNEL, "--authority", self.authority, "--into", self.folder / "identities",
            f"storm={tokens}"]
        return tools.process(
            command, layout.PLAYERS_CORE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def await_word(self, peers, word):
        for line in peers.stdout:
            if json.loads(line)["event"] == word:
                return
        raise tools.Failure("the data planes ended")

    def await_all(self, process):
        """Waits until all have a session; gives the seconds since now that it took, and those of its processor."""
        began = time.perf_counter()
        while (connected := self.connected()) < SESSIONS:
            if time.perf_counter() - began > PATIENCE_SECONDS:
                raise tools.Failure(f"{connected} of {SESSIONS} sessions are there after {PATIENCE_SECONDS} s")
            time.sleep(0.1)
        return time.perf_counter() - began, process.cpu_seconds() if process else 0

    def connected(self):
        """How many servers have a session, by the control plane's metrics."""
        token = self.control.token_file.read_text().strip()
        request = urllib.request.Request(
            f"http://{layout.RECONNECTING_API}/metrics", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith("ddirect_control_servers_connected "):
                    return int(line.split()[1])
        raise tools.Failure("the control plane does not say how many servers are connected")

    def restart(self):
        time.sleep(AWAY_SECONDS)
        with self.control.running(layout.CONTROL_CORE) as process:
            seconds, cpu_seconds = self.await_all(process)
            memory = process.anonymous_bytes()
            self.note(f"all are back after {seconds:.1f} s")
            # Sessions that hold are tried again at once, those that have just begun after a pause.
            time.sleep(1)
            return seconds, cpu_seconds, memory


def report_of(outcomes):
    seconds, cpu_seconds, memory = (list(column) for column in zip(*outcomes))
    verdict = "reached" if max(seconds) < TARGET_SECONDS else "missed"
    row = [
        f"{RESTARTS} restarts", f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}", f"max under {TARGET_SECONDS}: {verdict}",
        f"{statistics.median(cpu_seconds) / SESSIONS * 1000:.1f}", f"{max(memory) / (1 << 20):,.0f}"]
    explanation = (
        f"{SESSIONS} data planes, each with a certificate of its own, have been without a control plane for {AWAY_SECONDS} s. The time is from "
        "when the API answers again until each has its session; they try at random moments, up to 5 s apart. CPU is the control plane's, from its "
        "start on; the memory what it has then.")
    return [
        "## All data planes at once, after a restart of the control plane", explanation,
        tables.table(["", "p50 s", "max s", "target", "CPU ms per session", "MB"], [row])]


def report(ddirect_bin, folder, note):
    """The report in Markdown."""
    parts = []
    try:
        Reconnecting(ddirect_bin, folder, note).run(parts)
    except tools.Failure as failure:
        parts.append(f"Not measured: {failure}")
    facts = machine.facts()
    return "\n\n".join(["# D-Direct's control plane, and who comes back to it", facts, *parts])
