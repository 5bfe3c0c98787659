//! Envoy filters that are refused.

use super::refuse;
use super::shared::check_labels_of_selector;
use crate::model::{ConfigPatch, EnvoyFilter, PatchMatch, Problem, Resource};
use crate::space::{Pattern, RegexError};

/// Reasons to refuse an `EnvoyFilter`.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/envoyfilter/envoyfilter.go`, `ValidateEnvoyFilter`. Differs: whether Envoy knows
/// what a patch's value says is not looked at.
pub(super) fn check(filter: &Resource<EnvoyFilter>, problems: &mut Vec<Problem>) {
    let spec = &filter.spec;
    if spec.workload_selector.is_some() && spec.target_refs.is_some() {
        let why = "only one of `workloadSelector` and `targetRefs` may be set";
        refuse(problems, filter, filter.spec_span, why);
    }
    check_labels_of_selector(filter, spec.workload_selector.as_ref(), problems);
    for patch in spec.config_patches.iter().flatten() {
        let bad = bad_word(&patch.value).or_else(|| bad_match(patch.value.matches.as_ref()));
        if let Some(why) = bad.or_else(|| bad_patch(&patch.value)) {
            refuse(problems, filter, patch.span, why);
        }
    }
}

/// A word that the schema does not have.
fn bad_word(patch: &ConfigPatch) -> Option<&'static str> {
    const SORTS: &[&str] = &[
        "INVALID",
        "LISTENER",
        "FILTER_CHAIN",
        "NETWORK_FILTER",
        "HTTP_FILTER",
        "ROUTE_CONFIGURATION",
        "VIRTUAL_HOST",
        "HTTP_ROUTE",
        "CLUSTER",
        "EXTENSION_CONFIG",
        "BOOTSTRAP",
        "LISTENER_FILTER",
    ];
    const OPERATIONS: &[&str] = &[
        "INVALID",
        "MERGE",
        "ADD",
        "REMOVE",
        "INSERT_BEFORE",
        "INSERT_AFTER",
        "INSERT_FIRST",
        "REPLACE",
        "MERGE_AND_REPLACE_LIST",
    ];
    let change = patch.patch.as_ref();
    let class = change.and_then(|change| change.filter_class.as_deref()).unwrap_or("UNSPECIFIED");
    if patch.apply_to.as_ref().is_some_and(|sort| !SORTS.contains(&sort.value.as_str())) {
        Some("`applyTo` names nothing that can be patched")
    } else if change.and_then(|change| change.operation.as_deref()).is_some_and(|word| !OPERATIONS.contains(&word)) {
        Some("`operation` is none that a patch can do")
    } else {
        let known = matches!(class, "UNSPECIFIED" | "AUTHN" | "AUTHZ" | "STATS");
        (!known).then_some("`filterClass` is AUTHN, AUTHZ or STATS")
    }
}

/// Why the schema refuses where a patch applies.
fn bad_match(place: Option<&PatchMatch>) -> Option<&'static str> {
    const CONTEXTS: &[&str] = &["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"];
    let place = place?;
    let context = place.context.as_deref().unwrap_or("ANY");
    if !CONTEXTS.contains(&context) {
        return Some("a context is ANY, SIDECAR_INBOUND, SIDECAR_OUTBOUND, GATEWAY or WAYPOINT");
    }
    if (context == "WAYPOINT") != place.waypoint.is_some() {
        return Some("`waypoint` goes with the context WAYPOINT, and with no other");
    }
    let port = place.waypoint.as_ref().and_then(|waypoint| waypoint.port_number);
    if port.is_some_and(|port| !(1..=65535).contains(&port)) {
        return Some("the port of a waypoint lies between 1 and 65535");
    }
    (objects(place) > 1).then_some("only one of `listener`, `routeConfiguration`, `cluster` and `waypoint` may be set")
}

/// How many sorts of objects a match names.
fn objects(place: &PatchMatch) -> usize {
    let set = [
        place.listener.is_some(),
        place.route_configuration.is_some(),
        place.cluster.is_some(),
        place.waypoint.is_some(),
    ];
    set.into_iter().filter(|set| *set).count()
}

/// Why the webhook refuses a patch.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/validation/envoyfilter/envoyfilter.go`, `validateEnvoyFilter`.
fn bad_patch(patch: &ConfigPatch) -> Option<&'static str> {
    let place = patch.matches.as_ref();
    if place.is_some_and(|place| place.context.as_deref() == Some("WAYPOINT")) {
        return None;
    }
    let sort = patch.apply_to.as_ref().map_or("INVALID", |sort| sort.value.as_str());
    if sort == "INVALID" {
        return Some("a patch needs `applyTo`");
    }
    let Some(change) = &patch.patch else {
        return Some("a patch needs `patch`");
    };
    let operation = change.operation.as_deref().unwrap_or("INVALID");
    if operation == "INVALID" {
        return Some("a patch needs an operation");
    }
    if operation != "REMOVE" && change.value.is_none() {
        return Some("a patch needs a value, unless it removes");
    }
    let place = place?;
    let version = place.proxy.as_ref().and_then(|proxy| proxy.proxy_version.as_deref()).unwrap_or_default();
    if version.len() <= 1024 && matches!(Pattern::regex(version), Err(RegexError::Syntax { .. })) {
        return Some("`proxyVersion` is no regular expression");
    }
    let named = objects(place) > 0;
    match sort {
        "LISTENER" | "FILTER_CHAIN" | "NETWORK_FILTER" | "HTTP_FILTER" if named && place.listener.is_none() => {
            Some("patches of listeners and filters match listeners")
        }
        "ROUTE_CONFIGURATION" | "VIRTUAL_HOST" | "HTTP_ROUTE" if named && place.route_configuration.is_none() => {
            Some("patches of routes match route configurations")
        }
        "CLUSTER" if named && place.cluster.is_none() => Some("patches of clusters match clusters"),
        "LISTENER" | "FILTER_CHAIN" | "NETWORK_FILTER" | "HTTP_FILTER" => bad_filter_match(place, sort),
        _ => None,
    }
}

/// Why the match of a filter within a listener is refused.
fn bad_filter_match(place: &PatchMatch, sort: &str) -> Option<&'static str> {
    const MANAGERS: &[&str] = &["envoy.filters.network.http_connection_manager", "envoy.http_connection_manager"];
    let filter = place.listener.as_ref()?.filter_chain.as_ref()?.filter.as_ref()?;
    let name = filter.name.as_deref().unwrap_or_default();
    if name.is_empty() {
        return Some("the match of a filter needs its name");
    }
    let inner = filter.sub_filter.as_ref()?;
    if sort != "HTTP_FILTER" {
        Some("`subFilter` goes with HTTP_FILTER only")
    } else if !MANAGERS.contains(&name) {
        Some("`subFilter` is one of the filters of the HTTP connection manager")
    } else {
        let named = inner.name.as_ref().is_some_and(|name| !name.is_empty());
        (!named).then_some("the match of a filter needs its name")
    }
}
