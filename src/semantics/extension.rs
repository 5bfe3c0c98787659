//! What `EnvoyFilter`, `WasmPlugin` and their like may do to a proxy's decisions.

use super::authorization_policy::Chain;
use super::decision::{Cause, CauseKind};
use super::envoy_filter::{PatchClass, applies, class};
use super::workload_selector::{GATEWAY_NAME, Proxy, selects};
use crate::model::{EnvoyFilter, Labels, Mesh, ObjectId, ProxyExtension, TargetRef};
use crate::text::Span;

/// Which of a proxy's jobs is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The sidecar in front of a workload, on a chain of a port
    Inbound {
        /// The pod's port
        port: u16,
        /// Whether a Service declares it, so that it has chains of its own
        declared: bool,
        /// The chain
        chain: Chain,
    },
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

/// What the extensions that select a proxy may do. `trusted` names objects the owner vouches for.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `getMatchedEnvoyFilters`, `TrafficExtensionsByListenerInfo`.
/// Differs: nothing is applied, only classed by what it can do.
pub(crate) fn extensions(mesh: &Mesh, proxy: Proxy<'_>, role: Role, trusted: &dyn Fn(&ObjectId) -> bool) -> Extensions {
    let mut found = Extensions::default();
    let root = mesh.settings.root_namespace();
    let here = |id: &ObjectId, labels: Option<&Labels>, targets: &[&TargetRef]| {
        let selected = match (targets, proxy.labels.get(GATEWAY_NAME)) {
            ([], _) => selects(labels, proxy.labels),
            (_, None) => false,
            (targets, Some(gateway)) => {
                id.namespace == proxy.namespace && targets.iter().any(|target| names(target, gateway))
            }
        };
        (id.namespace == root || id.namespace == proxy.namespace) && selected && !trusted(id)
    };
    for filter in &mesh.envoy_filters {
        let selector = filter.spec.workload_selector.as_ref().and_then(|selector| selector.labels.as_ref());
        let targets: Vec<&TargetRef> = filter.spec.target_refs.iter().flatten().collect();
        if here(&filter.id, selector, &targets) {
            envoy_filter(&filter.spec, &filter.id, role, &mut found);
        }
    }
    for plugin in &mesh.proxy_extensions {
        let selector = plugin.spec.selector.as_ref().and_then(|selector| selector.match_labels.as_ref());
        let several = plugin.spec.target_refs.iter().flatten();
        let targets: Vec<&TargetRef> = several.chain(&plugin.spec.target_ref).collect();
        if here(&plugin.id, selector, &targets) {
            proxy_extension(&plugin.spec, &plugin.id, plugin.name_span, role, &mut found);
        }
    }
    for config in &mesh.proxy_configs {
        let selector = config.spec.selector.as_ref().and_then(|selector| selector.match_labels.as_ref());
        if config.spec.connection_settings.is_some() && here(&config.id, selector, &[]) {
            note(&mut found.may_change, CauseKind::UnmodelledKind, config.name_span, || {
                format!("{} sets `connectionSettings`, which may change how paths are normalised", config.id)
            });
        }
    }
    found
}

/// Whether a target reference means the Gateway API gateway of a name.
fn names(target: &TargetRef, gateway: &str) -> bool {
    target.kind.as_ref().is_some_and(|kind| kind.value == "Gateway")
        && target.group.as_deref() == Some("gateway.networking.k8s.io")
        && target.name.as_ref().is_some_and(|name| name.value == gateway)
}

/// What one `EnvoyFilter` may do.
fn envoy_filter(filter: &EnvoyFilter, id: &ObjectId, role: Role, found: &mut Extensions) {
    let patches = filter.config_patches.iter().flatten().filter(|patch| applies(&patch.value, role));
    for patch in patches {
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

/// What one `WasmPlugin` or `TrafficExtension` may do: anything, where it is.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/extensions.go`, `matchTrafficExtensionSelectors`, `MatchType`.
fn proxy_extension(extension: &ProxyExtension, id: &ObjectId, span: Span, role: Role, found: &mut Extensions) {
    let module = extension.wasm.as_ref().and_then(|wasm| wasm.plugin_type.as_deref());
    let network = extension.plugin_type.as_deref().or(module) == Some("NETWORK");
    let wanted = if matches!(role, Role::Inbound { .. }) { "SERVER" } else { "CLIENT" };
    let selects = extension.matches.as_ref().filter(|matches| !matches.is_empty()).is_none_or(|matches| {
        matches.iter().any(|traffic| {
            let mode = traffic.mode.as_deref().unwrap_or("UNDEFINED");
            let mode = mode == wanted || matches!(mode, "CLIENT_AND_SERVER" | "UNDEFINED");
            let ports = traffic.ports.as_ref().filter(|ports| !ports.is_empty());
            mode && ports.is_none_or(|ports| match role {
                Role::Inbound { port, declared: true, chain: Chain::Http } => {
                    ports.iter().any(|candidate| candidate.number == Some(i64::from(port)))
                }
                // Which number is meant there depends on more than the port.
                Role::Inbound { .. } | Role::Outbound | Role::Gateway => true,
            })
        })
    });
    let absent = !network && matches!(role, Role::Inbound { chain: Chain::Tcp, .. });
    if !selects || absent || role == Role::Outbound {
        return;
    }
    note(&mut found.may_change, CauseKind::ChangingFilter, span, || {
        format!("{id} may change anything that this proxy decides")
    });
}

/// Keeps the first cause.
fn note(slot: &mut Option<Cause>, kind: CauseKind, span: Span, message: impl FnOnce() -> String) {
    if slot.is_none() {
        *slot = Some(Cause { kind, message: message(), span: Some(span) });
    }
}
