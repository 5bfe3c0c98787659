"""Gateways, with servers of every kind."""

from . import draw as words
from .draw import Draw
from .workloads import ROOT

API = "networking.istio.io/v1"
SECURE, PASSED, BYTES, MESHED = 443, 6443, 31400, 15443


class Names:
    """Server names that are left: two servers of one name on one port are a configuration that Envoy refuses."""

    def __init__(self):
        names = [*words.HOSTS, "*.example.com", "*.com", "*"]
        self._left = {port: list(names) for port in (SECURE, PASSED, BYTES, MESHED)}

    def take(self, draw: Draw, port: int) -> str | None:
        """A name that nobody has taken on a port."""
        if not self._left[port]:
            return None
        name = draw.one(self._left[port])
        self._left[port].remove(name)
        return name

    def take_all(self, port: int) -> bool:
        """Whether a port is still free; nobody gets it afterwards."""
        free = len(self._left[port]) == len(words.HOSTS) + 3
        self._left[port] = []
        return free


def objects(draw: Draw) -> list[dict]:
    """The Gateways of a world."""
    names = Names()
    return [_gateway(draw, f"g{index}", names) for index in range(draw.weighted([(0, 1), (1, 6), (2, 3)]))]


def _gateway(draw: Draw, name: str, names: Names) -> dict:
    servers = [_server(draw, index, names) for index in range(draw.weighted([(1, 6), (2, 3), (3, 1)]))]
    metadata = {"name": name, "namespace": draw.one(["shop", "pay", ROOT])}
    spec = {"selector": {"istio": "ingressgateway"}, "servers": servers}
    return {"apiVersion": API, "kind": "Gateway", "metadata": metadata, "spec": spec}


def _server(draw: Draw, index: int, names: Names) -> dict:
    kinds = [(_plain, 12), (_secure, 4), (_passed, 1.5), (_bytes, 1), (_sealed, 0.7), (_meshed, 0.5)]
    return draw.weighted(kinds)(draw, index, names) or _plain(draw, index, names)


def _plain(draw: Draw, index: int, _names: Names) -> dict:
    """HTTP in plaintext."""
    host = draw.one([*words.HOSTS, "*.example.com", "*.com", "*"])
    hosts = [draw.weighted([(host, 8), (f"./{host}", 1), (f"*/{host}", 1), (f"shop/{host}", 1)])]
    if draw.chance(0.2):
        hosts.append(draw.one([each for each in words.HOSTS if each != host]))
    protocol = draw.weighted([("HTTP", 10), ("HTTP2", 1), ("GRPC", 1)])
    port = {"number": draw.weighted([(80, 8), (8080, 1)]), "name": f"http-{index}", "protocol": protocol}
    server = {"hosts": hosts, "port": port}
    if draw.chance(0.1):
        server["tls"] = {"httpsRedirect": True}
    return server


def _secure(draw: Draw, index: int, names: Names) -> dict | None:
    """HTTP within TLS that ends here."""
    mode = draw.weighted([("SIMPLE", 8), ("ISTIO_MUTUAL", 2), ("MUTUAL", 1), ("OPTIONAL_MUTUAL", 1)])
    return _ending(draw, names, SECURE, {"name": f"https-{index}", "protocol": "HTTPS"}, mode)


def _sealed(draw: Draw, index: int, names: Names) -> dict | None:
    """Bytes within TLS that ends here."""
    return _ending(draw, names, PASSED, {"name": f"ends-{index}", "protocol": "TLS"}, draw.one(["SIMPLE", "ISTIO_MUTUAL"]))


def _ending(draw: Draw, names: Names, number: int, port: dict, mode: str) -> dict | None:
    host = names.take(draw, number)
    tls = {"mode": mode} if mode == "ISTIO_MUTUAL" else {"mode": mode, "credentialName": "cert"}
    return host and {"hosts": [host], "port": {"number": number, **port}, "tls": tls}


def _passed(draw: Draw, index: int, names: Names) -> dict | None:
    """TLS that is passed on by its server name; the routes take names from this one's."""
    host = names.take(draw, PASSED)
    port = {"number": PASSED, "name": f"tls-{index}", "protocol": draw.one(["TLS", "HTTPS"])}
    return host and {"hosts": [host], "port": port, "tls": {"mode": "PASSTHROUGH"}}


def _bytes(draw: Draw, index: int, names: Names) -> dict | None:
    """Bytes in plaintext."""
    port = {"number": BYTES, "name": f"tcp-{index}", "protocol": draw.one(["TCP", "TCP", "MONGO"])}
    host = draw.one(["*", draw.one(words.HOSTS)])
    return {"hosts": [host], "port": port} if names.take_all(BYTES) else None


def _meshed(draw: Draw, index: int, names: Names) -> dict | None:
    """TLS of other proxies, passed on by the name of the cluster."""
    port = {"number": MESHED, "name": f"auto-{index}", "protocol": "TLS"}
    hosts = [draw.one(["*.local", "*.shop.svc.cluster.local", "*"])]
    return {"hosts": hosts, "port": port, "tls": {"mode": "AUTO_PASSTHROUGH"}} if names.take_all(MESHED) else None
