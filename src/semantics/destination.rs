//! From a destination in a route to the workloads that may get the request.

use super::client_side::ClientSide;
use super::decision::{Cause, CauseKind};
use super::destination_rule::{ClientProxy, client_side, find_subset, rules_for};
use super::host_name;
use super::implied::compatible;
use super::passthrough::{Dialled, passed_through};
use super::protocol::Protocol;
use super::registry::{Origin, Registered, RegisteredPort, WrittenPort, is_complete, kubernetes_port};
use super::service_lookup::{Lookup, Seeker, look_up};
use super::workload_port::{WorkloadPort, entry_port, has_behind, target_port, workload_ports};
use super::workload_selector::selects;
use super::world::World;
use crate::model::{Destination, Labels, Resource, Service, ServicePort, Workload};
use crate::text::{Span, Spanned};

/// Where a request may end up.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A workload's port
    Workload {
        /// The workload
        workload: Box<Workload>,
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
        None => endpoints(world, &service, port, subset.and_then(|subset| subset.labels.as_ref()), &client),
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
fn mesh_server_name(port: u16, subset: &str, host: &str) -> String {
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

/// The workloads behind a port of a Kubernetes Service, whoever calls.
pub fn service_targets(
    world: &World,
    service: &Resource<Service>,
    port: &ServicePort,
    client: &ClientSide,
) -> Vec<Target> {
    let Some(port) = kubernetes_port(port) else {
        return vec![Target::Nowhere(format!("the port of `{}` has no number", service.id.path()))];
    };
    let service = Registered::kubernetes(service);
    if let Some(other) = service.alias_of() {
        return vec![Target::Unknown(Cause {
            kind: CauseKind::MissingResource,
            message: format!(
                "{} is another name of `{other}`, and who answers to that is not in the input",
                service.id()
            ),
            span: Some(service.span()),
        })];
    }
    endpoints(world, &service, port, None, client)
}

/// The workloads behind a port of a service.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/xds/endpoints/endpoint_builder.go`, `BuildClusterLoadAssignment`;
/// `pilot/pkg/serviceregistry/serviceentry/controller.go` (pods and workload entries of a selector).
pub(crate) fn endpoints(
    world: &World,
    service: &Registered<'_>,
    port: RegisteredPort<'_>,
    subset: Option<&Labels>,
    client: &ClientSide,
) -> Vec<Target> {
    let outside = |message: String| {
        vec![Target::Unknown(Cause { kind: CauseKind::MissingResource, message, span: Some(service.span()) })]
    };
    let selector = match service.origin {
        Origin::Kubernetes(kubernetes) => kubernetes.spec.selector.as_ref(),
        Origin::Entry(entry) => entry.spec.workload_selector.as_ref().and_then(|selector| selector.labels.as_ref()),
    };
    let Some(selector) = selector.filter(|selector| !selector.is_empty()) else {
        return match service.origin {
            Origin::Kubernetes(_) => outside(format!(
                "the Service `{}` has no selector, and its endpoints are not in the input",
                service.id().path()
            )),
            Origin::Entry(entry)
                if entry.spec.resolution.as_deref() == Some("STATIC") && entry.spec.endpoints.is_none() =>
            {
                vec![Target::Nowhere(format!("{} has no endpoints", entry.id))]
            }
            Origin::Entry(entry) => {
                outside(format!("{} sends `{}` to addresses that are not in the input", entry.id, service.host))
            }
        };
    };
    let namespace = service.id().namespace.as_str();
    let mut found = Vec::new();
    for workload in world.workloads_in(namespace) {
        let picks = |labels: &Labels| {
            if workload.implied {
                compatible(labels, &workload.labels)
            } else {
                selects(Some(labels), &workload.labels)
            }
        };
        let served = match service.origin {
            Origin::Kubernetes(kubernetes) => has_behind(kubernetes, workload),
            Origin::Entry(_) => true,
        };
        if !served || !picks(selector) || !subset.is_none_or(picks) {
            continue;
        }
        let number = match port.written {
            WrittenPort::Kubernetes(port) => target_port(port, workload),
            WrittenPort::Entry(port) => entry_port(port, workload),
        };
        let Some(number) = number else {
            continue;
        };
        let known = workload_ports(world, workload).into_iter().find(|port| port.number == number);
        let named = WorkloadPort { number, protocol: port.protocol, by_service: true };
        let Some(known) = known.or_else(|| (port.protocol != Protocol::Udp).then_some(named)) else {
            continue;
        };
        let supposed = workload.implied.then(|| Cause {
            kind: CauseKind::MissingResource,
            message: format!("no workload behind `{}` is in the input", service.id().path()),
            span: Some(service.span()),
        });
        let server_name = Some(mesh_server_name(port.number, "", &service.host));
        let workload = Box::new(workload.clone());
        found.push(Target::Workload { workload, port: known, client: client.clone(), server_name, supposed });
    }
    if found.is_empty() {
        found.push(Target::Nowhere(format!("no workload of the input is behind `{}`", service.id().path())));
    }
    found
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
                workload: Box::new(workload.clone()),
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
