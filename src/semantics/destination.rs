//! From a destination in a route to the workloads that may get the request.

use std::sync::Arc;

use super::client_side::ClientSide;
use super::decision::{Cause, CauseKind};
use super::destination_rule::{ClientProxy, client_side, find_subset, rules_for};
use super::endpoints::called;
use super::host_name;
use super::passthrough::{Dialled, passed_through};
use super::registry::{Registered, is_complete};
use super::service_lookup::{Lookup, Seeker, look_up};
use super::workload_port::{WorkloadPort, workload_ports};
use super::world::World;
use crate::model::{Destination, Workload};
use crate::text::{Span, Spanned};

/// Where a request may end up.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A workload's port
    Workload {
        /// The workload
        workload: Arc<Workload>,
        /// Its port
        port: WorkloadPort,
        /// How the client speaks to it
        client: ClientSide,
        /// The server name that mTLS asks it for; unknown with its service
        server_name: Option<String>,
        /// Whether it is one of several that only may exist
        supposed: Option<Cause>,
    },
    /// Nowhere: no such cluster, or no endpoint
    Nowhere(String),
    /// Not known
    Unknown(Cause),
}

/// What resolving a destination needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route<'a> {
    /// The proxy that routes
    pub(crate) client: ClientProxy<'a>,
    /// Namespace of the virtual service, for short names
    pub(crate) namespace: &'a str,
    /// Port of the listener, where the destination names none
    pub(crate) listener_port: u16,
    /// What the client dials, where the proxy is a client's sidecar
    pub(crate) dialled: Option<Dialled<'a>>,
}

impl Route<'_> {
    /// Whether the proxy is a client's sidecar.
    fn is_sidecar(&self) -> bool {
        self.dialled.is_some()
    }
}

/// The workloads that a destination may mean.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `GetDestinationCluster`;
/// `pilot/pkg/xds/endpoints/endpoint_builder.go`.
pub(crate) fn targets(world: &World, destination: &Spanned<Destination>, route: Route<'_>) -> Vec<Target> {
    let span = destination.value.host.as_ref().map_or(destination.span, |host| host.span);
    let written = destination.value.host.as_ref().map_or("", |host| host.value.as_str());
    let host = host_name::resolve_short_name(written, route.namespace);
    let service = match registered(world, &host, route, span) {
        Ok(service) => service,
        Err(targets) => return targets,
    };
    let single = match service.ports().as_slice() {
        // A sidecar looks only among the services with the port that was dialled.
        [only] if !route.is_sidecar() => Some(only.number),
        _ => None,
    };
    let wanted = destination.value.port_number().or(single).unwrap_or(route.listener_port);
    // Another name leads to the service that it stands for, with the port found so far.
    let dialled = !route.is_sidecar() || service.port(route.listener_port).is_some();
    let service = match service.alias_of().filter(|_| dialled) {
        None if service.alias_of().is_some() => {
            return vec![Target::Nowhere(format!("`{}` is another name, which is no cluster", service.host))];
        }
        None => service,
        Some(other) => match registered(world, other, route, span) {
            Ok(service) if service.alias_of().is_none() => service,
            Ok(service) => return vec![Target::Nowhere(format!("`{}` is another name of another name", service.host))],
            Err(targets) => return targets,
        },
    };
    let Some(port) = service.port(wanted) else {
        return vec![Target::Nowhere(format!("`{}` has no port {wanted}", service.host))];
    };
    let rules = rules_for(world, route.client, &service.id().namespace, &service.host);
    let subset = match destination.value.subset.as_ref() {
        None => None,
        Some(name) => match find_subset(&rules, &name.value) {
            Some(subset) => Some(subset),
            None if !rules.is_empty() || is_complete(world) => {
                let why =
                    format!("no DestinationRule in force here gives `{}` a subset `{}`", service.host, name.value);
                return vec![Target::Nowhere(why)];
            }
            None => {
                return vec![Target::Unknown(Cause {
                    kind: CauseKind::MissingResource,
                    message: format!(
                        "no DestinationRule in the input tells what subset `{}` of `{}` is",
                        name.value, service.host
                    ),
                    span: Some(name.span),
                })];
            }
        },
    };
    let client = client_side(world, &rules, subset, wanted, service.is_external());
    let mut found = match route.dialled.filter(|_| service.is_passthrough()) {
        Some(dialled) => passed_through(world, dialled, &service, port, client),
        None if service.has_no_endpoints() => {
            vec![Target::Nowhere(format!("{} has no endpoints that a gateway could know", service.id()))]
        }
        None => called(world, &service, port, subset.and_then(|subset| subset.labels.as_ref()), &client),
    };
    let subset = destination.value.subset.as_ref().map_or("", |subset| subset.value.as_str());
    for target in &mut found {
        if let Target::Workload { server_name, supposed: None, .. } = target {
            *server_name = Some(mesh_server_name(port.number, subset, &service.host));
        }
    }
    found
}

/// The server name of mTLS within the mesh.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/service.go`, `BuildDNSSrvSubsetKey`.
pub(super) fn mesh_server_name(port: u16, subset: &str, host: &str) -> String {
    format!("outbound_.{port}_.{subset}_.{host}").to_ascii_lowercase()
}

/// The service of a host, or where requests for it end up without one.
fn registered<'a>(world: &'a World, host: &str, route: Route<'_>, span: Span) -> Result<Registered<'a>, Vec<Target>> {
    let seeker = Seeker { namespace: route.client.namespace, sidecar: route.is_sidecar() };
    match look_up(world, host, route.namespace, seeker) {
        Lookup::Found(service) => Ok(service),
        Lookup::Hidden(service) => Err(vec![Target::Nowhere(format!(
            "{} is not exported to the namespace `{}`",
            service.id(),
            route.client.namespace
        ))]),
        Lookup::Absent if is_complete(world) => {
            Err(vec![Target::Nowhere(format!("`{host}` is no service of the mesh"))])
        }
        Lookup::Absent => {
            let missing = |message: String| Cause { kind: CauseKind::MissingResource, message, span: Some(span) };
            Err(match host_name::parse_service_host(host) {
                None => vec![Target::Unknown(missing(format!("`{host}` is no service of the input")))],
                Some((name, namespace)) => {
                    let cause = missing(format!(
                        "the Service `{namespace}/{name}` is not in the input, so any workload of `{namespace}` may \
                         serve it"
                    ));
                    unknown_service(world, namespace, &cause)
                }
            })
        }
    }
}

/// Every workload of a namespace, on every port, when the Service is not in the input.
fn unknown_service(world: &World, namespace: &str, cause: &Cause) -> Vec<Target> {
    let mut found = Vec::new();
    let implied;
    let workloads = match world.workloads_in(namespace) {
        [] => {
            implied = super::implied::implied_workloads(&world.mesh, namespace);
            implied.as_slice()
        }
        workloads => workloads,
    };
    for workload in workloads {
        for port in workload_ports(world, workload) {
            found.push(Target::Workload {
                workload: Arc::clone(workload),
                port,
                client: ClientSide::Auto,
                server_name: None,
                supposed: Some(cause.clone()),
            });
        }
    }
    if found.is_empty() {
        found.push(Target::Unknown(cause.clone()));
    }
    found
}
