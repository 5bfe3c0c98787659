//! From a service to the workloads behind it, and whom callers expect to find there.

use std::sync::Arc;

use super::client_side::{ClientSide, Handshake, handshake};
use super::decision::{Cause, CauseKind};
use super::destination::{Target, mesh_server_name};
use super::implied::compatible;
use super::protocol::Protocol;
use super::registry::{Origin, Registered, RegisteredPort, WrittenPort, kubernetes_port};
use super::service_lookup::registered_in;
use super::workload_port::{WorkloadPort, entry_port, has_behind, target_port, workload_ports};
use super::workload_selector::selects;
use super::world::World;
use crate::model::{Labels, Resource, Service, ServicePort, Workload};

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

/// The workloads behind a port of a service, as a proxy calls them that expects whoever it speaks mTLS with to be one of
/// the service's own.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/cluster_tls.go`, `buildUpstreamTLSSettings` (service accounts as names).
pub(crate) fn called(
    world: &World,
    service: &Registered<'_>,
    port: RegisteredPort<'_>,
    subset: Option<&Labels>,
    client: &ClientSide,
) -> Vec<Target> {
    let mut found = endpoints(world, service, port, subset, client);
    // Whoever has an account is expected by it.
    let stranger = |target: &Target| matches!(target, Target::Workload { workload, .. } if !gives_account(workload));
    if found.iter().any(stranger) {
        hold_to_accounts(world, service, &mut found);
    }
    found
}

/// Takes for mistaken whoever is called with mTLS and bears none of the accounts that a service's endpoints tell, of
/// whatever port. A service that tells none is trusted.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/push_context.go`, `addServiceAccounts`;
/// `pilot/pkg/serviceregistry/serviceentry/conversion.go`, `convertWorkloadEntryToWorkloadInstance` (a machine without
/// account tells none).
pub(super) fn hold_to_accounts(world: &World, service: &Registered<'_>, found: &mut [Target]) {
    let ports = service.ports();
    let all = ports.iter().flat_map(|port| endpoints(world, service, *port, None, &ClientSide::Auto));
    let accounts: Vec<String> = all
        .filter_map(|target| match target {
            Target::Workload { workload, .. } => gives_account(&workload).then(|| workload.identity_path()),
            Target::Nowhere(_) | Target::Unknown(_) => None,
        })
        .collect();
    if accounts.is_empty() {
        return;
    }
    for target in found {
        let Target::Workload { workload, port, client, .. } = target else {
            continue;
        };
        if !accounts.contains(&workload.identity_path())
            && handshake(world, workload, port, client) == Handshake::Identity
        {
            let span = if let ClientSide::MeshMutual(span) = client { *span } else { workload.name_span };
            *client = ClientSide::Mistaken(span);
        }
    }
}

/// Whether istiod knows the account of a workload: machines may keep silent about theirs, pods cannot.
fn gives_account(workload: &Workload) -> bool {
    workload.id.kind != "WorkloadEntry" || workload.account_span.is_some()
}

/// The workloads behind a port of a service: all that objects of its host and namespace put behind a port of that name.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/xds/endpoints/endpoint_builder.go`, `BuildClusterLoadAssignment`, `snapshotShards`;
/// `pilot/pkg/serviceregistry/serviceentry/conversion.go`, `mergeServicesInstancesByNamespaceHost`.
pub(crate) fn endpoints(
    world: &World,
    service: &Registered<'_>,
    port: RegisteredPort<'_>,
    subset: Option<&Labels>,
    client: &ClientSide,
) -> Vec<Target> {
    let mut found = endpoints_of(world, service, port, subset, client);
    for other in registered_in(world, &service.host, &service.id().namespace) {
        let named = |known: &RegisteredPort<'_>| known.written.name() == port.written.name();
        let same = other.ports().into_iter().find(named).filter(|_| other.id() != service.id());
        if let Some(same) = same {
            let port = RegisteredPort { number: port.number, ..same };
            found.extend(endpoints_of(world, &other, port, subset, client));
        }
    }
    if found.iter().any(|target| !matches!(target, Target::Nowhere(_))) {
        found.retain(|target| !matches!(target, Target::Nowhere(_)));
    } else {
        found.truncate(1);
    }
    found
}

/// The workloads that one object puts behind a port.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/serviceregistry/serviceentry/controller.go` (pods and workload entries of a selector).
fn endpoints_of(
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
        let workload = Arc::clone(workload);
        found.push(Target::Workload { workload, port: known, client: client.clone(), server_name, supposed });
    }
    if found.is_empty() {
        found.push(Target::Nowhere(format!("no workload of the input is behind `{}`", service.id().path())));
    }
    found
}
