//! What a patch of an `EnvoyFilter` can do at worst to what a proxy decides, and whether it touches that at all.

use serde_json::Value;

use super::authorization_policy::Chain;
use super::extension::Role;
use crate::model::{ConfigPatch, ListenerMatch};
use crate::space::Pattern;

/// What a patch can do at worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatchClass {
    /// Nothing about who gets in
    Harmless,
    /// Refuse
    MayRefuse,
    /// Anything
    MayChange,
}

/// Filters that can only refuse, delay or answer requests.
const REFUSING: &[&str] = &[
    "http.ext_authz",
    "http.ratelimit",
    "http.local_ratelimit",
    "http.rbac",
    "http.admission_control",
    "http.adaptive_concurrency",
    "http.bandwidth_limit",
    "http.buffer",
    "http.csrf",
    "http.fault",
    "http.health_check",
    "network.ext_authz",
    "network.ratelimit",
    "network.local_ratelimit",
    "network.rbac",
    "network.connection_limit",
    "listener.local_ratelimit",
];

/// Filters that only observe, or touch nothing but the answer.
const OBSERVING: &[&str] = &["http.compressor", "http.gzip", "http.grpc_stats", "http.tap", "network.tap"];

/// Old names of filters.
const OLD_NAMES: &[(&str, &str)] = &[
    ("envoy.ext_authz", "http.ext_authz"),
    ("envoy.rate_limit", "http.ratelimit"),
    ("envoy.gzip", "http.gzip"),
    ("envoy.buffer", "http.buffer"),
    ("envoy.csrf", "http.csrf"),
    ("envoy.fault", "http.fault"),
];

/// Fields of an HTTP connection manager that change neither requests nor where they go.
const HARMLESS_MANAGER_FIELDS: &[&str] = &[
    "@type",
    "access_log",
    "access_log_flush_interval",
    "access_log_options",
    "add_user_agent",
    "delayed_close_timeout",
    "drain_timeout",
    "generate_request_id",
    "proxy_100_continue",
    "server_header_transformation",
    "server_name",
    "stat_prefix",
    "stream_idle_timeout",
    "tracing",
    "via",
];

/// Fields of routes and virtual hosts that change no destination and no request.
const HARMLESS_ROUTE_FIELDS: &[&str] = &[
    "name",
    "response_headers_to_add",
    "response_headers_to_remove",
    "include_request_attempt_count",
    "include_attempt_count_in_response",
    "decorator",
    "tracing",
    "stat_prefix",
    "metadata",
];

/// Whether a patch touches what a proxy decides in this role.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/envoyfilter/listener_patch.go`, `listenerMatch`, `filterChainMatch`;
/// `pilot/pkg/model/envoyfilter.go`, `proxyMatch`.
pub(super) fn applies(patch: &ConfigPatch, role: Role) -> bool {
    let Some(matches) = &patch.matches else {
        return true;
    };
    let context = match matches.context.as_deref() {
        None | Some("ANY") => true,
        Some("SIDECAR_INBOUND") => matches!(role, Role::Inbound { .. }),
        Some("SIDECAR_OUTBOUND") => role == Role::Outbound,
        Some("GATEWAY") => role == Role::Gateway,
        Some(_) => false,
    };
    let version = matches.proxy.as_ref().and_then(|proxy| proxy.proxy_version.as_deref());
    let Role::Inbound { port, chain, .. } = role else {
        return context && version.is_none_or(fits_version);
    };
    let apply_to = apply_to(patch);
    // An HTTP filter stands in the connection manager, which a TCP chain does not have.
    let on_chain = apply_to != "HTTP_FILTER" || chain == Chain::Http;
    let listener = matches.listener.as_ref();
    context
        && on_chain
        && version.is_none_or(fits_version)
        && listener.is_none_or(|listener| fits_inbound(listener, apply_to, port, chain))
}

/// What the patch is applied to.
fn apply_to(patch: &ConfigPatch) -> &str {
    patch.apply_to.as_ref().map_or("", |apply| apply.value.as_str())
}

/// Whether a version expression is found in a version of the release. What cannot be read fits none.
fn fits_version(expression: &str) -> bool {
    let found = |pattern: &Pattern| (0..100).any(|patch| pattern.matches(&format!("{}.{patch}", super::ISTIO_RELEASE)));
    Pattern::regex(&format!(".*(?:{expression}).*")).is_ok_and(|pattern| found(&pattern))
}

/// Whether a match means the chain of an inbound port. All such chains belong to one listener.
fn fits_inbound(listener: &ListenerMatch, apply_to: &str, port: u16, chain: Chain) -> bool {
    let named = listener.name.as_deref().filter(|name| !name.is_empty());
    if named.is_some_and(|name| name != "virtualInbound") {
        return false;
    }
    let wanted = listener.port_number.filter(|number| *number != 0);
    match apply_to {
        // The listener itself is bound to the port that everything is redirected to.
        "LISTENER" => return wanted.is_none_or(|number| number == 15006),
        "LISTENER_FILTER" => return true,
        _ => {}
    }
    // Ports that no Service declares share a chain that names none, unless a mode of their own singles them out.
    let of_port = |number: i64| number == i64::from(port);
    let own = listener.filter_chain.as_ref();
    let destination = own.and_then(|chain| chain.destination_port).filter(|number| *number != 0);
    let filter = own.and_then(|chain| chain.filter.as_ref()?.name.as_deref());
    let has_filter = match (filter, chain) {
        (Some("envoy.filters.network.http_connection_manager"), Chain::Tcp)
        | (Some("envoy.filters.network.tcp_proxy"), Chain::Http) => false,
        (_, _) => true,
    };
    wanted.is_none_or(of_port) && destination.is_none_or(of_port) && has_filter
}

/// What a patch can do at worst, from where it applies and what it holds.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/envoyfilter/listener_patch.go`, `rc_patch.go`, `cluster_patch.go`. Differs:
/// a patch is not applied, only classed.
pub(super) fn class(patch: &ConfigPatch, role: Role) -> PatchClass {
    let body = patch.patch.as_ref();
    let operation = body.and_then(|body| body.operation.as_deref()).unwrap_or("");
    let value = body.and_then(|body| body.value.as_ref());
    let adds = matches!(operation, "INSERT_BEFORE" | "INSERT_AFTER" | "INSERT_FIRST" | "ADD");
    match apply_to(patch) {
        "BOOTSTRAP" => PatchClass::Harmless,
        // A cluster that is added is reached only by routes; one that is patched decides nothing at the server's side.
        "CLUSTER" if operation == "ADD" || matches!(role, Role::Inbound { .. }) => PatchClass::Harmless,
        "HTTP_FILTER" | "NETWORK_FILTER" | "LISTENER_FILTER" if adds => filter_class(value),
        "NETWORK_FILTER" if operation == "MERGE" && merges_harmlessly(value) => PatchClass::Harmless,
        "ROUTE_CONFIGURATION" | "VIRTUAL_HOST" | "HTTP_ROUTE" if operation == "MERGE" => route_class(value),
        // Configurations of filters by name; who uses one is told where it is inserted.
        "EXTENSION_CONFIG" if operation == "ADD" => PatchClass::Harmless,
        _ => PatchClass::MayChange,
    }
}

/// What a filter that is added can do at worst.
fn filter_class(value: Option<&Value>) -> PatchClass {
    let name = value.and_then(|value| value.get("name")).and_then(Value::as_str).unwrap_or_default();
    let config = value.and_then(|value| value.get("typed_config").or_else(|| value.get("typedConfig")));
    let text = |key: &str| config.and_then(|config| config.get(key)).and_then(Value::as_str);
    let kind = match text("@type") {
        // The type stands inside.
        Some(wrapper) if wrapper.ends_with(".TypedStruct") => text("type_url").or_else(|| text("typeUrl")),
        other => other,
    };
    let is = |part: &&str| match kind {
        Some(kind) => kind.contains(&format!(".filters.{part}.")),
        None => {
            name == format!("envoy.filters.{part}") || OLD_NAMES.iter().any(|(old, now)| *old == name && now == part)
        }
    };
    if REFUSING.iter().any(&is) {
        PatchClass::MayRefuse
    } else if OBSERVING.iter().any(is) {
        PatchClass::Harmless
    } else {
        PatchClass::MayChange
    }
}

/// Whether what is merged into a connection manager changes neither requests nor where they go.
fn merges_harmlessly(value: Option<&Value>) -> bool {
    let config = value.and_then(|value| value.get("typed_config").or_else(|| value.get("typedConfig")));
    let fields = config.and_then(Value::as_object);
    let manager = fields.is_some_and(|fields| {
        let kind = fields.get("@type").and_then(Value::as_str).unwrap_or_default();
        kind.ends_with(".HttpConnectionManager")
    });
    manager && fields.is_some_and(|fields| fields.keys().all(|key| is_among(HARMLESS_MANAGER_FIELDS, key)))
}

/// What is merged into routes can do at worst.
fn route_class(value: Option<&Value>) -> PatchClass {
    let Some(fields) = value.and_then(Value::as_object) else {
        return PatchClass::MayChange;
    };
    let mut class = PatchClass::Harmless;
    for (key, inner) in fields {
        let only =
            |allowed: &[&str]| inner.as_object().is_some_and(|inner| inner.keys().all(|key| is_among(allowed, key)));
        let refuses = match key.as_str() {
            "rate_limits" | "rateLimits" => true,
            "route" => only(&["rate_limits"]),
            // A route's own rules replace those of the policies.
            "typed_per_filter_config" | "typedPerFilterConfig" => inner.as_object().is_some_and(|filters| {
                let refuses = |name: &String| REFUSING.iter().any(|part| *name == format!("envoy.filters.{part}"));
                filters.keys().all(|name| refuses(name) && *name != "envoy.filters.http.rbac")
            }),
            _ => false,
        };
        if refuses {
            class = PatchClass::MayRefuse;
        } else if !is_among(HARMLESS_ROUTE_FIELDS, key) {
            return PatchClass::MayChange;
        }
    }
    class
}

/// Whether a key is one of a list, in the one or the other spelling of protobuf.
fn is_among(list: &[&str], key: &str) -> bool {
    let snake: String = key
        .chars()
        .flat_map(|c| if c.is_ascii_uppercase() { vec!['_', c.to_ascii_lowercase()] } else { vec![c] })
        .collect();
    list.contains(&key) || list.contains(&snake.as_str())
}
