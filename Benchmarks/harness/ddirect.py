"""How D-Direct's two daemons are started, for all who measure them."""

import contextlib

from . import ddirect_api, machine, processes, tools, unprivileged


def check_built(folder):
    for program in ["ddirect-control", "ddirect-proxy"]:
        if not (folder / program).is_file():
            raise tools.Failure(f"there is no {program} in {folder}; `make build` builds it, or say where it is with --ddirect-bin")


def room(ddirect_bin, folder):
    """Makes a folder for daemons, which may give up root before they open their files.

    Fails when there are none to be run.
    """
    check_built(ddirect_bin)
    folder.mkdir()
    folder.chmod(0o755)
    return folder


class ControlPlane:
    """A control plane with its database in `folder`, which outlives its runs; `flags` are beside those that all have."""

    def __init__(self, ddirect_bin, folder, api_address, flags=()):
        # As the proxies are run: its channel's socket is for its own user.
        self.program = unprivileged.program(ddirect_bin / "ddirect-control", folder)
        self.folder = folder
        self.api_address = api_address
        self.channel = folder / "channel.sock"
        self.token_file = folder / "admin-token"
        self.flags = flags

    @contextlib.contextmanager
    def running(self, core, gives_way=False):
        """Runs it; gives the process."""
        command = unprivileged.command([
            self.program,
            "--database", self.folder / "control.db",
            "--listen", self.api_address,
            "--channel", f"unix:{self.channel}",
            "--admin-token-file", self.token_file,
            "--allow-endpoint", "127.0.0.0/8",
            *self.flags,
        ])
        log = self.folder / "control.log"
        with tools.daemon(command, core, log, lambda: tools.accepts(self.api_address), gives_way) as child:
            yield processes.ProcessTree(child.pid)

    def api(self):
        """A new connection to its API."""
        return ddirect_api.API(self.api_address, self.token_file.read_text().strip())


def proxy_command(
        ddirect_bin, server, channel, http, https, admin, workers=1, folder=None, as_root=False, resolver=None, flows=None):
    """As its unit runs it, without privileges, from a copy of the program in `folder`; or as we are. `https` may be several addresses."""
    program = ddirect_bin / "ddirect-proxy"
    command = [
        unprivileged.program(program, folder) if folder and not as_root else program,
        "--server", server,
        "--control", f"unix:{channel}",
        "--http", http,
        "--admin", admin,
        "--workers", str(workers),
        # Two descriptors a flow: nearly all that the process may have, as for the others.
        "--flow-limit", str((flows or machine.idle_connections()) + 64),
    ]
    for address in [https] if isinstance(https, str) else https:
        command += ["--https", address]
    if resolver:
        command += ["--resolver", resolver]
    return command if as_root or not folder else unprivileged.command(command)
