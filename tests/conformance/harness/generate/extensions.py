"""EnvoyFilters and their like: those that decide nothing, those that may refuse, those that may change anything."""

from .draw import Draw
from .workloads import ROOT, Cast

TYPES = "type.googleapis.com/envoy.extensions"
COMPRESSOR = {
    "name": "envoy.filters.http.compressor",
    "typed_config": {
        "@type": f"{TYPES}.filters.http.compressor.v3.Compressor",
        "compressor_library": {
            "name": "gzip",
            "typed_config": {"@type": f"{TYPES}.compression.gzip.compressor.v3.Gzip"},
        },
    },
}
LIMIT = {
    "name": "envoy.filters.http.local_ratelimit",
    "typed_config": {
        "@type": f"{TYPES}.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "limit",
        "token_bucket": {"max_tokens": 1, "fill_interval": "60s"},
    },
}
LUA = {
    "name": "envoy.filters.http.lua",
    "typed_config": {
        "@type": f"{TYPES}.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": "function envoy_on_request(handle) end"},
    },
}
MANAGER = "envoy.filters.network.http_connection_manager"


def objects(draw: Draw, cast: Cast) -> list[dict]:
    """The extensions of a world; mostly none."""
    found = []
    if draw.chance(0.12):
        found.append(_filter(draw, cast))
    if draw.chance(0.03):
        found.append(_plugin(draw, cast))
    if draw.chance(0.06):
        metadata = {"name": "logs", "namespace": draw.one([ROOT, "shop"])}
        spec = {"tracing": [{"randomSamplingPercentage": 5}]}
        found.append({"apiVersion": "telemetry.istio.io/v1", "kind": "Telemetry", "metadata": metadata, "spec": spec})
    return found


def _selection(draw: Draw, cast: Cast) -> tuple[str, dict | None]:
    """A namespace and the labels of what is meant there, if not all."""
    namespace = draw.one([ROOT, "shop", "pay"])
    if draw.chance(0.5):
        return namespace, None
    return namespace, {"istio": "ingressgateway"} if namespace == ROOT else {"app": draw.one(cast.workloads).name}


def _filter(draw: Draw, cast: Cast) -> dict:
    namespace, labels = _selection(draw, cast)
    context = draw.one(["ANY", "GATEWAY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND"])
    match = {"context": context, "listener": {"filterChain": {"filter": {"name": MANAGER}}}}
    if draw.chance(0.15):
        match["listener"]["portNumber"] = draw.one([8080, 80])
    if draw.chance(0.15):
        match["proxy"] = {"proxyVersion": draw.one([r"^1\.32.*", r"^1\.20.*", r"^1\..*"])}
    kind = draw.weighted([("manager", 2), ("harmless", 4), ("refusing", 2), ("changing", 1)])
    if kind == "manager":
        value = {"@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"}
        value |= {"server_name": "shop", "stream_idle_timeout": "100s"}
        config = {"name": MANAGER, "typed_config": value}
        patch = {"applyTo": "NETWORK_FILTER", "match": match, "patch": {"operation": "MERGE", "value": config}}
    else:
        value = {"harmless": COMPRESSOR, "refusing": LIMIT, "changing": LUA}[kind]
        patch = {"applyTo": "HTTP_FILTER", "match": match, "patch": {"operation": "INSERT_FIRST", "value": value}}
    spec = {"configPatches": [patch]}
    if labels:
        spec["workloadSelector"] = {"labels": labels}
    metadata = {"name": "patch", "namespace": namespace}
    return {"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": metadata, "spec": spec}


def _plugin(draw: Draw, cast: Cast) -> dict:
    namespace, labels = _selection(draw, cast)
    spec = {"url": "oci://registry.example/plugin:1", "phase": draw.one(["AUTHN", "AUTHZ", "STATS"])}
    if labels:
        spec["selector"] = {"matchLabels": labels}
    metadata = {"name": "plugin", "namespace": namespace}
    return {"apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "metadata": metadata, "spec": spec}
