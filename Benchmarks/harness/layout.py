"""Who has which address, port and core."""

import os

# The proxy under test has a core to itself; everything that plays with it shares the other.
PROXY_CORE = 0
PLAYERS_CORE = min(1, os.cpu_count() - 1)

# All below the range from which the kernel takes the ports of outgoing connections (32768 on).
NAMES = ["a.bench.test", "b.bench.test", "c.bench.test"]
ORIGIN_ADDRESS = "127.0.0.1"
ORIGIN_PORTS = [24401, 24402, 24403]
ORIGINS = {name: f"{ORIGIN_ADDRESS}:{port}" for name, port in zip(NAMES, ORIGIN_PORTS)}

# Not the origins' address, so that a proxy's two sides never share ports.
PROXY_ADDRESS = "127.0.0.11"
# Each proxy has ports of its own, so that a connection to one can never have reached another.
PROXY_PORTS = {"ddirect": 24410, "haproxy": 24420, "nginx": 24430, "sniproxy": 24440, "floor": 24450}

# A small message beside bulk has an origin of its own, as the other would keep it waiting.
SMALL_ORIGIN = {"small.bench.test": f"{ORIGIN_ADDRESS}:24404"}
SHARING = {"api": "127.0.0.1:24467", "http": "127.0.0.11:24468", "https": "127.0.0.11:24469", "admin": "127.0.0.1:24470"}

# The control plane has a core to itself where it is what is measured.
CONTROL_CORE = 0
PUBLISHING_API = "127.0.0.1:24460"
RECONNECTING_API = "127.0.0.1:24467"
RECONNECTING_CHANNEL = "127.0.0.1:24468"
PUBLISHING_PROXIES = {
    "za1": {"http": "127.0.0.11:24461", "https": "127.0.0.11:24462", "admin": "127.0.0.1:24463"},
    "eu1": {"http": "127.0.0.11:24464", "https": "127.0.0.11:24465", "admin": "127.0.0.1:24466"},
}

# Strangers greet za1, which the control plane and ie1 probe; each has an address of its own.
STRANGERS_API = "127.0.0.1:24510"
STRANGERS_PROXIES = {
    "za1": {"http": "127.0.0.11:24511", "https": "127.0.0.11:24512", "admin": "127.0.0.1:24513"},
    "ie1": {"http": "127.0.0.12:24514", "https": "127.0.0.12:24515", "admin": "127.0.0.1:24516"},
}

# Names that a name server answers for: an origin each, all at one address.
NAMES_API = "127.0.0.1:24520"
NAMES_PROXY = {"http": "127.0.0.11:24521", "https": "127.0.0.11:24522", "admin": "127.0.0.1:24523"}
NAME_SERVER = "127.0.0.13:24524"
LIVE_ORIGINS = {f"app-{number}.live.test": f"{ORIGIN_ADDRESS}:{24530 + number}" for number in range(20)}

# From one address the kernel gives some 28,000 ports to one address and port: a crowd needs several at each end of the proxy.
CROWD = {"api": "127.0.0.1:24550", "http": "127.0.0.11:24551", "admin": "127.0.0.1:24552"}
CROWD_HTTPS_PORT = 24553
CROWD_ORIGINS = {f"crowd-{number}.bench.test": f"{ORIGIN_ADDRESS}:{24560 + number}" for number in range(8)}
