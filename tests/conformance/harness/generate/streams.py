"""Routes of bytes: `tcp` and `tls` of VirtualServices."""

from . import draw as words
from .draw import Draw
from .gateways import BYTES, PASSED
from .workloads import Cast


def add(draw: Draw, cast: Cast, spec: dict, gateway: dict | None, destination) -> None:
    """Routes of bytes to a VirtualService, where its gateway or its host has use for them."""
    ports = {server["port"]["number"] for server in gateway["spec"]["servers"]} if gateway else set()
    if PASSED in ports or draw.chance(0.06):
        spec["tls"] = [_by_name(draw, spec, destination) for _ in range(draw.integer(1, 2))]
    if BYTES in ports or PASSED in ports and draw.chance(0.5) or draw.chance(0.06):
        spec["tcp"] = [_bytes(draw, spec, destination) for _ in range(draw.integer(1, 2))]


def _targets(draw: Draw, destination) -> list[dict]:
    weights = draw.weighted([([None], 8), ([50, 50], 1), ([100, 0], 1)])
    targets = [{"destination": destination()} for _ in weights]
    for target, weight in zip(targets, weights):
        if weight is not None:
            target["weight"] = weight
    return targets


def _by_name(draw: Draw, spec: dict, destination) -> dict:
    """An entry of `tls`: its names lie within the hosts, as the webhook asks."""
    host = spec["hosts"][0]
    inside = [name for name in words.HOSTS if host == "*" or host[0] == "*" and name.endswith(host[1:])] or [host]
    names = sorted({draw.weighted([(host, 3), (draw.one(inside), 2)]) for _ in range(draw.integer(1, 2))})
    match = {"sniHosts": names}
    _narrow(draw, spec, match)
    return {"match": [match], "route": _targets(draw, destination)}


def _bytes(draw: Draw, spec: dict, destination) -> dict:
    """An entry of `tcp`."""
    route = {"route": _targets(draw, destination)}
    if draw.chance(0.5):
        match = {}
        _narrow(draw, spec, match)
        route["match"] = [match or {"port": draw.one([BYTES, 9000, 80])}]
    return route


def _narrow(draw: Draw, spec: dict, match: dict) -> None:
    """What else a match may ask."""
    if draw.chance(0.2):
        match["port"] = draw.one([BYTES, PASSED, 9000, 80])
    if draw.chance(0.1) and "gateways" in spec:
        match["gateways"] = [draw.one(spec["gateways"])]
    if draw.chance(0.1):
        match["sourceLabels"] = {"app": draw.one(["cart", "bill", "stock"])}
    if draw.chance(0.05):
        match["sourceNamespace"] = draw.one(["shop", "pay"])
