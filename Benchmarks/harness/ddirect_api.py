"""Configures D-Direct through its REST API, and asks its proxy whether it is ready."""

import http.client
import json
import urllib.request

from . import layout, tools

# Three that carry traffic, the others so that routing has something to choose from.
SERVICES = 10_000

# Every service has a port for plain HTTP; no workload uses it, and nobody listens there.
HTTP_PORT = 24400


class API:
    """One connection, kept open."""

    def __init__(self, address, token):
        self.connection = http.client.HTTPConnection(address, timeout=90)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method, path, body=None):
        """The answer's body, when it is one of success."""
        try:
            self.connection.request(method, f"/api/v1/{path}", body and json.dumps(body), self.headers)
            response = self.connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise tools.Failure(f"{method} {path} was not answered: {error!r}") from error
        if response.status not in (200, 201):
            raise tools.Failure(f"{method} {path} was answered {response.status}: {answer.decode(errors='replace')}")
        return json.loads(answer)

    def create(self, resources, resource):
        self.ask("POST", resources, resource)


# All load comes from one address. So high that nothing is refused, and yet counted, as it is on a server of the field.
MANY = 1_000_000_000


def service(name, domain, https_port, primary, standbys=()):
    return {
        "name": name,
        "customer": "bench",
        "clientDomains": [domain],
        "endpoint": {"host": layout.ORIGIN_ADDRESS, "httpPort": HTTP_PORT, "httpsPort": https_port, "fallbacks": []},
        "primary": primary,
        "standbys": list(standbys),
        "acceptProxyProtocol": False,
        "sendProxyProtocol": "off",
        "forwardedFor": "append",
        "limits": {"clientConnections": MANY, "newClientConnectionsPerSecond": MANY},
    }


def create_few_services(api, server, origins):
    """One customer, one server, and a service for each of the names; a dictionary says which origin it has."""
    api.create("customers", {"name": "bench"})
    api.create("servers", {
        "name": server, "region": "af-south-1", "hostname": f"{server}.bench.test",
        "addresses": [layout.PROXY_ADDRESS],
        "limits": {"clientConnections": MANY, "newClientConnectionsPerSecond": MANY, "clientOpenings": MANY},
    })
    for domain, address in origins.items():
        name = f"bench-{domain.split('.')[0]}"
        api.create("services", service(name, domain, int(address.rsplit(":", 1)[1]), server))


def create_services(api, server, note):
    """All services: the three that the load uses among many that it does not."""
    note(f"creating {SERVICES:,} services")
    create_few_services(api, server, layout.ORIGINS)
    for number in range(SERVICES - len(layout.NAMES)):
        filler = service(f"filler-{number}", f"filler-{number}.bench.test", layout.ORIGIN_PORTS[0], server)
        api.create("services", filler)


def metrics(admin_address):
    """What a daemon tells of itself: each sample's name, with its labels, and its value."""
    with urllib.request.urlopen(f"http://{admin_address}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}


def is_ready(admin_address):
    """Whether the proxy has its listeners and a snapshot."""
    connection = http.client.HTTPConnection(admin_address, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
