"""Requests around the borders of a world: each literal, a byte more, a byte less, and the usual tricks."""

from . import draw as words
from .draw import Draw
from .workloads import ROOT, Cast


def requests(draw: Draw, cast: Cast, objects: list[dict], count: int) -> list[dict]:
    """So many requests of a world."""
    known = _Literals(objects)
    doors = _doors(cast, objects)
    return [{"id": str(index), **_request(draw, cast, known, draw.one(doors))} for index in range(count)]


class _Literals:
    """The texts that a world tells apart."""

    def __init__(self, objects: list[dict]):
        self.paths, self.hosts, self.headers = {"/"}, set(words.HOSTS), {}
        self._regexes = dict(words.PATH_REGEXES)
        for each in objects:
            if each["apiVersion"] != "v1":
                self._collect(each.get("spec"))
        for name in words.HEADERS:
            self.headers.setdefault(name, set()).update(words.HEADER_VALUES)

    def _collect(self, node) -> None:
        if isinstance(node, list):
            for each in node:
                self._collect(each)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in ("paths", "notPaths"):
                    self.paths.update(_concrete(path) for path in value)
                elif key in ("hosts", "notHosts"):
                    self.hosts.update(host.rpartition("/")[2].strip("*").strip(".") or "any.example" for host in value)
                elif key == "uri":
                    self._uri(value)
                self._collect(value)

    def _uri(self, value) -> None:
        """A match of a path, or what a path becomes."""
        if isinstance(value, str):
            self.paths.add(value)
        else:
            for kind, text in value.items():
                self.paths.update(self._regexes[text] if kind == "regex" else [text or "/"])


def _concrete(pattern: str) -> str:
    """A path that a policy's pattern is near to."""
    path = pattern.replace("{**}", "x/y").replace("{*}", "x").replace("*", "")
    return path if path.startswith("/") else "/" + path


def _doors(cast: Cast, objects: list[dict]) -> list[tuple[str, object]]:
    """Entrypoints, with the workload behind where there is one."""
    found = []
    for workload in cast.workloads:
        targets = {target for _, _, target in workload.ports} | set(workload.declared)
        found += [(f"workload {workload.namespace}/{workload.name}:{port}", workload) for port in sorted(targets)]
        found += [(f"service {workload.namespace}/{workload.name}:{port}", workload) for _, port, _ in workload.ports]
    for each in objects:
        if each["kind"] == "Gateway":
            metadata = each["metadata"]
            for port in sorted({server["port"]["number"] for server in each["spec"]["servers"]}):
                found += [(f"gateway {metadata['namespace']}/{metadata['name']}:{port}", None)] * 4
    return found


def _request(draw: Draw, cast: Cast, known: _Literals, door: tuple[str, object]) -> dict:
    entrypoint, workload = door
    kind = entrypoint.split(" ")[0]
    found = {"entrypoint": entrypoint, "authority": _authority(draw, known, workload), "path": _path(draw, known)}
    source = _source(draw, cast, kind)
    if source:
        found["source"] = source
    if draw.chance(0.4):
        found["method"] = draw.one(words.METHODS)
    if draw.chance(0.4):
        found["headers"] = _headers(draw, known)
    if kind != "service":
        found["source_ip"] = draw.one(words.ADDRESSES)
    if kind == "workload" and draw.chance(0.05):
        found["protocol"] = "tcp"
    if draw.chance(0.3):
        found |= _token(draw)
    return found


def _source(draw: Draw, cast: Cast, kind: str) -> str | None:
    if kind == "gateway" or draw.chance(0.3):
        return None
    inside = [f"{cast.trust_domain}/ns/{each.namespace}/sa/{each.account}" for each in [*cast.workloads, cast.gateway]]
    if kind == "service":
        return draw.one(inside[:-1])
    domain = draw.weighted([(cast.trust_domain, 8), ("old.example", 1), ("cluster.local", 1)])
    namespace, account = draw.one(["shop", "pay", ROOT, "other"]), draw.one(["web", "default", "cart", "ingress"])
    return draw.one([*inside, f"{domain}/ns/{namespace}/sa/{account}"])


def _authority(draw: Draw, known: _Literals, workload) -> str:
    hosts = sorted(known.hosts)
    if workload:
        fqdn = f"{workload.name}.{workload.namespace}.svc.cluster.local"
        hosts += [fqdn] * 4 + [f"{workload.name}.{workload.namespace}", workload.name]
    host = draw.one(hosts)
    return draw.weighted([
        (host, 14), (f"{host}:80", 2), (host.upper(), 1), (f"{host}.", 1), (f"sub.{host}", 2), (f"x{host}", 1),
        (host[1:], 1), (host.capitalize(), 1),
    ])


def _path(draw: Draw, known: _Literals) -> str:
    path = draw.one(sorted(known.paths))
    other = draw.one(sorted(known.paths))
    if draw.chance(0.3):
        path = path.rstrip("/") + other
    if draw.chance(0.45):
        return path
    trick = draw.one([
        lambda: path + "x", lambda: path[:-1] or "/", lambda: path + "/", lambda: path + "//", lambda: "/" + path,
        lambda: path.replace("/", "/%2e%2e/", 1), lambda: path.replace("/", "%2F")[3:] and "/" + path[1:].replace("/", "%2F"),
        lambda: f"/x/..{other}", lambda: f"/x/..;{other}", lambda: f"{path};x", lambda: f"{path}?q", lambda: f"{path}#f",
        lambda: path.upper(), lambda: path.replace("a", "%61"), lambda: path.replace("/", "\\")[1:] and "/" + path[1:].replace("/", "\\"),
        lambda: f"{path}?k=v", lambda: f"{path}?debug", lambda: f"{path}?k=1&k=v", lambda: f"{path}/.", lambda: f"{path}/..",
        lambda: f"{path}/../{other}", lambda: f"{path}..{other}", lambda: f"{path}%00", lambda: f"{path}%", lambda: f"{path}|",
        lambda: f"/x/%2e%2e;{other}", lambda: path.replace("/", "//"), lambda: f"{path}?k={other}", lambda: f"/.{path}",
        lambda: f"{path}*", lambda: f"{path}/x/y", lambda: path.swapcase(),
    ])
    return trick()


def _headers(draw: Draw, known: _Literals) -> list[list[str]]:
    found = []
    for _ in range(draw.weighted([(1, 5), (2, 3)])):
        name = draw.one(sorted(known.headers))
        value = draw.one(sorted(known.headers[name]))
        found.append([name, draw.weighted([(value, 6), (value + "x", 1), (value[:-1], 1), ("", 0.5)])])
    if draw.chance(0.1):
        found.append(["x-forwarded-for", ", ".join(draw.some(words.ADDRESSES, 2))])
    if draw.chance(0.1):
        found += [["origin", draw.one(["https://x.example", "https://y.example"])], ["access-control-request-method", "GET"]]
    return found


def _token(draw: Draw) -> dict:
    claims = {"iss": draw.one([*words.ISSUERS, "nobody"])}
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
