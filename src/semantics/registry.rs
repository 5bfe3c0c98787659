//! The service registry: Kubernetes Services and service entries by host, and who sees them.

use compact_str::CompactString;

use super::host_name;
use super::protocol::{Protocol, declared, service_port_protocol};
use super::world::World;
use crate::config::WorldSetting;
use crate::model::{ObjectId, Resource, Service, ServiceEntry, ServiceEntryPort, ServicePort};
use crate::text::Span;

/// Annotation that says which namespaces see a Service.
pub(crate) const EXPORT_TO: &str = "networking.istio.io/exportTo";

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

impl<'a> WrittenPort<'a> {
    /// Its name, empty without one
    pub(super) fn name(self) -> &'a str {
        match self {
            Self::Kubernetes(port) => port.name.as_deref().unwrap_or_default(),
            Self::Entry(port) => port.name.as_deref().unwrap_or_default(),
        }
    }
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

    /// Whether it is a service entry.
    pub(super) fn is_entry(&self) -> bool {
        matches!(self.origin, Origin::Entry(_))
    }

    /// What decides among several of one host, for clients of a namespace: their own namespace, Kubernetes, whom it is
    /// exported to by name, age.
    pub(super) fn rank(&self, namespace: &str) -> (bool, bool, bool, &'a str, &'a str) {
        let own = self.id().namespace == namespace;
        let (public, created) = match self.origin {
            Origin::Kubernetes(service) => (true, service.created.as_deref()),
            Origin::Entry(entry) => {
                let scopes = entry.spec.export_to.as_ref();
                let public = scopes.is_none_or(|scopes| scopes.is_empty() || scopes.iter().any(|scope| scope == "*"));
                (public, entry.created.as_deref())
            }
        };
        (!own, self.is_entry(), public, created.unwrap_or_default(), self.id().namespace.as_str())
    }

    /// Whether it has no address of its own, so that clients dial its pods.
    pub(crate) fn is_headless(&self) -> bool {
        match self.origin {
            Origin::Kubernetes(service) => service.spec.cluster_ip.as_deref() == Some("None"),
            Origin::Entry(_) => false,
        }
    }

    /// Whether sidecars pass on what is sent to it to the address that was dialled.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/serviceregistry/kube/conversion.go`, `ConvertService`;
    /// `pilot/pkg/serviceregistry/serviceentry/conversion.go`, `convertServices`.
    pub(crate) fn is_passthrough(&self) -> bool {
        match self.origin {
            Origin::Kubernetes(_) => self.is_headless(),
            Origin::Entry(entry) => entry.spec.resolution.as_deref().is_none_or(|resolution| resolution == "NONE"),
        }
    }

    /// Whether it names no endpoints, nor how to find them.
    pub(crate) fn has_no_endpoints(&self) -> bool {
        let Origin::Entry(entry) = self.origin else {
            return false;
        };
        self.is_passthrough() && entry.spec.endpoints.is_none() && entry.spec.workload_selector.is_none()
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
            Origin::Entry(entry) => entry.spec.export_to.iter().flatten().map(CompactString::as_str).collect(),
        };
        let defaults = world.mesh.settings.config.default_service_export_to.as_deref();
        exports_to(&annotated, defaults, &self.id().namespace, namespace)
    }
}

/// Whether proxies of a namespace see a Kubernetes Service.
///
/// # Upstream
/// istio/istio 1.32: as [`Registered::is_visible`].
pub(crate) fn is_exported(world: &World, service: &Resource<Service>, namespace: &str) -> bool {
    Registered::kubernetes(service).is_visible(world, namespace)
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

/// Whether what the input does not have does not exist.
pub(crate) fn is_complete(world: &World) -> bool {
    world.options.world == WorldSetting::Closed
}
