"""The fleet whose control plane is measured: its servers and services, and the stubs that play most of its servers."""

import contextlib
import itertools
import json
import subprocess

from . import ddirect_api, layout, tools

SERVERS = 50
REAL_SERVERS = list(layout.PUBLISHING_PROXIES)
STUB_SERVERS = [f"stub-{number}" for number in range(SERVERS - len(REAL_SERVERS))]

FEW_SERVICES = 100
SERVICES = 10_000
MANY_SERVICES = 100_000
# The first so many services have every server as a standby: a change of one is to be applied by all.
CARRIED_BY_ALL = 100


def service_name(number):
    return f"service-{number}"


def host(number):
    """An address of its own for each endpoint: a name slot for each, and nothing to resolve."""
    return f"127.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


# Never one that was used before, so that each change is one.
fresh_hosts = map(host, itertools.count(MANY_SERVICES))


def new_endpoint():
    return {"endpoint": {"host": next(fresh_hosts)}}


class Filling:
    """Creates what the fleet has, through the API."""

    def __init__(self, control, note):
        self.control = control
        self.note = note
        self.created = 0

    def create_servers(self):
        api = self.control.api()
        api.create("customers", {"name": "bench"})
        for number, name in enumerate(REAL_SERVERS + STUB_SERVERS):
            api.create("servers", {
                "name": name, "region": "af-south-1", "hostname": f"{name}.bench.test", "addresses": [f"127.0.1.{number + 1}"],
            })

    def create_services(self, upto):
        """As many as are lacking. The real servers carry all, so that their snapshots are as large as can be."""
        self.note(f"creating services, {upto:,} in all")
        api = self.control.api()
        for number in range(self.created, upto):
            stubs = STUB_SERVERS if number < CARRIED_BY_ALL else [STUB_SERVERS[number % len(STUB_SERVERS)]]
            service = ddirect_api.service(
                service_name(number), f"app-{number}.bench.test", layout.ORIGIN_PORTS[0], REAL_SERVERS[0],
                REAL_SERVERS[1:] + stubs)
            service["endpoint"]["host"] = host(number)
            api.create("services", service)
        self.created = upto


class Stubs:
    """The stub fleet, all of it connected."""

    def __init__(self, child):
        self.child = child

    def finish(self):
        """Ends it; what it was sent."""
        self.child.stdin.close()
        line = self.child.stdout.readline()
        if not line:
            raise tools.Failure(self.child.stderr.read().strip() or "the stub fleet ended without a word")
        return json.loads(line)


@contextlib.contextmanager
def stubs(program, channel):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with tools.process([program, channel, *STUB_SERVERS], layout.PLAYERS_CORE, text=True, **pipes) as child:
        if child.stdout.readline() != "ready\n":
            raise tools.Failure(child.stderr.read().strip() or "the stub fleet ended without a word")
        yield Stubs(child)
