"""One static Envoy configuration for all proxies of a world.

What decides stays as istiod wrote it. Changed is only what names the surroundings: addresses to bind,
discovery (inlined), secrets (static), clusters (named by proxy), the applications (echoes).
"""

import copy

from . import filters
from .world import Cast, Door

HTTP_ALPN = {False: ["istio-http/1.1", "istio", "http/1.1"], True: ["istio-h2", "istio", "h2"]}

RUNTIME = {
    "envoy.reloadable_features.http_reject_path_with_fragment": False,
    "re2.max_program_size.error_level": 32768,
}


def bootstrap(cast: Cast, doors: list[Door], bare: list[Door], log_path: str) -> dict:
    """The configuration: listeners for the doors that requests go through, and all that lies behind."""
    listeners, clusters = [], []
    for index, _ in enumerate(cast.pods):
        listeners.append(filters.echo(cast.name(index), cast.echo_port(index)))
        sniffing, as_bytes = cast.sniffing_port(index), cast.cluster(index, "bytes")
        listeners.append(filters.bare(cast.name(index), "127.0.0.1", sniffing, as_bytes, reads=False))
        for name, port in ("bare", cast.bare_port(index)), ("bytes", cast.bytes_port(index)):
            endpoints = filters.assignment(name, [("127.0.0.1", port)])
            clusters.append({"name": cast.cluster(index, name), "type": "STATIC", "loadAssignment": endpoints})
    for door in bare:
        as_sent = cast.cluster(door.pod, "bare")
        listeners.append(filters.bare(cast.name(door.pod), door.address, door.port, as_sent))
    for door in doors:
        listeners.append(_listener(cast, door, log_path))
    for proxy in cast.proxies:
        used = [door for door in doors if door.pod == proxy["pod"]]
        for cluster in proxy["clusters"]:
            clusters.extend(_clusters(cast, proxy, cluster, used))
    return {
        "node": {"id": "conformance", "cluster": "conformance"},
        "layered_runtime": {"layers": [{"name": "static", "static_layer": RUNTIME}]},
        "static_resources": {
            "listeners": listeners + [filters.echo("ready", cast.READY)],
            "clusters": clusters,
            "secrets": _secrets(cast),
        },
    }


def _secrets(cast: Cast) -> list[dict]:
    """Every pod's certificate, and the one authority."""
    secrets = [{"name": "authority", "validationContext": {"trustedCa": {"inlineString": cast.authority}}}]
    for identity, certificate in sorted(cast.certificates.items()):
        chain, key = {"inlineString": certificate["chain"]}, {"inlineString": certificate["key"]}
        secrets.append({"name": identity, "tlsCertificate": {"certificateChain": chain, "privateKey": key}})
    return secrets


def _listener(cast: Cast, door: Door, log_path: str) -> dict:
    """A listener of a proxy, bound to a real address."""
    listener = copy.deepcopy(door.listener)
    adapter = filters.Adapter(cast, door)
    chains = [chain for chain in listener.get("filterChains", []) if _serves(chain, door)]
    for chain in chains:
        adapter.chain(chain)
    default = listener.get("defaultFilterChain")
    if default:
        adapter.chain(default)
    before = [each for each in listener.get("listenerFilters", []) if each["name"] not in filters.NO_LISTENER_FILTERS]
    if door.kind == "client":
        before.insert(0, filters.PROXY_PROTOCOL)
    found = {
        "name": door.place(),
        "address": filters.address(door.address, door.port),
        "listenerFilters": before,
        "listenerFiltersTimeout": listener.get("listenerFiltersTimeout", "15s"),
        "continueOnListenerFiltersTimeout": listener.get("continueOnListenerFiltersTimeout", False),
        "enableReusePort": False,
        "filterChains": chains,
        "accessLog": [filters.access_log(door.name, log_path)],
    }
    if default:
        found["defaultFilterChain"] = default
    return found


def _serves(chain: dict, door: Door) -> bool:
    """Whether a filter chain can serve connections of the door at all."""
    port = chain.get("filterChainMatch", {}).get("destinationPort")
    return door.kind != "inbound" or port is None or port == door.port


def _clusters(cast: Cast, proxy: dict, cluster: dict, doors: list[Door]) -> list[dict]:
    """A cluster of one proxy, once for TCP and once for HTTP, whose ALPN differs."""
    pod, name = proxy["pod"], cluster["name"]
    if cast.is_passthrough(pod, name):
        found = []
        for door in doors:
            if door.kind == "client":
                found.append(_static(cast, pod, cluster, f"{name};{door.place()}", door.endpoints))
        return [each for one in found for each in _both(one)]
    if name.startswith("inbound|") or name == "InboundPassthroughCluster":
        return _echoes(cast, pod, cluster)
    adapted = _static(cast, pod, cluster, name, None)
    assignment = proxy["endpoints"].get(cluster.get("edsClusterConfig", {}).get("serviceName", name))
    if cluster.get("type") == "EDS":
        adapted["loadAssignment"] = {**(assignment or {}), "clusterName": adapted["name"]}
    elif "loadAssignment" in cluster:
        adapted["loadAssignment"] = {**cluster["loadAssignment"], "clusterName": adapted["name"]}
    filters.resolve(adapted.get("loadAssignment", {}), {pod["address"] for pod in cast.pods}, cast.ELSEWHERE)
    return _both(adapted)


def _both(cluster: dict) -> list[dict]:
    """The cluster as `tcp_proxy` uses it, and as routes do: `istio.alpn` would say so per request."""
    http = copy.deepcopy(cluster)
    http["name"] += ";http"
    if "loadAssignment" in http:
        http["loadAssignment"]["clusterName"] = http["name"]
    alpn = HTTP_ALPN[filters.speaks_http2(http)]
    for context in filters.tls_contexts(http):
        context["commonTlsContext"]["alpnProtocols"] = alpn
    return [cluster, http]


def _static(cast: Cast, pod: int, cluster: dict, name: str, endpoints) -> dict:
    """A cluster without discovery, without what makes requests depend on each other."""
    adapted = {key: copy.deepcopy(value) for key, value in cluster.items() if key not in filters.NO_CLUSTER_FIELDS}
    adapted["name"] = cast.cluster(pod, name)
    adapted["type"] = "STATIC"
    adapted["upstreamBindConfig"] = {"sourceAddress": filters.address(cast.pods[pod]["address"], 0)["socketAddress"]}
    if adapted.get("lbPolicy") == "CLUSTER_PROVIDED":
        adapted["lbPolicy"] = "ROUND_ROBIN"
    if endpoints is not None:
        adapted["loadAssignment"] = filters.assignment(adapted["name"], endpoints)
    for context in filters.tls_contexts(adapted):
        filters.use_static_secrets(context["commonTlsContext"], cast.pods[pod]["identity"])
    return adapted


def _echoes(cast: Cast, pod: int, cluster: dict) -> list[dict]:
    """The application behind a sidecar: one that reads HTTP, and one that takes any bytes."""
    found = []
    for suffix, port in ("", cast.sniffing_port(pod)), (";http", cast.echo_port(pod)):
        one = _static(cast, pod, cluster, cluster["name"] + suffix, [("127.0.0.1", port)])
        del one["upstreamBindConfig"]
        found.append(one)
    return found
