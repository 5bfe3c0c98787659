"""One world, end to end: translated, run, asked."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from . import adapt, client, observe, token
from .applications import Applications
from .processes import Envoy, HarnessError, Istiod
from .world import Cast, Door

CALLER = "203.0.113.7"  # whence requests come that do not say, as for `eval`
AT_ONCE = 8  # requests on their way at a time
OUTSIDE_ALPN, MESH_ALPN = ["http/1.1"], ["istio-http/1.1", "istio", "http/1.1"]
TCP_ALPN = ["istio-peer-exchange", "istio"]


@dataclass
class Attempt:
    """One connection that a request may stand for."""

    target: tuple[str, int] | None
    door: str
    tls: bool = False
    source: str = CALLER
    prefix: bytes = b""
    gateway: str | None = None
    anonymous: bool = False  # the application's own TLS, not that of the mesh
    meshed: bool = False  # as proxies of the mesh speak, also at a gateway


@dataclass
class Stack:
    """What worlds of a run share."""

    istiod: Istiod
    envoy: str
    identities: client.Identities
    applications: Applications = field(default_factory=Applications)


def translate(stack: Stack, files: list[dict]) -> Cast:
    """What istiod makes of manifests."""
    return Cast(stack.istiod.translate({"files": files}))


def run(stack: Stack, cast: Cast, world: dict, times: dict[str, int]) -> list[list[dict]]:
    """Every outcome that was observed of each request. `times` says which requests are sent repeatedly."""
    identities = {request["source"] for request in world["requests"] if request.get("source")}
    cast.certificates |= stack.istiod.certify(sorted(identities))
    with tempfile.TemporaryDirectory(prefix="meshlint-conformance-") as folder:
        plan = _Plan(cast)
        attempts = [plan.attempts(request) for request in world["requests"]]
        replies = _exchange(stack, cast, plan, world["requests"], attempts, times, folder)
        logs = observe.Logs(os.path.join(folder, "access.log"))
    found = []
    for mine in replies:
        distinct = []
        for attempt, reply in mine:
            one = _without_token(observe.outcome(reply, attempt.door, attempt.gateway, logs))
            if one not in distinct:
                distinct.append(one)
        found.append(distinct)
    return found


def _without_token(outcome: dict) -> dict:
    """The outcome, its path without the token that was put there: requests are written without it."""
    path = outcome.get("path")
    return {**outcome, "path": token.PARAMETER.sub("", path)} if path else outcome


def _exchange(stack, cast, plan, requests, attempts, times, folder) -> list[list]:
    """Runs Envoy and the applications, and sends everything."""
    log = os.path.join(folder, "access.log")
    open(log, "wb").close()
    for index, _ in enumerate(cast.pods):
        stack.applications.open(cast.bytes_port(index), cast.name(index), reads=False)
        stack.applications.open(cast.bare_port(index), cast.name(index), reads=True)
    stack.applications.open(cast.ELSEWHERE[1], "elsewhere", reads=True)
    try:
        envoy = Envoy(stack.envoy, adapt.bootstrap(cast, plan.doors, plan.bare, log), folder, cast.READY)
        try:
            def send(pair: tuple[dict, list[Attempt]]) -> list[tuple[Attempt, client.Reply]]:
                return _send_all(stack, cast, *pair, times)

            # Requests know nothing of each other, and most of their time they wait.
            with ThreadPoolExecutor(AT_ONCE) as pool:
                return list(pool.map(send, zip(requests, attempts)))
        finally:
            envoy.close()
    finally:
        stack.applications.close()


def _send_all(stack, cast, request, attempts, times) -> list[tuple[Attempt, client.Reply]]:
    """Every attempt of a request, as often as it is to be sent."""
    repeated = [attempt for attempt in attempts for _ in range(times.get(request["id"], 1))]
    return [(attempt, _send(stack, cast, request, attempt)) for attempt in repeated]


def _send(stack: Stack, cast: Cast, request: dict, attempt: Attempt) -> client.Reply:
    if attempt.target is None:
        return client.Reply("refused")
    authority = request["authority"]
    context = None
    if attempt.tls:
        source = None if attempt.anonymous else request.get("source")
        outside = attempt.anonymous or attempt.gateway and not (attempt.meshed and source)
        alpn = OUTSIDE_ALPN if outside else TCP_ALPN if request.get("protocol") == "tcp" else MESH_ALPN
        context = stack.identities.context(cast.certificates[source] if source else None, alpn)
    sent = dict(request)
    if request.get("claims") is not None or request.get("token"):
        sent = _with_token(sent, cast.token_places)
    data = client.message(sent, authority)
    sni = request.get("sni") or _host(authority) or None
    return client.send(attempt.target, attempt.source, attempt.prefix, data, context, sni)


def _host(authority: str) -> str:
    """The host of an authority, as a client names it in TLS."""
    return authority.rsplit(":", 1)[0].rstrip(".").lower()


def _with_token(request: dict, places: dict) -> dict:
    """The request with its token, where the world's rule for that issuer looks first."""
    claims = request.get("claims") or {"iss": "meshlint"}
    signed = token.sign(claims, request.get("token", "valid") == "valid")
    place = places.get(claims.get("iss"), {"header": "authorization", "prefix": "Bearer "})
    if "header" in place:
        headers = [*(request.get("headers") or []), [place["header"], place.get("prefix", "") + signed]]
        return {**request, "headers": headers}
    if "cookie" in place:
        return {**request, "headers": [*(request.get("headers") or []), ["cookie", f"{place['cookie']}={signed}"]]}
    target, hash_mark, fragment = request.get("path", "/").partition("#")
    target += ("&" if "?" in target else "?") + f"{place['param']}={signed}"
    return {**request, "path": target + hash_mark + fragment}


class _Plan:
    """Which doors a world's requests go through."""

    def __init__(self, cast: Cast):
        self._cast = cast
        self.doors, self.bare = cast.doors(), cast.bare_doors()
        self._clients: dict[tuple, Door | None] = {}

    def attempts(self, request: dict) -> list[Attempt]:
        """The connections that a request stands for: one, or one for each that may take it."""
        kind, _, rest = request["entrypoint"].partition(" ")
        name, _, port = rest.rpartition(":")
        attempts = {"workload": self._straight, "gateway": self._at_gateway, "service": self._through_client}
        found = attempts[kind](request, name, int(port))
        for attempt in found:
            attempt.source = request.get("source_ip") or attempt.source
        return found

    def _to_pod(self, request: dict, index: int, port: int) -> Attempt:
        """Straight to a pod's port."""
        pod, name = self._cast.pods[index], f"workload {self._cast.name(index)}"
        known = [each for each in pod["ports"] or [] if each["number"] == port]
        if not known:
            return Attempt(None, name)
        tls = known[0]["captured"] and request.get("source") is not None
        return Attempt((pod["address"], port), name, tls)

    def _straight(self, request: dict, name: str, port: int) -> list[Attempt]:
        index = self._cast.pod(name)
        if index is None:
            raise HarnessError(f"no workload is called {name}")
        return [self._to_pod(request, index, port)]

    def _at_gateway(self, request: dict, name: str, port: int) -> list[Attempt]:
        found = []
        for gateway in self._cast.gateways:
            if f"{gateway['namespace']}/{gateway['name']}" != name:
                continue
            # Of several servers on a port the first is the one that is asked about.
            server = next((server for server in gateway["servers"] if server["port"] == port), {})
            for index in gateway["pods"]:
                target = (self._cast.pods[index]["address"], self._listening(index, port))
                at = f"gateway {name}"
                found.append(Attempt(target, at, server.get("tls", False), gateway=at, meshed=server.get("mesh", False)))
        return found or [Attempt(None, f"gateway {name}")]

    def _listening(self, index: int, port: int) -> int:
        """The port that a gateway's pod listens on for a server's port."""
        for service in self._cast.services:
            for target in self._cast.targets(service, port):
                if target["pod"] == index:
                    return target["port"]
        return port

    def _through_client(self, request: dict, name: str, port: int) -> list[Attempt]:
        namespace, _, short = name.partition("/")
        service = self._cast.service(namespace, short)
        if service is None:
            raise HarnessError(f"no Service is called {name}")
        clients = self._cast.clients(request.get("source"), request.get("source_workload"))
        guarded = [index for index in clients if port not in (self._cast.pods[index]["spared"] or [])]
        found = [self._out_of(index, service, port, dialled)
                 for index in guarded for dialled in self._cast.addresses(service, port)]
        if len(guarded) < len(clients) or not clients:
            plain = {**request, "source": None}
            found += [self._to_pod(plain, each["pod"], each["port"]) for each in self._cast.targets(service, port)]
        return found

    def _out_of(self, index: int, service: dict, port: int, dialled: str) -> Attempt:
        """Out through a pod's own sidecar, to a Service's address."""
        key = index, service["namespace"], service["name"], port, dialled
        if key not in self._clients:
            door = self._cast.client_door(index, service, port, dialled, len(self._clients))
            self._clients[key] = door
            if door:
                self.doors.append(door)
        door, address = self._clients[key], self._cast.pods[index]["address"]
        at = f"client {self._cast.name(index)}"
        if door is None:
            return Attempt(None, at)
        prefix = f"PROXY TCP4 {address} {dialled} 40000 {port}\r\n".encode()
        tls = any(each["tls"] for each in service["ports"] if each["number"] == port)
        return Attempt((door.address, door.port), at, tls, "127.0.0.1", prefix, anonymous=tls)
