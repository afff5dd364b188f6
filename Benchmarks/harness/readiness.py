"""What a daemon tells the service manager: we listen in the manager's place."""

import os
import select
import socket
import time

from . import tools


class Notifications:
    """A socket to which a daemon sends its notifications; see sd_notify(3)."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        # For daemons that are run as another user.
        self.path.chmod(0o777)
        return self

    def __exit__(self, *_):
        self.socket.close()

    def environment(self):
        return os.environ | {"NOTIFY_SOCKET": str(self.path)}

    def wait_until_ready(self):
        """Waits for READY=1; the status that came with it. Then we listen no more: a daemon would wait for us to read what it says."""
        deadline = time.monotonic() + tools.START_SECONDS
        while select.select([self.socket], [], [], max(0, deadline - time.monotonic()))[0]:
            assignments = dict(line.split("=", 1) for line in self.socket.recv(65536).decode().splitlines())
            if assignments.get("READY") == "1":
                self.socket.close()
                return assignments.get("STATUS", "")
        raise tools.Failure(f"no READY=1 within {tools.START_SECONDS} s")
