"""Requests around the borders of a world: each literal, a byte more, a byte less, and the usual tricks."""

import re

from . import draw as words
from .draw import Draw

IDENTITY = re.compile(r"^[a-z0-9.-]+/ns/[a-z0-9-]+/sa/[a-z0-9.-]+$")
HOST_NAME = re.compile(r"^[a-z0-9-]+(\.[a-z0-9-]+)*$")
BARE_NAME = re.compile(r"([?&][^=&#]+)(?=[&#]|$)")
TLS = ""  # stands for the host of a gateway's port that takes TLS
PLAIN_VALUE = re.compile(r"^[!-~]*$")


def requests(draw: Draw, cast, count: int) -> list[dict]:
    """So many requests to a translated world; none where it has no door."""
    known, doors = _Literals(cast), _doors(cast)
    return [{"id": str(index), **_request(draw, known, draw.one(doors))} for index in range(count if doors else 0)]


class _Literals:
    """The texts that a world tells apart."""

    def __init__(self, cast):
        self.paths, self.hosts, self.headers = {"/"}, set(words.HOSTS), {}
        self.identities = {pod["identity"] for pod in cast.pods if not pod["router"]}
        self.clients = [
            (cast.name(index), pod["identity"], _own_doors(cast, index))
            for index, pod in enumerate(cast.pods) if not pod["router"]
        ]
        self.issuers = {issuer for issuer in cast.token_places if issuer}
        # Where a stranger's token goes is only known where all are looked for in one place.
        if all(place.get("header") == "authorization" for place in cast.token_places.values()):
            self.issuers.add("nobody")
        self.clusters = [
            f"outbound_.{port['number']}_.{subset}_.{each['name']}.{each['namespace']}.svc.cluster.local"
            for each in cast.services for port in each["ports"] or [] for subset in ("", "v1")
        ] or ["none.example"]
        self.places = cast.token_places
        self._regexes = dict(words.PATH_REGEXES)
        for each in cast.objects:
            self._collect(each.get("spec"))
        for name in words.HEADERS:
            self.headers.setdefault(name, set()).update(words.HEADER_VALUES)
        names = [("shop", "web"), ("istio-system", "ingress"), ("other", "default"), ("pay", "cart")]
        self.identities |= {f"{cast.trust_domain}/ns/{namespace}/sa/{account}" for namespace, account in names}
        self.identities |= {"old.example/ns/shop/sa/web", "cluster.local/ns/shop/sa/cart"}

    def _collect(self, node) -> None:
        if isinstance(node, list):
            for each in node:
                self._collect(each)
        elif isinstance(node, dict):
            for key, value in node.items():
                self._field(key, value)
                self._collect(value)

    def _field(self, key: str, value) -> None:
        if key in ("paths", "notPaths") and isinstance(value, list):
            self.paths.update(_concrete(path) for path in value)
        elif key in ("hosts", "notHosts") and isinstance(value, list):
            hosts = [host.rpartition("/")[2].strip("*").strip(".") for host in value]
            self.hosts.update(host for host in hosts if host)
        elif key in ("principals", "notPrincipals") and isinstance(value, list):
            self.identities.update(each for each in value if IDENTITY.match(each))
        elif key in ("headers", "withoutHeaders") and isinstance(value, dict):
            for name, match in value.items():
                texts = [text for text in match.values() if isinstance(text, str)] if isinstance(match, dict) else []
                if re.fullmatch(r"[A-Za-z0-9-]+", name) and name not in ("request", "response"):
                    self.headers.setdefault(name, {"x"}).update(text for text in texts if PLAIN_VALUE.match(text))
        elif key == "uri":
            self._uri(value)

    def _uri(self, value) -> None:
        """A match of a path, or what a path becomes."""
        if isinstance(value, str):
            self.paths.add(_concrete(value))
        elif isinstance(value, dict):
            for kind, text in value.items():
                texts = self._regexes.get(text, ["/"]) if kind == "regex" else [_concrete(text)]
                self.paths.update(texts)


def _concrete(pattern: str) -> str:
    """A path that a pattern is near to."""
    path = pattern.replace("{**}", "x/y").replace("{*}", "x").replace("*", "")
    return path if path.startswith("/") else "/" + path


def _doors(cast) -> list[tuple[str, str | None]]:
    """Entrypoints, each with the host that one would use there."""
    found = []
    for index, pod in enumerate(cast.pods):
        if not pod["router"]:
            host = f"{pod['name']}.{pod['namespace']}"
            found += [(f"workload {cast.name(index)}:{port['number']}", host) for port in pod["ports"] or []]
    for service in cast.services:
        own = [each for each in service["ports"] or [] if each["targets"]]
        routers = any(cast.pods[target["pod"]]["router"] for each in own for target in each["targets"])
        if not routers and service["address"]:
            path = f"{service['namespace']}/{service['name']}"
            host = f"{service['name']}.{service['namespace']}.svc.cluster.local"
            found += [(f"service {path}:{port['number']}", host) for port in own]
    for gateway in cast.gateways:
        tls = {}
        for server in gateway["servers"]:
            tls.setdefault(server["port"], server["tls"])
        for port in sorted(tls):
            host = TLS if tls[port] else None
            found += [(f"gateway {gateway['namespace']}/{gateway['name']}:{port}", host)] * (3 if port > 1024 else 4)
    return found


def _own_doors(cast, index: int) -> set[str]:
    """The doors that a pod reaches past all proxies, for they lead to itself."""
    return {
        f"service {service['namespace']}/{service['name']}:{port['number']}"
        for service in cast.services if service["address"] == "None"
        for port in service["ports"] or [] if any(target["pod"] == index for target in port["targets"])
    }


def _request(draw: Draw, known: _Literals, door: tuple[str, str | None]) -> dict:
    entrypoint, host = door
    kind = entrypoint.split(" ")[0]
    found = {"entrypoint": entrypoint, "authority": _authority(draw, known, host), "path": _path(draw, known)}
    if kind == "service" and draw.chance(0.7):
        callers = [each[:2] for each in known.clients if entrypoint not in each[2]]
        if callers:
            found["source_workload"], found["source"] = draw.one(callers)
    elif kind == "workload" and draw.chance(0.7) or host == TLS and draw.chance(0.4):
        found["source"] = draw.one(sorted(known.identities))
    if draw.chance(0.4):
        found["method"] = draw.one(words.METHODS)
    if draw.chance(0.4):
        found["headers"] = _headers(draw, known)
    found["sni"] = _server_name(draw, found["authority"])
    if kind != "service":
        found["source_ip"] = draw.one(words.ADDRESSES)
        if host == TLS and draw.chance(0.15 if entrypoint.endswith(":443") else 0.4):
            found["sni"] = draw.one(known.clusters)
    if draw.chance(0.05):
        found["protocol"] = "tcp"
    if draw.chance(0.3) and known.issuers:
        found |= _token(draw, known)
        if "param" in known.places.get(found["claims"]["iss"], {}):
            # The filter writes the query anew when it takes the token away: a bare name gets its `=`.
            found["path"] = BARE_NAME.sub(r"\1=", found["path"])
    return found


def _authority(draw: Draw, known: _Literals, own: str | None) -> str:
    hosts = sorted(known.hosts)
    if own:
        hosts += [own] * 5 + [".".join(own.split(".")[:2]), own.split(".")[0]]
    host = draw.one(hosts)
    return draw.weighted([
        (host, 14), (f"{host}:80", 2), (host.upper(), 1), (f"{host}.", 1), (f"sub.{host}", 2), (f"x{host}", 1),
        (host[1:] or host, 1), (host.capitalize(), 1),
    ])


def _server_name(draw: Draw, authority: str) -> str:
    """What TLS asks for: mostly the host, as far as it is a name."""
    host = authority.rsplit(":", 1)[0].lower()
    return host if HOST_NAME.match(host) and draw.chance(0.85) else draw.one(words.HOSTS)


def _path(draw: Draw, known: _Literals) -> str:
    """A literal, two in a row, or one with a trick."""
    path, other = draw.one(sorted(known.paths)), draw.one(sorted(known.paths))
    if draw.chance(0.3):
        path = path.rstrip("/") + other
    if draw.chance(0.45):
        return path
    below = path[1:]
    return draw.one([
        f"{path}x", path[:-1], f"{path}/", f"{path}//", f"/{path}", f"/%2e%2e/{below}", f"/.{path}", f"{path}*",
        "/" + below.replace("/", "%2F"), "/" + below.replace("/", "\\"), f"/x/..{other}", f"/x/..;{other}",
        f"/x/%2e%2e;{other}", f"{path};x", f"{path}?q", f"{path}#f", f"{path}?k=v", f"{path}?debug", f"{path}?k=1&k=v",
        f"{path}?k={other}", path.upper(), path.swapcase(), path.replace("a", "%61"), path.replace("/", "//"),
        f"{path}/.", f"{path}/..", f"{path}/../{other}", f"{path}..{other}", f"{path}%00", f"{path}%", f"{path}|",
        f"{path}/x/y",
    ]) or "/"


def _headers(draw: Draw, known: _Literals) -> list[list[str]]:
    found = []
    for _ in range(draw.weighted([(1, 5), (2, 3)])):
        name = draw.one(sorted(known.headers))
        value = draw.one(sorted(known.headers[name]))
        found.append([name, draw.weighted([(value, 6), (value + "x", 1), (value[:-1], 1), ("", 0.5)])])
    if draw.chance(0.1):
        found.append(["x-forwarded-for", ", ".join(draw.some(words.ADDRESSES, 2))])
    if draw.chance(0.1):
        origin = draw.one(["https://x.example", "https://y.example"])
        found += [["origin", origin], ["access-control-request-method", "GET"]]
    return found


def _token(draw: Draw, known: _Literals) -> dict:
    claims = {"iss": draw.one(sorted(known.issuers))}
    if draw.chance(0.9):
        claims["sub"] = draw.one(words.SUBJECTS)
    if draw.chance(0.5):
        claims["aud"] = draw.one(["api", ["web", "api"], "other"])
    if draw.chance(0.3):
        claims["azp"] = "app"
    if draw.chance(0.5):
        claims[draw.one(["group", "scope", "roles", "level"])] = draw.one(["dev", ["ops", "dev"], "read write", 5])
    if draw.chance(0.2):
        claims["a"] = {"b": draw.one(["dev", "x"])}
    return {"claims": claims, **({"token": "invalid"} if draw.chance(0.1) else {})}
