"""VirtualServices and DestinationRules."""

from dataclasses import replace

from . import draw as words
from . import streams
from .draw import Draw
from .workloads import ROOT, Cast, Workload

API = "networking.istio.io/v1"


def objects(draw: Draw, cast: Cast) -> list[dict]:
    """The routing of a world, its gateways aside."""
    found = []
    for index in range(draw.weighted([(0, 1), (1, 4), (2, 4), (3, 2)])):
        found += _virtual_service(draw, cast, f"v{index}")
    for index in range(draw.weighted([(0, 5), (1, 3), (2, 1)])):
        found.append(_destination_rule(draw, cast, f"d{index}"))
    return found


def _virtual_service(draw: Draw, cast: Cast, name: str) -> list[dict]:
    """A VirtualService, with its delegate where it has one."""
    namespace = draw.one(["shop", "pay"])
    spec, gateway = {}, None
    own = [workload.fqdn() for workload in cast.workloads]
    if cast.gateways and draw.chance(0.7):
        gateway = draw.one(cast.gateways)
        spec["gateways"] = [f"{gateway['metadata']['namespace']}/{gateway['metadata']['name']}"]
        if draw.chance(0.15):
            spec["gateways"].append("mesh")
        hosts = [*words.HOSTS, "*.example.com"] + ([] if "mesh" in spec["gateways"] else ["*", *own[:1]])
        spec["hosts"] = [draw.one(hosts)]
    else:
        workload = draw.one(cast.workloads)
        other, _ = draw.one(cast.destinations())
        hosts = [(workload.fqdn(), 6), (workload.name, 2), ("*.shop.svc.cluster.local", 1), (other, 1)]
        spec["hosts"] = [draw.weighted(hosts)]
    if draw.chance(0.1):
        spec["exportTo"] = [draw.one([".", "*", ROOT, "pay"])]
    streams.add(draw, cast, spec, gateway, lambda: _byte_destination(draw, cast))
    if not ("tls" in spec or "tcp" in spec) or draw.chance(0.6):
        spec["http"] = [_route(draw, cast, spec) for _ in range(draw.weighted([(1, 4), (2, 4), (3, 3), (5, 1)]))]
    found = [_object("VirtualService", namespace, name, spec)]
    if draw.chance(0.1) and "http" in spec:
        delegate = {"name": f"{name}-sub", "namespace": namespace}
        root = {"match": [{"uri": _uri(draw)}], "delegate": delegate}
        spec["http"].insert(0, root)
        routes = [_route(draw, cast, spec) for _ in range(draw.integer(1, 2))]
        found.append(_object("VirtualService", namespace, f"{name}-sub", {"http": routes}))
    return found


def _object(kind: str, namespace: str, name: str, spec: dict) -> dict:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _route(draw: Draw, cast: Cast, spec: dict) -> dict:
    """An entry of `http`."""
    route = {}
    if draw.chance(0.85):
        route["match"] = [_match(draw, spec) for _ in range(draw.weighted([(1, 6), (2, 2)]))]
    prefixes = all("prefix" in match.get("uri", {}) for match in route.get("match", [{}]))
    kind = draw.weighted([("route", 12), ("redirect", 1), ("direct", 1)])
    if kind == "redirect":
        to = {"uri": draw.path()} if draw.chance(0.5) or not prefixes else {"prefixRewrite": draw.path()}
        route["redirect"] = {**to, "redirectCode": draw.one([301, 302, 307, 308])}
    elif kind == "direct":
        route["directResponse"] = {"status": draw.one([200, 403, 404, 503])}
    else:
        _forward(draw, cast, route)
    return route


def _forward(draw: Draw, cast: Cast, route: dict) -> None:
    """Destinations and what is done on the way there."""
    weights = draw.weighted([([None], 8), ([50, 50], 1), ([100, 0], 1)])
    route["route"] = []
    for weight in weights:
        found = {"destination": _destination(draw, cast)}
        if weight is not None:
            found["weight"] = weight
        route["route"].append(found)
    if draw.chance(0.3):
        route["rewrite"] = _rewrite(draw)
    if draw.chance(0.15) and "authority" not in route.get("rewrite", {}):
        header, value = draw.one(words.HEADERS), draw.one(words.HEADER_VALUES)
        changes = [{"set": {header: value}}, {"add": {header: value}}, {"remove": [header]}]
        route["headers"] = {"request": draw.one(changes)}
    if draw.chance(0.06):
        abort = {"httpStatus": draw.one([403, 503])}
        if draw.chance(0.8):
            abort["percentage"] = {"value": draw.one([0, 50, 100])}
        route["fault"] = {"abort": abort}
    if draw.chance(0.06):
        route["corsPolicy"] = {"allowOrigins": [{"exact": "https://x.example"}], "allowMethods": ["GET"]}
    if draw.chance(0.04):
        route["mirror"] = _destination(draw, cast)
    elif draw.chance(0.03):
        route["mirrors"] = [{"destination": _destination(draw, cast)} for _ in range(draw.integer(1, 2))]


def _destination(draw: Draw, cast: Cast) -> dict:
    workload = draw.one(cast.workloads)
    other, others = draw.one(cast.destinations())
    host = draw.weighted([
        (workload.fqdn(), 8), (workload.name, 1), ("missing.shop.svc.cluster.local", 0.5), (other, 2 if others else 0),
    ])
    ports = others if host == other else [port.number for port in workload.ports]
    found = {"host": host}
    if draw.chance(0.8):
        found["port"] = {"number": draw.weighted([(port, 6) for port in ports] + [(81, 0.5)])}
    if draw.chance(0.1):
        found["subset"] = draw.one(["v1", "v2"])
    return found


def _byte_destination(draw: Draw, cast: Cast) -> dict:
    """A destination of bytes; the harness speaks no HTTP/2, which a port of that name takes for granted."""
    found = [workload for workload in cast.workloads if not any(port.is_http2() for port in workload.ports)]
    destination = _destination(draw, replace(cast, workloads=found) if found else cast)
    if not found or destination["host"] in cast.aliases:
        destination["host"] = found[0].fqdn() if found else "missing.shop.svc.cluster.local"
    return destination


def _rewrite(draw: Draw) -> dict:
    found = {}
    if draw.chance(0.15):
        match, rewrite = draw.one(words.PATH_REWRITES)
        found["uriRegexRewrite"] = {"match": match, "rewrite": rewrite}
    elif draw.chance(0.85):
        found["uri"] = draw.weighted([("/", 4), (draw.path(), 4), ("/.", 0.3), ("/static/", 1)])
    if draw.chance(0.2) or not found:
        found["authority"] = draw.one(words.HOSTS)
    return found


def _uri(draw: Draw) -> dict:
    path = draw.path()
    kind = draw.weighted([("exact", 3), ("prefix", 6), ("regex", 2), ("/", 0.7), ("", 0.2)])
    if kind == "regex":
        return {"regex": draw.one(words.PATH_REGEXES)[0]}
    return {kind: path} if kind in ("exact", "prefix") else {"prefix": kind}


def _value(draw: Draw, values: list[str]) -> dict:
    """A string match of a header or the like."""
    value = draw.one(values)
    return draw.weighted([
        ({"exact": value}, 5), ({"prefix": value[:3]}, 2), ({"regex": draw.one(words.VALUE_REGEXES)}, 1), ({}, 1),
    ])


def _match(draw: Draw, spec: dict) -> dict:
    """An entry of `match`."""
    match = {}
    if draw.chance(0.9):
        match["uri"] = _uri(draw)
        if draw.chance(0.1):
            match["ignoreUriCase"] = True
    if draw.chance(0.15):
        match["method"] = draw.one([{"exact": "GET"}, {"prefix": "P"}, {"regex": "GET|POST"}])
    if draw.chance(0.15):
        match["headers"] = {draw.one(words.HEADERS).lower(): _value(draw, words.HEADER_VALUES)}
    if draw.chance(0.06):
        claim = draw.one(["group", "scope", "roles", "a.b", "iss", "a][b"])
        key = f"@request.auth.claims[{claim}]" if "][" in claim else f"@request.auth.claims.{claim}"
        # Envoy refuses the whole table where a claim need only be there.
        match.setdefault("headers", {})[key] = _value(draw, ["dev", "ops", "read"]) or {"exact": "dev"}
    if draw.chance(0.08):
        match["withoutHeaders"] = {draw.one(words.HEADERS).lower(): _value(draw, words.HEADER_VALUES)}
    if draw.chance(0.08):
        match["queryParams"] = {draw.one(words.PARAMETERS): _value(draw, ["v", "1", "true"])}
    if draw.chance(0.05):
        match["authority"] = draw.one([{"exact": draw.one(words.HOSTS)}, {"prefix": "shop"}])
    if draw.chance(0.03):
        match["scheme"] = {"exact": draw.one(["http", "https"])}
    if draw.chance(0.05):
        match["port"] = draw.one([80, 443, 8080, 9000])
    if draw.chance(0.05) and "gateways" in spec:
        match["gateways"] = [draw.one(spec["gateways"])]
    if draw.chance(0.05):
        match["sourceLabels"] = {"app": draw.one(["cart", "bill", "stock"])}
    if draw.chance(0.05):
        match["sourceNamespace"] = draw.one(["shop", "pay", ROOT])
    return match


def _destination_rule(draw: Draw, cast: Cast, name: str) -> dict:
    workload = draw.one(cast.workloads)
    other, _ = draw.one(cast.destinations())
    hosts = [(workload.fqdn(), 6), (workload.name, 1), ("*.shop.svc.cluster.local", 1), (other, 1)]
    spec = {"host": draw.weighted(hosts)}
    modes = _tls_modes(workload) if spec["host"] in (workload.fqdn(), workload.name) else ["ISTIO_MUTUAL", "DISABLE"]
    if draw.chance(0.6):
        spec["subsets"] = [{"name": version, "labels": {"version": version}} for version in draw.some(["v1", "v2"], 2)]
        if draw.chance(0.15):
            spec["subsets"][0]["trafficPolicy"] = _traffic_policy(draw, modes)
    if draw.chance(0.3):
        spec["trafficPolicy"] = _traffic_policy(draw, modes)
    if draw.chance(0.15):
        spec["exportTo"] = [draw.one([".", "*", "pay", "shop"])]
    if draw.chance(0.1):
        spec["workloadSelector"] = {"matchLabels": {"app": draw.one(cast.workloads).labels["app"]}}
    return _object("DestinationRule", draw.one(["shop", "pay", ROOT]), name, spec)


def _tls_modes(workload: Workload) -> list[str]:
    """How clients may speak; whether an application without proxy takes TLS is nothing that a run can tell."""
    reads = all(port.is_http() for port in workload.ports)
    foreign = workload.sidecar and not workload.annotations and not workload.twin and reads
    return ["ISTIO_MUTUAL", "DISABLE"] + (["SIMPLE"] if foreign else [])


def _traffic_policy(draw: Draw, modes: list[str]) -> dict:
    found = {}
    if draw.chance(0.75):
        found["tls"] = {"mode": draw.one(modes)}
    if draw.chance(0.3) or not found:
        found["portLevelSettings"] = [{"port": {"number": draw.one([80, 9000])}, "tls": {"mode": draw.one(modes)}}]
        if draw.chance(0.2):
            # Settings of a port replace all others, also those that they do not name.
            found["portLevelSettings"][0] = {"port": {"number": 80}, "connectionPool": {"tcp": {"maxConnections": 9}}}
    return found
