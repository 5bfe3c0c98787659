//! Services by host, as proxies see them.

use std::collections::{BTreeSet, HashMap};

use super::host_name;
use super::registry::{Origin, Registered};
use super::world::World;
use crate::model::{Resource, ServiceEntry};

/// What the registry says of a host.
#[derive(Debug, Clone)]
pub(crate) enum Lookup<'a> {
    /// It is there
    Found(Registered<'a>),
    /// It is there, and the proxy does not see it
    Hidden(Registered<'a>),
    /// The input does not have it
    Absent,
}

/// Who looks for a service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeker<'a> {
    /// The proxy's namespace
    pub(crate) namespace: &'a str,
    /// Whether it is a client's sidecar, which finds what its own namespace has, exported to it or not
    pub(crate) sidecar: bool,
}

/// The service of a host, as a proxy sees it: first the one in a preferred namespace, then any.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `buildNameToServiceMapForHTTPRoutes`;
/// `pilot/pkg/model/sidecar.go`, `appendSidecarServices` (a Kubernetes Service goes before a service entry),
/// `collectImportedServices`.
pub(crate) fn look_up<'a>(world: &'a World, host: &str, preferred: &str, seeker: Seeker<'_>) -> Lookup<'a> {
    let mut hidden = None;
    let kubernetes =
        host_name::parse_service_host(host).and_then(|(name, namespace)| world.mesh.service(namespace, name));
    let mut candidates: Vec<Registered<'a>> = kubernetes.map(Registered::kubernetes).into_iter().collect();
    let mut entries: Vec<_> = world.mesh.service_entries.iter().filter(|entry| has_host(entry, host)).collect();
    entries.sort_by_key(|entry| (entry.id.namespace != preferred, entry.age_key()));
    candidates
        .extend(entries.into_iter().map(|entry| Registered { host: host.to_owned(), origin: Origin::Entry(entry) }));
    if seeker.sidecar {
        candidates.sort_by(|a, b| a.rank(seeker.namespace).cmp(&b.rank(seeker.namespace)));
    }
    for candidate in candidates {
        let own = seeker.sidecar && candidate.id().namespace == seeker.namespace;
        if own || candidate.is_visible(world, seeker.namespace) {
            return Lookup::Found(candidate);
        }
        hidden.get_or_insert(candidate);
    }
    hidden.map_or(Lookup::Absent, Lookup::Hidden)
}

/// The namespaces in which a host is registered.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `initServiceRegistry` (`HostnameAndNamespace`).
pub(crate) fn namespaces_of<'a>(world: &'a World, host: &str) -> BTreeSet<&'a str> {
    let kubernetes =
        host_name::parse_service_host(host).and_then(|(name, namespace)| world.mesh.service(namespace, name));
    let kubernetes = kubernetes.map(|service| service.id.namespace.as_str());
    let entries = world.mesh.service_entries.iter().filter(|entry| has_host(entry, host));
    entries.map(|entry| entry.id.namespace.as_str()).chain(kubernetes).collect()
}

/// All that is registered under a host in a namespace, the Kubernetes Service first.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/endpointshards.go`, `EndpointIndex` (by host and namespace, whatever the registry).
pub(super) fn registered_in<'a>(world: &'a World, host: &str, namespace: &str) -> Vec<Registered<'a>> {
    let kubernetes = host_name::parse_service_host(host).filter(|(_, known)| *known == namespace);
    let kubernetes = kubernetes.and_then(|(name, namespace)| world.mesh.service(namespace, name));
    let kubernetes = kubernetes.map(Registered::kubernetes).filter(|service| service.alias_of().is_none());
    let entries = world.mesh.service_entries.iter();
    let entries = entries.filter(|entry| entry.id.namespace == namespace && has_host(entry, host));
    let entries = entries.map(|entry| Registered { host: host.to_owned(), origin: Origin::Entry(entry) });
    kubernetes.into_iter().chain(entries).collect()
}

/// Whether a service entry is for exactly this host.
fn has_host(entry: &Resource<ServiceEntry>, host: &str) -> bool {
    let hosts = entry.spec.hosts.iter().flat_map(|hosts| &hosts.value);
    hosts.into_iter().any(|known| known.value.eq_ignore_ascii_case(host))
}

/// Every service that clients of a namespace see: of several with one host those of one namespace, their own before
/// others.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/sidecar.go`, `selectServices`, `canMergeServices`.
pub(crate) fn visible<'a>(world: &'a World, namespace: &str) -> Vec<Registered<'a>> {
    let mut found: Vec<Registered<'a>> = world.mesh.services.iter().map(Registered::kubernetes).collect();
    for entry in &world.mesh.service_entries {
        let hosts = entry.spec.hosts.iter().flat_map(|hosts| &hosts.value);
        found.extend(hosts.map(|host| Registered { host: host.value.to_string(), origin: Origin::Entry(entry) }));
    }
    found.retain(|service| service.is_visible(world, namespace));
    found.sort_by(|a, b| a.rank(namespace).cmp(&b.rank(namespace)));
    let mut first: HashMap<String, (&str, bool)> = HashMap::new();
    found.retain(|service| {
        let place = (service.id().namespace.as_str(), service.is_entry());
        *first.entry(service.host.clone()).or_insert(place) == place
    });
    found
}
