//! What `EnvoyFilter`, `WasmPlugin` and their like may do to a proxy's decisions.

use super::decision::{Cause, CauseKind};
use super::workload_selector::{Proxy, selects};
use crate::model::{ConfigPatch, EnvoyFilter, Labels, Mesh, ObjectId};
use crate::text::Span;

/// Which of a proxy's jobs is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The sidecar in front of a workload
    Inbound,
    /// The sidecar of a client
    Outbound,
    /// A gateway workload
    Gateway,
}

/// What the extensions at a proxy may do to what it decides by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Extensions {
    /// May refuse what would be allowed; what is denied stays denied
    pub(crate) may_refuse: Option<Cause>,
    /// May change anything
    pub(crate) may_change: Option<Cause>,
}

/// Filters that can only refuse or delay requests, or only observe them.
const REFUSING_FILTERS: &[&str] = &[
    "envoy.filters.http.ext_authz",
    "envoy.ext_authz",
    "envoy.filters.network.ext_authz",
    "envoy.filters.http.ratelimit",
    "envoy.rate_limit",
    "envoy.filters.network.ratelimit",
    "envoy.filters.http.local_ratelimit",
    "envoy.filters.network.local_ratelimit",
    "envoy.filters.listener.local_ratelimit",
    "envoy.filters.http.admission_control",
    "envoy.filters.http.adaptive_concurrency",
    "envoy.filters.http.bandwidth_limit",
    "envoy.filters.http.buffer",
    "envoy.filters.network.connection_limit",
    "envoy.filters.http.csrf",
];

/// Parts of a type URL that tell the same for filters with names of their own.
const REFUSING_TYPES: &[&str] = &[
    ".filters.http.ext_authz.",
    ".filters.network.ext_authz.",
    ".filters.http.ratelimit.",
    ".filters.network.ratelimit.",
    ".filters.http.local_ratelimit.",
    ".filters.network.local_ratelimit.",
    ".filters.http.admission_control.",
    ".filters.http.adaptive_concurrency.",
    ".filters.http.bandwidth_limit.",
    ".filters.http.buffer.",
    ".filters.network.connection_limit.",
    ".filters.http.csrf.",
];

/// What the extensions that select a proxy may do. `trusted` names objects the owner vouches for.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `getMatchedEnvoyFilters`;
/// `pilot/pkg/model/extensions.go`. Differs: a patch is not applied, only classed by what it can do.
pub(crate) fn extensions(mesh: &Mesh, proxy: Proxy<'_>, role: Role, trusted: &dyn Fn(&ObjectId) -> bool) -> Extensions {
    let mut found = Extensions::default();
    let root = mesh.settings.root_namespace();
    let here = |id: &ObjectId, labels: Option<&Labels>| {
        (id.namespace == root || id.namespace == proxy.namespace) && selects(labels, proxy.labels) && !trusted(id)
    };
    for filter in &mesh.envoy_filters {
        let selector = filter.spec.workload_selector.as_ref().and_then(|selector| selector.labels.as_ref());
        let targeted = filter.spec.target_refs.as_ref().is_some_and(|targets| !targets.is_empty());
        if !targeted && here(&filter.id, selector) {
            envoy_filter(&filter.spec, &filter.id, role, &mut found);
        }
    }
    for plugin in &mesh.proxy_extensions {
        let selector = plugin.spec.selector.as_ref().and_then(|selector| selector.match_labels.as_ref());
        let targeted = plugin.spec.target_refs.as_ref().is_some_and(|targets| !targets.is_empty());
        if !targeted && plugin.spec.target_ref.is_none() && here(&plugin.id, selector) && role != Role::Outbound {
            note(&mut found.may_change, CauseKind::ChangingFilter, plugin.name_span, || {
                format!("{} may change anything that this proxy decides", plugin.id)
            });
        }
    }
    for config in &mesh.proxy_configs {
        let selector = config.spec.selector.as_ref().and_then(|selector| selector.match_labels.as_ref());
        if config.spec.connection_settings.is_some() && here(&config.id, selector) {
            note(&mut found.may_change, CauseKind::UnmodelledKind, config.name_span, || {
                format!("{} sets `connectionSettings`, which may change how paths are normalised", config.id)
            });
        }
    }
    found
}

/// What one `EnvoyFilter` may do.
fn envoy_filter(filter: &EnvoyFilter, id: &ObjectId, role: Role, found: &mut Extensions) {
    for patch in filter.config_patches.iter().flatten() {
        if !applies_to(&patch.value, role) {
            continue;
        }
        match class(&patch.value, role) {
            PatchClass::Harmless => {}
            PatchClass::MayRefuse => note(&mut found.may_refuse, CauseKind::RefusingFilter, patch.span, || {
                format!("{id} adds a filter that may refuse requests")
            }),
            PatchClass::MayChange => note(&mut found.may_change, CauseKind::ChangingFilter, patch.span, || {
                format!("{id} patches this proxy and may change what it decides")
            }),
        }
    }
}

/// Whether a patch is for this job of the proxy.
fn applies_to(patch: &ConfigPatch, role: Role) -> bool {
    let context = patch.matches.as_ref().and_then(|matches| matches.context.as_deref());
    match context {
        None | Some("ANY") => true,
        Some("SIDECAR_INBOUND") => role == Role::Inbound,
        Some("SIDECAR_OUTBOUND") => role == Role::Outbound,
        Some("GATEWAY") => role == Role::Gateway,
        Some(_) => false,
    }
}

/// What a patch can do at worst.
enum PatchClass {
    /// Nothing about who gets in
    Harmless,
    /// Refuse
    MayRefuse,
    /// Anything
    MayChange,
}

/// What a patch can do at worst, from where it applies and the type of the filter it adds.
fn class(patch: &ConfigPatch, role: Role) -> PatchClass {
    let apply_to = patch.apply_to.as_ref().map_or("", |apply| apply.value.as_str());
    let body = patch.patch.as_ref();
    let operation = body.and_then(|body| body.operation.as_deref()).unwrap_or("");
    // A cluster that is added is reached only by routes; one that is patched decides nothing at the
    // server's side.
    let idle_cluster = apply_to == "CLUSTER" && (operation == "ADD" || role == Role::Inbound);
    if apply_to == "BOOTSTRAP" || idle_cluster {
        return PatchClass::Harmless;
    }
    let adds = matches!(operation, "INSERT_BEFORE" | "INSERT_AFTER" | "INSERT_FIRST" | "ADD");
    let value = body.and_then(|body| body.value.as_ref());
    let name = value.and_then(|value| value.name.as_deref()).unwrap_or("");
    let config = value.and_then(|value| value.typed_config.as_ref());
    let type_url = config.and_then(|config| config.type_url.as_deref()).unwrap_or("");
    let refuses = if type_url.is_empty() {
        REFUSING_FILTERS.contains(&name)
    } else {
        REFUSING_TYPES.iter().any(|part| type_url.contains(part))
            || REFUSING_FILTERS.contains(&name) && type_url.contains("TypedStruct")
    };
    if adds && refuses && matches!(apply_to, "HTTP_FILTER" | "NETWORK_FILTER" | "LISTENER_FILTER") {
        PatchClass::MayRefuse
    } else {
        PatchClass::MayChange
    }
}

/// Keeps the first cause.
fn note(slot: &mut Option<Cause>, kind: CauseKind, span: Span, message: impl FnOnce() -> String) {
    if slot.is_none() {
        *slot = Some(Cause { kind, message: message(), span: Some(span) });
    }
}
