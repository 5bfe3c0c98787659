"""Pieces of Envoy configuration: filters kept, changed and added."""

import json

from . import token

TYPES = "type.googleapis.com/envoy"

# Filters that decide nothing about who gets in, and that a stock Envoy does not have.
NO_FILTERS = {
    "istio.metadata_exchange", "istio.stats", "istio.alpn", "istio_authn", "envoy.filters.http.grpc_stats",
    "envoy.filters.http.ext_authz", "envoy.filters.network.ext_authz",
}
NO_LISTENER_FILTERS = {"envoy.filters.listener.original_dst", "envoy.filters.listener.original_src"}
NO_CLUSTER_FIELDS = {
    "edsClusterConfig", "filters", "circuitBreakers", "outlierDetection", "upstreamBindConfig", "loadAssignment",
    "originalDstLbConfig", "dnsLookupFamily", "respectDnsTtl", "dnsRefreshRate", "dnsJitter", "clusterType",
    "typedDnsResolverConfig", "cleanupInterval", "maxRequestsPerConnection",
}
NO_ROUTE_FIELDS = {"retryPolicy", "requestMirrorPolicies"}

PROXY_PROTOCOL = {
    "name": "envoy.filters.listener.proxy_protocol",
    "typedConfig": {"@type": f"{TYPES}.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"},
}

# Headers by which a reply says who gave it. The application's begin with `app-`, the proxies' with `by-`.
NEXT = "%UPSTREAM_LOCAL_ADDRESS%>%UPSTREAM_REMOTE_ADDRESS%"  # the connection that the proxy opened in turn
SEEN = {"path": "%REQ(:PATH)%", "authority": "%REQ(:AUTHORITY)%"}


def echo(name: str, port: int) -> dict:
    """A listener that stands for an application: it answers HTTP with what it sees."""
    chain = {"filters": [{"name": "http", "typedConfig": _echo_manager(name)}]}
    return {"name": f"echo {name}", "address": address("127.0.0.1", port), "filterChains": [chain]}


def bare(name: str, host: str, port: int, as_sent: str, reads: bool = True) -> dict:
    """An application as nothing has touched what it gets: HTTP/2 is answered here, all else goes to a cluster as sent."""
    proxy = {
        "@type": f"{TYPES}.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "statPrefix": "bytes",
        "cluster": as_sent,
    }
    inspector = {
        "name": "envoy.filters.listener.http_inspector",
        "typedConfig": {"@type": f"{TYPES}.extensions.filters.listener.http_inspector.v3.HttpInspector"},
    }
    http = {
        "filterChainMatch": {"applicationProtocols": ["h2c"]},
        "filters": [{"name": "http", "typedConfig": _echo_manager(name, reads)}],
    }
    return {
        "name": f"bare {host}:{port}",
        "address": address(host, port),
        "listenerFilters": [inspector],
        "filterChains": [http],
        "defaultFilterChain": {"filters": [{"name": "bytes", "typedConfig": proxy}]},
    }


def address(host: str, port: int) -> dict:
    """An address to bind or to dial."""
    return {"socketAddress": {"address": host, "portValue": port}}


def _echo_manager(name: str, reads: bool = True) -> dict:
    """Answers requests; one that reads says what it saw."""
    seen = SEEN if reads else {}
    headers = [_header("app-name", name)] + [_header(f"app-{key}", value) for key, value in seen.items()]
    route = {"match": {"prefix": ""}, "directResponse": {"status": 200}, "responseHeadersToAdd": headers}
    return {
        "@type": f"{TYPES}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "statPrefix": "echo",
        "normalizePath": False,
        "httpFilters": [{
            "name": "envoy.filters.http.router",
            "typedConfig": {"@type": f"{TYPES}.extensions.filters.http.router.v3.Router"},
        }],
        "upgradeConfigs": [{"upgradeType": "websocket"}],
        "routeConfig": {"virtualHosts": [{"name": "echo", "domains": ["*"], "routes": [route]}]},
    }


def _header(name: str, value: str) -> dict:
    return {"header": {"key": name, "value": value}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"}


def assignment(name: str, endpoints) -> dict:
    """The endpoints of a cluster: addresses with their ports."""
    found = [{"endpoint": {"address": address(host, port)}} for host, port in endpoints]
    return {"clusterName": name, "endpoints": [{"lbEndpoints": found}]}


def resolve(assignment: dict, known: set[str], elsewhere: tuple[str, int]) -> None:
    """Names of hosts, and addresses that nobody here has, become one address outside of the mesh."""
    for locality in assignment.get("endpoints", []):
        for each in locality.get("lbEndpoints", []):
            place = each["endpoint"]["address"].get("socketAddress")
            if place and place["address"] not in known:
                place["address"], place["portValue"] = elsewhere


def access_log(name: str, path: str) -> dict:
    """One line for each connection, by which replies that never came are explained."""
    line = {
        "listener": name,
        "connection": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%>%DOWNSTREAM_DIRECT_LOCAL_ADDRESS%",
        "ended": "%CONNECTION_TERMINATION_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "cluster": "%UPSTREAM_CLUSTER%",
        "handshake": "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%",
        "next": NEXT,
    }
    form = {"jsonFormat": line}
    config = {"@type": f"{TYPES}.extensions.access_loggers.file.v3.FileAccessLog", "path": path, "logFormat": form}
    return {"name": "envoy.access_loggers.file", "typedConfig": config}


def tls_contexts(cluster: dict) -> list[dict]:
    """Every TLS context of a cluster."""
    sockets = [match.get("transportSocket", {}) for match in cluster.get("transportSocketMatches", [])]
    sockets.append(cluster.get("transportSocket", {}))
    configs = [socket.get("typedConfig", {}) for socket in sockets]
    return [config for config in configs if "commonTlsContext" in config]


def speaks_http2(cluster: dict) -> bool:
    """Whether a cluster speaks nothing but HTTP/2."""
    options = cluster.get("typedExtensionProtocolOptions", {})
    explicit = [each.get("explicitHttpConfig", {}) for each in options.values()]
    return any("http2ProtocolOptions" in each for each in explicit)


def use_static_secrets(context: dict, identity: str) -> None:
    """Discovered secrets become those of the configuration: the proxy's own certificate, the one authority."""
    for certificate in context.get("tlsCertificateSdsSecretConfigs", []):
        certificate.clear()
        certificate["name"] = identity
    combined = context.get("combinedValidationContext", {})
    for holder, key in (combined, "validationContextSdsSecretConfig"), (context, "validationContextSdsSecretConfig"):
        if key in holder:
            holder[key] = {"name": "authority"}


class Adapter:
    """Changes the filter chains of one door."""

    def __init__(self, cast, door):
        self.cast, self.door = cast, door

    def chain(self, chain: dict) -> None:
        """Changes a filter chain in place."""
        context = chain.get("transportSocket", {}).get("typedConfig", {}).get("commonTlsContext")
        if context is not None:
            use_static_secrets(context, self.cast.pods[self.door.pod]["identity"])
        chain["filters"] = [each for each in chain.get("filters", []) if each["name"] not in NO_FILTERS]
        for each in chain["filters"]:
            config = each.get("typedConfig", {})
            kind = config.get("@type", "").rsplit(".", 1)[-1]
            config.pop("accessLog", None)
            if kind == "HttpConnectionManager":
                self._manager(config)
            elif kind == "TcpProxy":
                self._tcp(config)

    def _cluster(self, name: str) -> str:
        """A cluster's name within the whole configuration."""
        if self.cast.is_passthrough(self.door.pod, name):
            name = f"{name};{self.door.place()}"
        return self.cast.cluster(self.door.pod, name)

    def _tcp(self, config: dict) -> None:
        for key in "tunnelingConfig", "onDemand":
            config.pop(key, None)
        if "cluster" in config:
            config["cluster"] = self._cluster(config["cluster"])
        for weighted in config.get("weightedClusters", {}).get("clusters", []):
            weighted["name"] = self._cluster(weighted["name"])

    def _manager(self, config: dict) -> None:
        config.pop("tracing", None)
        # What is discovered elsewhere is Wasm, which meshlint leaves undetermined.
        config["httpFilters"] = [
            each for each in config["httpFilters"] if each["name"] not in NO_FILTERS and "configDiscovery" not in each
        ]
        for each in config["httpFilters"]:
            if each["name"] == "envoy.filters.http.jwt_authn":
                _use_own_keys(each["typedConfig"])
        if "rds" in config:
            name = config.pop("rds")["routeConfigName"]
            config["routeConfig"] = self.cast.route_table(self.door.pod, name)
        table = config.get("routeConfig", {})
        table["validateClusters"] = False
        for host in table.get("virtualHosts", []):
            host.pop("retryPolicy", None)
            for route in host.get("routes", []):
                self._route(route)
        config["localReplyConfig"] = {"mappers": [_signature(self.door.name)]}

    def _route(self, route: dict) -> None:
        route.pop("decorator", None)
        action = route.get("route", {})
        for key in NO_ROUTE_FIELDS:
            action.pop(key, None)
        if "cluster" in action:
            action["cluster"] = self._cluster(action["cluster"]) + ";http"
        for weighted in action.get("weightedClusters", {}).get("clusters", []):
            weighted["name"] = self._cluster(weighted["name"]) + ";http"


def _use_own_keys(config: dict) -> None:
    """Tokens are checked with the harness's own key."""
    for provider in config.get("providers", {}).values():
        provider.pop("remoteJwks", None)
        provider["localJwks"] = {"inlineString": json.dumps(token.KEY_SET)}


def _signature(name: str) -> dict:
    """Marks every reply that a proxy gives by itself."""
    values = {
        "at": name,
        "details": "%RESPONSE_CODE_DETAILS%",
        "next": NEXT,
        **SEEN,
    }
    status = {"comparison": {"op": "GE", "value": {"defaultValue": 100, "runtimeKey": "none"}}}
    headers = [_header(f"by-{key}", value) for key, value in values.items()]
    return {"filter": {"statusCodeFilter": status}, "headersToAdd": headers}
