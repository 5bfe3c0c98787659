//! The sidecar of a client on the way to a Service: virtual services on `mesh`, and each Service's own route.

use super::decision::{By, Cause, CauseKind};
use super::destination::{ClientSide, client_side, service_targets};
use super::extension::{Role, extensions};
use super::host_name::{self, service_host};
use super::protocol::{Protocol, service_port_protocol};
use super::route_table::{Abort, Forward, Route, RouteAction, RouteTable};
use super::router::RoutingProxy;
use super::virtual_service::{MESH, Router, full_hosts, in_order, order_cause, routes};
use super::workload_selector::Proxy;
use super::world::World;
use crate::model::{Labels, Resource, Service, ServicePort, VirtualService};
use crate::space::PathRewrite;

/// A client whose requests to a Service go through its own sidecar.
#[derive(Debug, Clone)]
pub struct Client {
    /// `NS/NAME`
    pub name: String,
    /// Its namespace
    pub namespace: String,
    /// Labels of its pod
    pub labels: Labels,
    /// Its identity
    pub identity: String,
}

/// The sidecar of a client, on the way to a Service's port.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/httproute.go`, `buildSidecarOutboundVirtualHosts`.
/// Differs: a `Sidecar` that narrows what the client knows, and Gateway API routes, are not modelled yet.
pub fn client_proxy(world: &World, client: &Client, service: &Resource<Service>, port: &ServicePort) -> RoutingProxy {
    let number = port.port.and_then(|number| u16::try_from(number).ok()).unwrap_or(0);
    let proxy = Proxy { namespace: &client.namespace, labels: &client.labels };
    let found = extensions(&world.mesh, proxy, Role::Outbound, &|id| world.is_trusted(id));
    let protocol = service_port_protocol(port);
    let sidecar = world.mesh.sidecars.iter().find(|sidecar| {
        sidecar.id.namespace == client.namespace || sidecar.id.namespace == world.mesh.settings.root_namespace()
    });
    let unknown = sidecar
        .map(|sidecar| Cause {
            kind: CauseKind::UnmodelledKind,
            message: format!("{} narrows what clients know, which is not modelled yet", sidecar.id),
            span: Some(sidecar.name_span),
        })
        .or(found.may_change)
        .or(found.may_refuse)
        .or_else(|| {
            (protocol == Protocol::Tcp || protocol == Protocol::Udp).then(|| Cause {
                kind: CauseKind::UnmodelledKind,
                message: "TCP ports behind a client's sidecar are not modelled yet".to_owned(),
                span: Some(service.name_span),
            })
        });
    let mut table = RouteTable::default();
    for other in &world.mesh.services {
        let ports = other.spec.ports().iter();
        for other_port in ports.filter(|candidate| candidate.value.port == port.port) {
            add_service(world, client, other, &other_port.value, number, &mut table);
        }
    }
    let policy = world.mesh.settings.config.outbound_traffic_policy.as_ref();
    let registry_only =
        policy.and_then(|policy| policy.mode.as_ref()).is_some_and(|mode| mode.value == "REGISTRY_ONLY");
    // Any other authority is passed through, in plaintext, to where the client dialled.
    let dialled = Forward {
        targets: service_targets(world, service, port, None, &ClientSide::Plaintext(service.name_span)),
        ..plain_forward()
    };
    add_other_hosts(world, client, number, &mut table);
    let action = if registry_only { RouteAction::Answer(By::NoDestination) } else { RouteAction::Forward(dialled) };
    table.push("*", Route { virtual_service: None, matches: None, action, span: service.name_span });
    table.sort();
    RoutingProxy {
        name: format!("client {}", client.name),
        identities: vec![Some(client.identity.clone())],
        namespace: client.namespace.clone(),
        labels: client.labels.clone(),
        port: number,
        plaintext: true,
        sni_hosts: Vec::new(),
        table,
        unknown,
        guarded: false,
    }
}

/// A request that is sent on as it is.
fn plain_forward() -> Forward {
    Forward {
        targets: Vec::new(),
        mirrors: Vec::new(),
        rewrite: PathRewrite::Keep,
        regex_rewrite: None,
        authority: None,
        set: Vec::new(),
        add: Vec::new(),
        remove: Vec::new(),
        abort: Abort::Never,
    }
}

/// Adds the hosts of virtual services that belong to no Service of the input; sidecars serve them on port 80.
fn add_other_hosts(world: &World, client: &Client, number: u16, table: &mut RouteTable) {
    if number != 80 {
        return;
    }
    let router = Router { gateway: MESH, namespace: &client.namespace, labels: &client.labels, port: number };
    for service in in_order(world, MESH, &client.namespace) {
        for host in full_hosts(service) {
            let known = table.hosts.iter().any(|known| host_name::is_subset(&known.domain, &host.to_ascii_lowercase()));
            if !known {
                for route in routes(world, service, router) {
                    table.push(&host, route);
                }
            }
        }
    }
}

/// Adds the virtual hosts of one Service to a client's table.
fn add_service(
    world: &World,
    client: &Client,
    service: &Resource<Service>,
    port: &ServicePort,
    number: u16,
    table: &mut RouteTable,
) {
    let host = service_host(&service.id.name, &service.id.namespace);
    let router = Router { gateway: MESH, namespace: &client.namespace, labels: &client.labels, port: number };
    let bound = in_order(world, MESH, &client.namespace);
    let claims = |wild: bool| -> Vec<&Resource<VirtualService>> {
        let claiming = bound.iter().filter(|candidate| {
            full_hosts(candidate).iter().any(|claimed| {
                claimed.starts_with('*') == wild && host_name::is_subset(&host, &claimed.to_ascii_lowercase())
            })
        });
        claiming.copied().collect()
    };
    let exact = claims(false);
    let claiming = if exact.is_empty() { claims(true) } else { exact };
    let own = match claiming.as_slice() {
        [] => None,
        // Of several for one host only the oldest counts, and nothing may say which that is.
        [oldest, others @ ..] => {
            let mut taken = routes(world, oldest, router);
            let rival = others.iter().find(|other| oldest.created.is_none() || other.created.is_none());
            if let Some(rival) = rival {
                for route in &mut taken {
                    route.action = RouteAction::Unknown(order_cause(&oldest.id, rival));
                    route.matches = None;
                }
            }
            Some(taken)
        }
    };
    let found = own.filter(|routes| !routes.is_empty()).unwrap_or_else(|| {
        let client_side = client_side(world, &client.namespace, &service.id.namespace, &host, number, None);
        let forward = Forward { targets: service_targets(world, service, port, None, &client_side), ..plain_forward() };
        vec![Route {
            virtual_service: None,
            matches: None,
            action: RouteAction::Forward(forward),
            span: service.name_span,
        }]
    });
    let (name, namespace) = (&service.id.name, &service.id.namespace);
    let mut domains =
        vec![host.clone(), format!("{host}."), format!("{name}.{namespace}.svc"), format!("{name}.{namespace}")];
    if client.namespace == *namespace {
        domains.push(name.clone());
    }
    for domain in domains {
        for route in &found {
            table.push(&domain, route.clone());
        }
    }
}
