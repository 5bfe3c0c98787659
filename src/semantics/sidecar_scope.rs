//! What a client knows of the mesh: the `Sidecar` that it goes by.

use super::decision::{Cause, CauseKind};
use super::host_name;
use super::registry::Registered;
use super::virtual_service::full_hosts;
use super::workload_selector::selects;
use super::world::World;
use crate::model::{Labels, Resource, Sidecar, SidecarEgress, VirtualService};

/// What a client knows of the mesh, and what it does with the rest.
#[derive(Debug, Clone, Default)]
pub(crate) struct SidecarScope {
    /// What it knows; `None`: everything that is exported to it
    hosts: Option<Vec<Imported>>,
    /// Whether hosts that it does not know are refused
    pub(crate) registry_only: bool,
    /// Why nothing can be said, if so
    pub(crate) unknown: Option<Cause>,
}

/// An entry of `egress[].hosts`.
#[derive(Debug, Clone)]
struct Imported {
    /// The namespace; `*` for all
    namespace: String,
    /// The host
    host: String,
    /// Whether it is left out instead
    excluded: bool,
}

/// The `Sidecar` that a workload goes by: one that selects it, else its namespace's, else the mesh's.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `getSidecarScope`.
pub(crate) fn sidecar_of<'a>(world: &'a World, namespace: &str, labels: &Labels) -> Option<&'a Resource<Sidecar>> {
    let mut sidecars: Vec<_> = world.mesh.sidecars.iter().collect();
    sidecars.sort_by_key(|sidecar| sidecar.age_key());
    let selector = |sidecar: &'a Resource<Sidecar>| {
        let selector = sidecar.spec.workload_selector.as_ref()?;
        selector.labels.as_ref().filter(|labels| !labels.is_empty())
    };
    let root = world.mesh.settings.root_namespace();
    let of = |wanted: &str, selecting: bool| {
        sidecars.iter().copied().find(|sidecar| {
            let labels_fit = match selector(sidecar) {
                Some(wanted) => selecting && selects(Some(wanted), labels),
                None => !selecting,
            };
            sidecar.id.namespace == wanted && labels_fit
        })
    };
    of(namespace, true).or_else(|| of(namespace, false)).or_else(|| of(root, false))
}

/// What a client knows of the mesh.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/sidecar.go`, `convertToSidecarScope`, `convertIstioListenerToWrapper`.
/// Differs: egress listeners with a port, an address or a capture mode of their own make it undetermined.
pub(crate) fn sidecar_scope(world: &World, namespace: &str, labels: &Labels) -> SidecarScope {
    let policy = world.mesh.settings.config.outbound_traffic_policy.as_ref();
    let meshwide = policy.and_then(|policy| policy.mode.as_ref()).map(|mode| mode.value.as_str());
    let sidecar = sidecar_of(world, namespace, labels);
    let mode = sidecar.and_then(|sidecar| sidecar.spec.outbound_mode()).or(meshwide);
    let mut scope = SidecarScope { registry_only: mode == Some("REGISTRY_ONLY"), ..SidecarScope::default() };
    let unmodelled = |message: String| Cause {
        kind: CauseKind::UnmodelledKind,
        message,
        span: sidecar.map(|sidecar| sidecar.name_span),
    };
    if mode == Some("ALLOW_ANY_DYNAMIC_DNS") {
        scope.unknown = Some(unmodelled("unknown hosts are looked up by name, which is not modelled yet".to_owned()));
    }
    let Some(sidecar) = sidecar else {
        return scope;
    };
    let egress: &[SidecarEgress] = sidecar.spec.egress.as_ref().map_or(&[], |egress| egress.value.as_slice());
    if egress.is_empty() {
        return scope;
    }
    let plain = |listener: &SidecarEgress| {
        let capture = listener.capture_mode.as_deref();
        listener.port.is_none()
            && listener.bind.as_deref().is_none_or(str::is_empty)
            && matches!(capture, None | Some("DEFAULT" | "IPTABLES"))
    };
    if !egress.iter().all(plain) || egress.len() > 1 {
        scope.unknown =
            Some(unmodelled(format!("{} gives clients listeners of their own, which is not modelled yet", sidecar.id)));
    }
    let entries = egress.iter().flat_map(|listener| listener.hosts.iter().flatten());
    scope.hosts = Some(entries.filter_map(|entry| imported(&entry.value, namespace)).collect());
    scope
}

/// Reads `NAMESPACE/HOST`.
fn imported(entry: &str, own: &str) -> Option<Imported> {
    let (namespace, host) = entry.split_once('/').filter(|(_, host)| !host.contains('/'))?;
    let (namespace, excluded) = match namespace.strip_prefix('~') {
        Some("") => ("*", true),
        Some(namespace) => (namespace, true),
        None => (namespace, false),
    };
    let namespace = if namespace == "." { own } else { namespace };
    Some(Imported { namespace: namespace.to_owned(), host: host.to_owned(), excluded })
}

impl SidecarScope {
    /// Whether the client knows a service.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/model/sidecar.go`, `selectServices`, `hostClassification.Matches`.
    pub(crate) fn knows(&self, service: &Registered<'_>) -> bool {
        let Some(hosts) = &self.hosts else {
            return true;
        };
        let names = |entry: &&Imported| {
            (entry.namespace == "*" || entry.namespace == service.id().namespace)
                && host_name::is_subset(&service.host, &entry.host)
        };
        hosts.iter().any(|entry| !entry.excluded && names(&entry))
            && !hosts.iter().any(|entry| entry.excluded && names(&entry))
    }

    /// Whether the client goes by a virtual service.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/model/virtualservice.go`, `SelectVirtualServices`; `pilot/pkg/model/sidecar.go`,
    /// `hostClassification.VSMatches` (names that overlap suffice).
    pub(crate) fn goes_by(&self, service: &Resource<VirtualService>) -> bool {
        let Some(hosts) = &self.hosts else {
            return true;
        };
        let own = full_hosts(service);
        hosts.iter().filter(|entry| !entry.excluded).any(|entry| {
            (entry.namespace == "*" || entry.namespace == service.id.namespace)
                && own.iter().any(|host| host_name::overlap(host, &entry.host))
        })
    }
}
