"""AuthorizationPolicies, PeerAuthentications and RequestAuthentications."""

from . import draw as words
from .draw import Draw
from .workloads import ROOT, Cast

API = "security.istio.io/v1"


def objects(draw: Draw, cast: Cast) -> list[dict]:
    """The security policies of a world."""
    found = []
    for index in range(draw.weighted([(0, 1), (1, 3), (2, 4), (3, 3), (5, 1)])):
        found.append(_authorization(draw, cast, f"p{index}"))
    for index in range(draw.weighted([(0, 4), (1, 4), (2, 2)])):
        found.append(_peer(draw, cast, f"m{index}"))
    places = {issuer: _place(draw) for issuer in words.ISSUERS}
    for index in range(draw.weighted([(0, 5), (1, 3), (2, 1)])):
        found.append(_request(draw, cast, f"j{index}", places))
    return found


def _attachment(draw: Draw, cast: Cast) -> tuple[str, dict]:
    """A namespace and what is selected there."""
    namespace = draw.weighted([(ROOT, 2)] + [(name, 4) for name in cast.namespaces])
    here = [workload for workload in cast.workloads if workload.namespace == namespace]
    if namespace == ROOT:
        here = [cast.gateway, *cast.workloads[:1]]
    if not here or draw.chance(0.35):
        return namespace, {}
    labels = {key: value for key, value in draw.one(here).labels.items() if "/" not in key}
    return namespace, {"selector": {"matchLabels": {key: labels[key] for key in draw.some(sorted(labels), 1)}}}


def _authorization(draw: Draw, cast: Cast, name: str) -> dict:
    namespace, spec = _attachment(draw, cast)
    if draw.chance(0.05):
        spec = {"targetRefs": [_target(draw, cast)]}
    metadata = {"name": name, "namespace": namespace}
    if draw.chance(0.05):
        metadata["annotations"] = {"istio.io/dry-run": draw.one(["true", "false", "1"])}
    action = draw.weighted([("ALLOW", 8), ("DENY", 7), ("AUDIT", 1), ("CUSTOM", 0.7)])
    if action != "ALLOW" or draw.chance(0.5):
        spec["action"] = action
    if action == "CUSTOM":
        spec["provider"] = {"name": draw.one(["ext", "missing"])}
    if draw.chance(0.93) or action in ("DENY", "CUSTOM"):
        spec["rules"] = [_rule(draw, cast, action) for _ in range(draw.weighted([(1, 6), (2, 3), (3, 1)]))]
    return {"apiVersion": API, "kind": "AuthorizationPolicy", "metadata": metadata, "spec": spec}


def _target(draw: Draw, cast: Cast) -> dict:
    """An entry of `targetRefs`; a sidecar heeds none of them."""
    name = draw.one(cast.workloads).name
    return draw.one([
        {"group": "", "kind": "Service", "name": name},
        {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "none"},
        {"group": "gateway.networking.k8s.io", "kind": "GatewayClass", "name": "istio-waypoint"},
        {"group": "networking.istio.io", "kind": "ServiceEntry", "name": "e0"},
    ])


def _rule(draw: Draw, cast: Cast, action: str) -> dict:
    rule = {}
    if draw.chance(0.45) and action != "CUSTOM":
        rule["from"] = [{"source": _source(draw, cast)} for _ in range(draw.weighted([(1, 4), (2, 1)]))]
    if draw.chance(0.7):
        rule["to"] = [{"operation": _operation(draw)} for _ in range(draw.weighted([(1, 4), (2, 1)]))]
    if draw.chance(0.25):
        rule["when"] = [_condition(draw, cast, action) for _ in range(draw.weighted([(1, 4), (2, 1)]))]
    return rule


def _fields(draw: Draw, makers: dict, most: int) -> dict:
    """Some fields, positive, negative or both."""
    found = {}
    for name, make in draw.some(makers.items(), most):
        negative = "not" + name[0].upper() + name[1:]
        for key in draw.weighted([((name,), 6), ((negative,), 3), ((name, negative), 1)]):
            found[key] = sorted({make() for _ in range(draw.weighted([(1, 4), (2, 2), (3, 1)]))})
    return found


def _source(draw: Draw, cast: Cast) -> dict:
    makers = {
        "principals": lambda: principal(draw, cast),
        "namespaces": lambda: namespace_pattern(draw),
        "requestPrincipals": lambda: _request_principal(draw),
        "ipBlocks": lambda: draw.one(words.BLOCKS),
        "remoteIpBlocks": lambda: draw.one(words.BLOCKS),
        "trustDomains": lambda: draw.one([cast.trust_domain, "old.example", "*.example", "cluster.*", "*"]),
    }
    if draw.chance(0.15):
        accounts = {"serviceAccounts": lambda: draw.one(["web", "default", "cart", "shop/web", "pay/bill"])}
        return _fields(draw, accounts, 1)
    return _fields(draw, makers, 2)


def principal(draw: Draw, cast: Cast) -> str:
    """A value of `principals`."""
    domain = draw.weighted([(cast.trust_domain, 5), ("cluster.local", 2), ("old.example", 1), ("*", 1)])
    namespace = draw.one([*cast.namespaces, ROOT, "other"])
    account = draw.one(["web", "default", "cart", "bill", "ingress"])
    exact = f"{domain}/ns/{namespace}/sa/{account}"
    shapes = [
        (exact, 6), (f"{domain}/ns/{namespace}/*", 2), (f"{domain}/ns/{namespace}/sa/*", 1), (f"*/sa/{account}", 1),
        (f"*/ns/{namespace}/sa/{account}", 1), ("*", 1), (f"spiffe://{exact}", 0.3),
    ]
    return draw.weighted(shapes)


def namespace_pattern(draw: Draw) -> str:
    """A value of `namespaces`."""
    plain = [("shop", 4), ("pay", 4), (ROOT, 2), ("other", 1)]
    return draw.weighted([*plain, ("sh*", 1), ("*ay", 1), ("*", 1), ("s*p", 1)])


def _request_principal(draw: Draw) -> str:
    issuer, subject = draw.one(words.ISSUERS), draw.one(words.SUBJECTS)
    return draw.weighted([
        (f"{issuer}/{subject}", 4), (f"{issuer}/*", 3), ("*", 2), (f"*/{subject}", 1), (issuer, 0.5), ("*/*", 0.5),
        (f"*{subject}", 0.5), (f"{issuer[:-1]}*", 0.5), (f"{issuer}/bo*", 0.5),
    ])


def _operation(draw: Draw) -> dict:
    makers = {
        "paths": lambda: path_pattern(draw),
        "methods": lambda: draw.weighted([(each, 3) for each in words.METHODS] + [("*", 1), ("P*", 1), ("get", 1)]),
        "hosts": lambda: host_pattern(draw),
        "ports": lambda: draw.one(["8080", "80", "9000", "9001", "8443", "7070"]),
    }
    if draw.chance(0.5):
        return _fields(draw, {"paths": makers["paths"]}, 1)
    return _fields(draw, makers, 2)


def path_pattern(draw: Draw) -> str:
    """A value of `paths`."""
    path = draw.path()
    segment = draw.one(words.SEGMENTS)
    return draw.weighted([
        (path, 6), (path.rstrip("/") + "/*", 4), (path + "*", 3), (f"*/{segment}", 2), (f"*{segment}", 1), ("*", 1),
        ("/", 1), (path.rstrip("/") + "/{*}", 1), (path.rstrip("/") + "/{**}", 1), (f"/{{*}}/{segment}", 1),
        (f"/{{**}}/{segment}", 0.5), ("/a*i", 0.5), ("/*/" + segment, 0.5), (segment, 0.3), (path + "%2F", 0.3),
    ])


def host_pattern(draw: Draw) -> str:
    """A value of `hosts`."""
    host = draw.one([*words.HOSTS, "cart.shop", "cart.shop.svc.cluster.local"])
    return draw.weighted([
        (host, 6), (f"{host}:*", 2), (f"{host}:80", 1), (f"*.{host}", 1), (f"*{host}", 1), ("*", 1), (host.upper(), 1),
        (host.split(".")[0] + ".*", 1),
    ])


def _condition(draw: Draw, cast: Cast, action: str) -> dict:
    """An entry of `when`."""
    makers = {
        f"request.headers[{draw.one(words.HEADERS)}]": lambda: header_pattern(draw),
        "source.ip": lambda: draw.one(words.BLOCKS),
        "remote.ip": lambda: draw.one(words.BLOCKS),
        "destination.port": lambda: draw.one(["8080", "80", "9000", "8443"]),
        "connection.sni": lambda: draw.one(["*.example.com", "shop.example.com", "*", "outbound*"]),
    }
    if action != "CUSTOM":
        makers |= {
            "source.namespace": lambda: namespace_pattern(draw),
            "source.principal": lambda: principal(draw, cast),
            "source.serviceAccount": lambda: draw.one(["web", "shop/cart", "pay/default"]),
            "source.trustDomain": lambda: draw.one([cast.trust_domain, "*", "old.*"]),
            "request.auth.principal": lambda: _request_principal(draw),
            "request.auth.audiences": lambda: draw.one(["api", "web", "a*", "*"]),
            "request.auth.presenter": lambda: draw.one(["app", "*"]),
            f"request.auth.claims[{draw.one(['group', 'scope', 'roles', 'level', 'x.y'])}]": lambda: _claim(draw),
            "request.auth.claims[a][b]": lambda: _claim(draw),
        }
    key, make = draw.one(makers.items())
    condition = {"key": key}
    for name in draw.weighted([(("values",), 6), (("notValues",), 3), (("values", "notValues"), 1)]):
        condition[name] = sorted({make() for _ in range(draw.integer(1, 2))})
    return condition


def header_pattern(draw: Draw) -> str:
    """A value of a header condition."""
    value = draw.one(words.HEADER_VALUES)
    return draw.weighted([(value, 6), (value[:3] + "*", 2), ("*" + value[2:], 1), ("*", 1)])


def _claim(draw: Draw) -> str:
    return draw.one(["dev", "ops", "read", "d*", "*s", "*", "5"])


def _peer(draw: Draw, cast: Cast, name: str) -> dict:
    namespace, spec = _attachment(draw, cast)
    modes = ["STRICT", "PERMISSIVE", "DISABLE", "UNSET"]
    if draw.chance(0.9):
        spec["mtls"] = {"mode": draw.one(modes)}
    if draw.chance(0.4) and "selector" in spec:
        ports = draw.some(["8080", "80", "9000", "9001", "7070"], 2)
        spec["portLevelMtls"] = {port: {"mode": draw.one(modes)} for port in ports}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API, "kind": "PeerAuthentication", "metadata": metadata, "spec": spec}


def _place(draw: Draw) -> dict:
    """Where tokens of an issuer are looked for; the same everywhere, for a request carries its token once."""
    place = draw.weighted([("", 5), ("header", 2), ("param", 1), ("cookie", 1)])
    if place == "header":
        return {"fromHeaders": [{"name": "x-token", "prefix": draw.one(["", "Token "])}]}
    if place == "cookie":
        return {"fromCookies": ["session"]}
    return {"fromParams": ["token"]} if place == "param" else {}


def _request(draw: Draw, cast: Cast, name: str, places: dict) -> dict:
    namespace, spec = _attachment(draw, cast)
    rules = []
    for issuer in draw.some(words.ISSUERS, 2):
        rule = {"issuer": issuer, **places[issuer]}
        if draw.chance(0.3):
            rule["audiences"] = draw.some(["api", "web"], 2)
        if draw.chance(0.2):
            rule["forwardOriginalToken"] = True
        if draw.chance(0.1):
            rule["outputClaimToHeaders"] = [{"header": "x-role", "claim": draw.one(["group", "sub"])}]
        if draw.chance(0.05):
            rule["outputPayloadToHeader"] = "x-payload"
        rules.append(rule)
    if draw.chance(0.05):
        spec = {"targetRefs": [_target(draw, cast)]}
    spec["jwtRules"] = rules
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API, "kind": "RequestAuthentication", "metadata": metadata, "spec": spec}

