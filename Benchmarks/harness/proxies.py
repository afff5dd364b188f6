"""How each proxy is configured, started and known to be ready. This is the only file that knows one from another."""

import contextlib
import os
import shutil
import subprocess

from . import ddirect, ddirect_api, layout, machine, processes, tools

# Longer than any workload: an idle connection must not be closed under our hands.
IDLE_SECONDS = 600


class Proxy:
    """What all have in common; a subclass says what its proxy needs.

    `prepare` is called once, `running` once per measurement. Everything runs in `self.folder`.
    """

    name = ""

    def __init__(self, toolbox, folder, ddirect_bin):
        self.toolbox = toolbox
        self.ddirect_bin = ddirect_bin
        self.folder = folder / self.name
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.port = layout.PROXY_PORTS[self.name]
        self.address = f"{layout.PROXY_ADDRESS}:{self.port}"

    def check_installed(self):
        """Fails with the reason when the proxy cannot be run here."""
        if not shutil.which(self.name):
            raise tools.Failure(f"there is no `{self.name}`; install it")

    def version(self):
        raise NotImplementedError

    def prepare(self, note):
        """Whatever has to be done once; by default, its configuration is written."""
        self.configuration_file().write_text(self.configuration())

    def configuration_file(self):
        return self.folder / f"{self.name}.conf"

    def configuration(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def targets(self):
        """Where the load has to connect for each name."""
        return [f"{name}={self.address}" for name in layout.NAMES]

    def ready(self):
        return tools.accepts(self.address)

    @contextlib.contextmanager
    def running(self):
        """Runs the proxy on its core; gives the process to be measured."""
        if tools.accepts(self.address):
            raise tools.Failure(f"somebody else listens at {self.address}")
        log = self.folder / "output.log"
        with tools.daemon(self.command(), layout.PROXY_CORE, log, self.ready) as child:
            yield processes.ProcessTree(child.pid)


class DDirect(Proxy):
    """Ours, with its control plane, carrying 10,000 services."""

    name = "ddirect"
    server = "za1"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.http = f"{layout.PROXY_ADDRESS}:{self.port + 1}"
        self.admin = f"127.0.0.1:{self.port + 2}"
        self.control = ddirect.ControlPlane(self.ddirect_bin, self.folder, f"127.0.0.1:{self.port + 3}")

    def check_installed(self):
        ddirect.check_built(self.ddirect_bin)

    def version(self):
        return "this repository's"

    def prepare(self, note):
        with self.control_plane():
            ddirect_api.create_services(self.control.api(), self.server, note)

    def control_plane(self):
        """Runs ddirect-control, beside the load: it is not what is measured."""
        return self.control.running(layout.PLAYERS_CORE)

    def command(self):
        return ddirect.proxy_command(
            self.ddirect_bin, self.server, self.control.channel, http=self.http, https=self.address, admin=self.admin,
            folder=self.folder)

    def ready(self):
        return ddirect_api.is_ready(self.admin)

    @contextlib.contextmanager
    def running(self):
        # Only now, so that it takes no time from the others' load.
        with self.control_plane(), super().running() as process:
            yield process


class HAProxy(Proxy):
    name = "haproxy"

    def version(self):
        return subprocess.run(["haproxy", "-v"], capture_output=True, text=True).stdout.split()[2]

    def configuration(self):
        routes = "\n".join(
            f"  use_backend {name} if {{ req.ssl_sni -i {name} }}" for name in layout.NAMES)
        backends = "\n".join(
            f"backend {name}\n  server origin {address}" for name, address in layout.ORIGINS.items())
        # Unless told, it would set aside a pipe for every fourth connection, and refuse to start.
        return f"""\
global
  nbthread 1
  maxconn {machine.idle_connections() + 64}
  maxpipes 64
defaults
  mode tcp
  option splice-auto
  timeout connect 5s
  timeout client {IDLE_SECONDS}s
  timeout server {IDLE_SECONDS}s
frontend tls
  bind {self.address}
  tcp-request inspect-delay 5s
  tcp-request content accept if {{ req.ssl_hello_type 1 }}
{routes}
{backends}
"""

    def command(self):
        return ["haproxy", "-db", "-f", self.configuration_file()]


class Nginx(Proxy):
    name = "nginx"
    stream_module = "/usr/lib/nginx/modules/ngx_stream_module.so"

    def check_installed(self):
        super().check_installed()
        if not os.path.exists(self.stream_module):
            raise tools.Failure(f"there is no {self.stream_module}; install libnginx-mod-stream")

    def version(self):
        return subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr.split("/")[-1].strip()

    def configuration(self):
        # By the number of the origin: an upstream's name is found without resolving anything.
        routes = " ".join(f"{name} origin{number};" for number, name in enumerate(layout.NAMES))
        upstreams = "\n".join(
            f"  upstream origin{number} {{ server {address}; }}"
            for number, address in enumerate(layout.ORIGINS.values()))
        # Buffers of 64 KB make bulk cheaper than the default of 16 KB, and idle connections no larger.
        return f"""\
load_module {self.stream_module};
daemon off;
pid {self.folder}/nginx.pid;
worker_processes 1;
worker_rlimit_nofile {machine.descriptor_limit()};
events {{ worker_connections {machine.descriptor_limit()}; }}
stream {{
  access_log off;
  map $ssl_preread_server_name $origin {{ {routes} }}
{upstreams}
  server {{
    listen {self.address} backlog=4096;
    ssl_preread on;
    proxy_pass $origin;
    proxy_buffer_size 64k;
    proxy_timeout {IDLE_SECONDS}s;
  }}
}}
"""

    def command(self):
        return ["nginx", "-c", self.configuration_file(), "-e", self.folder / "error.log"]


class SNIProxy(Proxy):
    name = "sniproxy"

    def version(self):
        return subprocess.run(["sniproxy", "-V"], capture_output=True, text=True).stdout.split()[-1]

    def configuration(self):
        patterns = {name.replace(".", "\\."): address for name, address in layout.ORIGINS.items()}
        routes = "\n".join(f"  ^{pattern}$ {address}" for pattern, address in patterns.items())
        return f"""\
error_log {{
  filename {self.folder}/error.log
  priority error
}}
access_log {{
  filename /dev/null
  priority emerg
}}
listen {self.address} {{
  proto tls
}}
table {{
{routes}
}}
"""

    def command(self):
        return ["sniproxy", "-f", "-n", machine.descriptor_limit(), "-c", self.configuration_file()]


class Floor(Proxy):
    """Our bare relay. It does not read server names, so each name has its own port."""

    name = "floor"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.addresses = {
            name: f"{layout.PROXY_ADDRESS}:{self.port + number}" for number, name in enumerate(layout.NAMES)}

    def check_installed(self):
        """`run` has built it."""

    def version(self):
        return "bare epoll and splice, no SNI"

    def prepare(self, note):
        """It is configured by its command line."""

    def command(self):
        return [
            self.toolbox.tool("floor"),
            *(f"{address}={layout.ORIGINS[name]}" for name, address in self.addresses.items()),
        ]

    def targets(self):
        return [f"{name}={address}" for name, address in self.addresses.items()]


ALL = {proxy.name: proxy for proxy in [DDirect, HAProxy, Nginx, SNIProxy, Floor]}
