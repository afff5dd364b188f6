"""Starts and stops processes: the origin, the load, the proxies."""

import contextlib
import json
import os
import socket
import subprocess
import time

from . import layout

# Generous: nothing here takes a tenth of it unless it hangs.
START_SECONDS = 30
STOP_SECONDS = 15


class Failure(Exception):
    """A measurement that came to nothing, and why."""


def accepts(address):
    """Whether somebody listens at ADDRESS:PORT."""
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        return True
    except OSError:
        return False


def now():
    return time.monotonic()


def priority_of(gives_way, goes_first):
    """`gives_way`: to whoever else wants to run there. `goes_first`: before everybody else, which only root may."""
    if gives_way:
        return ["chrt", "--idle", "0"]
    return ["chrt", "--fifo", "1"] if goes_first and os.geteuid() == 0 else []


@contextlib.contextmanager
def process(command, core, gives_way=False, goes_first=False, **options):
    """Runs a command on one core, or on several ("0,1"), for as long as the context lasts."""
    priority = priority_of(gives_way, goes_first)
    child = subprocess.Popen(["taskset", "--cpu-list", str(core), *priority, *map(str, command)], **options)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def daemon(command, core, log, ready, gives_way=False):
    """Runs a daemon, and waits until `ready` answers true. What it prints is appended to the file `log`."""
    with open(log, "ab") as output, process(command, core, gives_way, stdout=output, stderr=output) as child:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if child.poll() is not None or time.monotonic() > deadline:
                what_happened = "is not ready" if child.poll() is None else f"ended with status {child.returncode}"
                last_words = log.read_text(errors="replace")[-500:].strip()
                raise Failure(f"{command[0]} {what_happened}; it last said: {last_words or 'nothing'}")
            time.sleep(0.02)
        yield child


class Toolbox:
    """The tools that `run` built."""

    def __init__(self, folder):
        self.folder = folder

    def tool(self, name):
        return self.folder / name

    @contextlib.contextmanager
    def origin(self, origins, gives_way=False, goes_first=False):
        """Runs the origin: a dictionary says which name is served at which address."""
        pairs = [f"{name}={address}" for name, address in origins.items()]
        command = [self.tool("origin"), *pairs]
        with process(command, layout.PLAYERS_CORE, gives_way, goes_first, stdout=subprocess.PIPE, text=True) as child:
            if child.stdout.readline() != "ready\n":
                raise SystemExit("the origin cannot start")
            yield

    @contextlib.contextmanager
    def load(self, *arguments, gives_way=False, goes_first=False, inside=()):
        """Runs the load, which waits for `play`. `inside`: the command that runs another one elsewhere, such as in a network namespace."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [*inside, self.tool("load"), *arguments]
        with process(command, layout.PLAYERS_CORE, gives_way, goes_first, text=True, **pipes) as child:
            load = Load(child)
            load.read_line()
            yield load
            # Lets it close its connections in order, rather than by its death.
            child.stdin.close()
            child.wait(STOP_SECONDS)


class Load:
    """A load generator that is ready to play."""

    def __init__(self, child):
        self.child = child

    def read_line(self):
        line = self.child.stdout.readline()
        if not line:
            raise Failure(self.child.stderr.read().strip() or "the load generator ended without a word")
        return line

    def start(self):
        """Begins to play, and waits for nothing."""
        self.child.stdin.write("play\n")
        self.child.stdin.flush()

    def play(self):
        """Plays the workload; its figures. Connections that are to stay open are open until the context ends."""
        self.start()
        return self.read_figures()

    def read_figures(self):
        """Waits until a workload that was started is over; its figures."""
        return json.loads(self.read_line())

    def stop(self):
        """Ends a workload that would go on."""
        self.child.kill()
