"""A control plane and a server of ours before an OpenSSL server, for those who compare what a client gets from it direct and through us."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Loopback addresses stand for machines: an endpoint may not be at an address of the fleet itself.
SERVER = "127.0.0.171"
ENDPOINT = "127.0.0.172"
NAME = "app.acme.test"
# Ten times what a start takes on a busy machine.
PATIENCE = 60


class Failure(Exception):
    """The comparison cannot be made; the text says why."""


def free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def accepts(address, port):
    try:
        socket.create_connection((address, port), timeout=1).close()
        return True
    except OSError:
        return False


@contextlib.contextmanager
def daemon(command, log, ready, stdin=subprocess.DEVNULL):
    """Runs a process until the block ends; the block begins when `ready` says so."""
    with open(log, "ab") as output:
        child = subprocess.Popen([str(part) for part in command], stdin=stdin, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if child.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{command[0]} does not start: {pathlib.Path(log).read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
        child.wait()


def make_certificate(folder):
    """A key and a certificate for NAME; the paths of both."""
    key, certificate = folder / "tls.key", folder / "tls.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
         "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"], check=True, capture_output=True)
    return key, certificate


@contextlib.contextmanager
def openssl_server(folder, name):
    """Runs `openssl s_server` with all that it can speak; gives its port at ENDPOINT."""
    key, certificate = folder / "tls.key", folder / "tls.crt"
    port = free_port(ENDPOINT)
    command = [
        "openssl", "s_server", "-accept", f"{ENDPOINT}:{port}", "-www", "-key", key, "-cert", certificate,
        # Old versions and suites are what many conversations begin with.
        "-cipher", "ALL:@SECLEVEL=0", "-min_protocol", "TLSv1", "-quiet",
    ]
    with daemon(command, folder / f"{name}.log", lambda: accepts(ENDPOINT, port)):
        yield port


class Fleet:
    """A control plane and one server of ours."""

    def __init__(self, folder, flags=()):
        self.folder = folder
        self.binaries = pathlib.Path(os.environ.get("DDIRECT_BINARIES", ROOT / ".build" / "release"))
        self.flags = flags
        self.api_port = free_port("127.0.0.1")
        self.https = free_port(SERVER)
        self.http = free_port(SERVER)
        self.admin = free_port("127.0.0.1")

    def ask(self, method, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=PATIENCE)
        token = (self.folder / "token").read_text().strip()
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        connection.request(
            method, f"/api/v1/{path}", json.dumps(body), {"Authorization": f"Bearer {token}", "Content-Type": kind})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        if answer.status not in (200, 201):
            raise Failure(f"{method} {path} was answered {answer.status}: {text}")

    def metrics(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=PATIENCE)
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()

    def is_ready(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=PATIENCE)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    @contextlib.contextmanager
    def running(self, endpoint_port):
        """Runs both, with one service that carries NAME, and whatever names no service, to the endpoint."""
        for program in ["ddirect-control", "ddirect-proxy"]:
            if not (self.binaries / program).is_file():
                raise Failure(f"there is no {program} in {self.binaries}; `make build` builds it")
        control = [
            self.binaries / "ddirect-control", "--database", self.folder / "control.db",
            "--listen", f"127.0.0.1:{self.api_port}", "--channel", f"unix:{self.folder}/channel.sock",
            "--admin-token-file", self.folder / "token", "--allow-endpoint", "127.0.0.0/8",
        ]
        proxy = [
            self.binaries / "ddirect-proxy", "--server", "za1", "--control", f"unix:{self.folder}/channel.sock",
            "--http", f"{SERVER}:{self.http}", "--https", f"{SERVER}:{self.https}",
            "--admin", f"127.0.0.1:{self.admin}", "--workers", "1", *self.flags,
        ]
        with daemon(control, self.folder / "control.log", lambda: accepts("127.0.0.1", self.api_port)):
            self.ask("POST", "customers", {"name": "acme"})
            self.ask("POST", "servers", {
                "name": "za1", "region": "af-south-1", "hostname": "za1.dfree.test", "addresses": [SERVER]})
            with daemon(proxy, self.folder / "proxy.log", self.is_ready) as child:
                self.ask("POST", "services?wait=applied", {
                    "name": "acme-app", "customer": "acme", "clientDomains": [NAME], "primary": "za1",
                    "endpoint": {"host": ENDPOINT, "httpPort": endpoint_port, "httpsPort": endpoint_port}})
                self.ask("PATCH", "servers/za1?wait=applied", {"defaultServices": {SERVER: "acme-app"}})
                yield child


@contextlib.contextmanager
def haproxy(folder, endpoint_port):
    """Runs HAProxy before the endpoint, routing by the name in the hello as we do; gives its port at SERVER."""
    port = free_port(SERVER)
    configuration = folder / "haproxy.cfg"
    configuration.write_text(f"""\
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend tls
  bind {SERVER}:{port}
  tcp-request inspect-delay 5s
  tcp-request content accept if {{ req.ssl_hello_type 1 }}
  use_backend app if {{ req.ssl_sni -i {NAME} }}
  default_backend app
backend app
  server origin {ENDPOINT}:{endpoint_port}
""")
    command = ["haproxy", "-db", "-f", configuration]
    with daemon(command, folder / "haproxy.log", lambda: accepts(SERVER, port)):
        yield port
