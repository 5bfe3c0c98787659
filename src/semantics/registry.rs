//! The service registry: Kubernetes Services and service entries by host, and who sees them.

use std::collections::BTreeSet;

use super::host_name;
use super::protocol::{Protocol, declared, service_port_protocol};
use super::world::World;
use crate::config::WorldSetting;
use crate::model::{ObjectId, Resource, Service, ServiceEntry, ServiceEntryPort, ServicePort};
use crate::text::Span;

/// Annotation that says which namespaces see a Service.
const EXPORT_TO: &str = "networking.istio.io/exportTo";

/// Who says that a host exists.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// A Kubernetes Service
    Kubernetes(&'a Resource<Service>),
    /// A service entry
    Entry(&'a Resource<ServiceEntry>),
}

/// A host of the registry.
#[derive(Debug, Clone)]
pub(crate) struct Registered<'a> {
    /// Its full name
    pub(crate) host: String,
    /// Who says that it exists
    pub(crate) origin: Origin<'a>,
}

/// A port of a host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RegisteredPort<'a> {
    /// Its number at the Service
    pub(crate) number: u16,
    /// What it speaks
    pub(crate) protocol: Protocol,
    /// Whether what it speaks is TLS, by declaration
    pub(crate) tls: bool,
    /// Where it is written
    pub(crate) written: WrittenPort<'a>,
}

/// Where a port is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WrittenPort<'a> {
    /// In a Kubernetes Service
    Kubernetes(&'a ServicePort),
    /// In a service entry
    Entry(&'a ServiceEntryPort),
}

impl<'a> Registered<'a> {
    /// A Kubernetes Service.
    pub(crate) fn kubernetes(service: &'a Resource<Service>) -> Self {
        let host = host_name::service_host(&service.id.name, &service.id.namespace);
        Self { host, origin: Origin::Kubernetes(service) }
    }

    /// The object that says so.
    pub(crate) fn id(&self) -> &'a ObjectId {
        match self.origin {
            Origin::Kubernetes(service) => &service.id,
            Origin::Entry(entry) => &entry.id,
        }
    }

    /// The object's name in the text.
    pub(crate) fn span(&self) -> Span {
        match self.origin {
            Origin::Kubernetes(service) => service.name_span,
            Origin::Entry(entry) => entry.name_span,
        }
    }

    /// Whether it lies outside of the mesh, by its own words.
    pub(crate) fn is_external(&self) -> bool {
        match self.origin {
            Origin::Kubernetes(_) => false,
            // MESH_EXTERNAL is the API's zero value.
            Origin::Entry(entry) => entry.spec.location.as_deref() != Some("MESH_INTERNAL"),
        }
    }

    /// The host that it is another name of, for an `ExternalName` Service.
    pub(crate) fn alias_of(&self) -> Option<&'a str> {
        match self.origin {
            Origin::Kubernetes(service) => {
                let kind = service.spec.service_type.as_ref().filter(|kind| kind.value == "ExternalName");
                kind.and(service.spec.external_name.as_deref())
            }
            Origin::Entry(_) => None,
        }
    }

    /// Whether it has no address of its own, so that clients dial its pods.
    pub(crate) fn is_headless(&self) -> bool {
        match self.origin {
            Origin::Kubernetes(service) => service.spec.cluster_ip.as_deref() == Some("None"),
            Origin::Entry(_) => false,
        }
    }

    /// The ports with a number.
    pub(crate) fn ports(&self) -> Vec<RegisteredPort<'a>> {
        match self.origin {
            Origin::Kubernetes(service) => {
                let ports = service.spec.ports().iter().map(|port| &port.value);
                ports.filter_map(kubernetes_port).collect()
            }
            Origin::Entry(entry) => {
                let ports = entry.spec.ports.iter().flatten();
                ports
                    .filter_map(|port| {
                        let number = u16::try_from(port.number?).ok()?;
                        let word = port.protocol.as_deref().unwrap_or_default();
                        Some(RegisteredPort {
                            number,
                            protocol: declared("TCP", None, word, number),
                            tls: is_tls(word),
                            written: WrittenPort::Entry(port),
                        })
                    })
                    .collect()
            }
        }
    }

    /// The port of a number.
    pub(crate) fn port(&self, number: u16) -> Option<RegisteredPort<'a>> {
        self.ports().into_iter().find(|port| port.number == number)
    }

    /// Whether proxies of a namespace see it.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `IsServiceVisible`, `initServiceRegistry`;
    /// `pilot/pkg/serviceregistry/kube/conversion.go` (annotation).
    pub(crate) fn is_visible(&self, world: &World, namespace: &str) -> bool {
        let annotated: Vec<&str> = match self.origin {
            Origin::Kubernetes(service) => match service.annotation(EXPORT_TO) {
                Some(list) => list.split(',').map(str::trim).filter(|scope| !scope.is_empty()).collect(),
                None => Vec::new(),
            },
            Origin::Entry(entry) => entry.spec.export_to.iter().flatten().map(String::as_str).collect(),
        };
        let defaults = world.mesh.settings.config.default_service_export_to.as_deref();
        exports_to(&annotated, defaults, &self.id().namespace, namespace)
    }
}

/// A port of a Kubernetes Service, if it has a number.
pub(crate) fn kubernetes_port(port: &ServicePort) -> Option<RegisteredPort<'_>> {
    let number = u16::try_from(port.port?).ok()?;
    let word = match port.app_protocol.as_deref() {
        Some("kubernetes.io/wss") => "https",
        Some(app) => app,
        None => port.name.as_deref().unwrap_or_default(),
    };
    Some(RegisteredPort {
        number,
        protocol: service_port_protocol(port),
        tls: is_tls(word),
        written: WrittenPort::Kubernetes(port),
    })
}

/// Whether a declared protocol is TLS that proxies do not open.
fn is_tls(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    matches!(word.split('-').next(), Some("https" | "tls"))
}

/// Whether `exportTo`, or the mesh's default for it, admits a namespace.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `initServiceRegistry`, `setDestinationRules`.
pub(crate) fn exports_to(scopes: &[&str], defaults: Option<&[String]>, own: &str, namespace: &str) -> bool {
    let admits = |scope: &str| match scope {
        "*" => true,
        "." => own == namespace,
        other => other == namespace,
    };
    match (scopes, defaults) {
        ([], None | Some([])) => true,
        ([], Some(defaults)) => defaults.iter().any(|scope| admits(scope)),
        (scopes, _) => scopes.iter().any(|scope| admits(scope)),
    }
}

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

/// The service of a host, as a proxy of a namespace sees it: first the one in a preferred namespace, then any.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `buildNameToServiceMapForHTTPRoutes`;
/// `pilot/pkg/model/sidecar.go`, `appendSidecarServices` (a Kubernetes Service goes before a service entry).
pub(crate) fn look_up<'a>(world: &'a World, host: &str, preferred: &str, proxy: &str) -> Lookup<'a> {
    let mut hidden = None;
    let kubernetes =
        host_name::parse_service_host(host).and_then(|(name, namespace)| world.mesh.service(namespace, name));
    let mut candidates: Vec<Registered<'a>> = kubernetes.map(Registered::kubernetes).into_iter().collect();
    let mut entries: Vec<_> = world.mesh.service_entries.iter().filter(|entry| has_host(entry, host)).collect();
    entries.sort_by_key(|entry| (entry.id.namespace != preferred, entry.age_key()));
    candidates
        .extend(entries.into_iter().map(|entry| Registered { host: host.to_owned(), origin: Origin::Entry(entry) }));
    for candidate in candidates {
        if candidate.is_visible(world, proxy) {
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

/// Whether a service entry is for exactly this host.
fn has_host(entry: &Resource<ServiceEntry>, host: &str) -> bool {
    let hosts = entry.spec.hosts.iter().flat_map(|hosts| &hosts.value);
    hosts.into_iter().any(|known| known.value.eq_ignore_ascii_case(host))
}

/// Every service that proxies of a namespace see.
pub(crate) fn visible<'a>(world: &'a World, namespace: &str) -> Vec<Registered<'a>> {
    let mut found: Vec<Registered<'a>> = world.mesh.services.iter().map(Registered::kubernetes).collect();
    for entry in &world.mesh.service_entries {
        for host in entry.spec.hosts.iter().flat_map(|hosts| &hosts.value) {
            if !found.iter().any(|known| known.host == host.value) {
                found.push(Registered { host: host.value.clone(), origin: Origin::Entry(entry) });
            }
        }
    }
    found.retain(|service| service.is_visible(world, namespace));
    found
}

/// Whether what the input does not have does not exist.
pub(crate) fn is_complete(world: &World) -> bool {
    world.options.world == WorldSetting::Closed
}
