"""What the figures depend on and no proxy can change: the processor, the kernel and its settings."""

import contextlib
import os
import pathlib
import platform
import resource

# Descriptors that a proxy needs besides its connections: listeners, logs, pipes, epolls.
SPARE_DESCRIPTORS = 512
WANTED_IDLE_CONNECTIONS = 10_000


def raise_descriptor_limit():
    """Gives us, and all that we start, the most descriptors that this user may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def look_for_daemons():
    """Debian installs them where only root's PATH leads."""
    os.environ["PATH"] += ":/usr/sbin"


def descriptor_limit():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def idle_connections():
    """As many as wanted, or as many as fit: a proxied connection takes two descriptors of the proxy."""
    return min(WANTED_IDLE_CONNECTIONS, (descriptor_limit() - SPARE_DESCRIPTORS) // 2)


@contextlib.contextmanager
def descriptors_for(connections):
    """Lets what is started meanwhile have the descriptors for so many proxied connections, where we may; gives how many they suffice for."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * connections + SPARE_DESCRIPTORS
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, before[0]), max(wanted, before[1])))
    except (OSError, ValueError):
        # Only CAP_SYS_RESOURCE raises the hard limit, which not even every root has, and not beyond fs.nr_open.
        raise_descriptor_limit()
    try:
        yield min(connections, (descriptor_limit() - SPARE_DESCRIPTORS) // 2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def setting(name):
    return pathlib.Path("/proc/sys", name.replace(".", "/")).read_text().strip()


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def description():
    """Facts for the head of the report, as pairs of a name and a value."""
    return [
        ("processor", f"{processor()}, {os.cpu_count()} cores"),
        ("kernel", platform.release()),
        ("`net.ipv4.tcp_congestion_control`", setting("net.ipv4.tcp_congestion_control")),
        ("descriptors per process", f"{descriptor_limit():,}"),
        ("load average at the end", " ".join(f"{load:.1f}" for load in os.getloadavg())),
    ]


def facts():
    """The same as a Markdown list."""
    return "\n".join(f"- {name}: {value}" for name, value in description())
