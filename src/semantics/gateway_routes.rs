//! The route table of gateway servers: virtual hosts of all virtual services that are bound to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::gateway_server::{Listening, ServerKind};
use super::gateway_workload::GatewayWorkload;
use super::host_name;
use super::http_route::routes;
use super::ingress::ingress_hosts;
use super::route_table::{Route, RouteAction, RouteTable, is_catch_all};
use super::virtual_service::{self, Router, full_hosts, in_order};
use super::world::World;
use crate::model::{ObjectId, Resource, VirtualService};

/// The route table that servers share, in their order.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `buildGatewayHTTPRouteConfig`.
pub(crate) fn http_table(world: &World, workload: &GatewayWorkload, servers: &[&Listening<'_>]) -> RouteTable {
    let mut table = RouteTable::default();
    // The routes of a virtual service are made once for each Gateway, for the server that comes to it first.
    let mut made: BTreeMap<(String, Arc<ObjectId>), Vec<Route>> = BTreeMap::new();
    for listening in servers {
        let name = listening.gateway.id.path();
        let server = &listening.server.value;
        let router = Router {
            gateway: &name,
            namespace: &workload.namespace,
            labels: &workload.labels,
            port: server.number(),
            dialled: None,
        };
        for service in in_order(world, &name, &workload.namespace) {
            let admitted = host_name::names_for_namespace(&listening.hosts, &service.id.namespace);
            let domains = host_name::intersection(&admitted, &full_hosts(service));
            if domains.is_empty() {
                continue;
            }
            let key = (name.clone(), service.id.clone());
            let found = made.entry(key).or_insert_with(|| routes(world, service, router));
            if found.is_empty() {
                continue;
            }
            for domain in domains {
                add_routes(world, &mut table, &domain, found, service);
                if server.https_redirect() {
                    table.host(&domain).require_tls = true;
                }
            }
        }
        if server.https_redirect() {
            for host in &listening.hosts {
                table.host(host).require_tls = true;
            }
        }
    }
    table.sort();
    if servers.iter().any(|listening| listening.server.value.number() == 80 && listening.kind == ServerKind::Http) {
        for (host, cause) in ingress_hosts(world, workload) {
            let span = cause.span.unwrap_or(workload.span);
            let action = RouteAction::Unknown(cause);
            table.push_front(&host, Route::of(action, span));
        }
    }
    table
}

/// Appends the routes of a virtual service to a virtual host. Where those of another one stand there already and the age
/// of either is unknown, nobody knows which goes first: in front of the other's route comes one for what both take.
fn add_routes(
    world: &World,
    table: &mut RouteTable,
    domain: &str,
    found: &[Route],
    service: &Resource<VirtualService>,
) {
    let present: Vec<usize> = table.host(domain).routes.clone();
    for route in found {
        for place in &present {
            let Some(other) = table.routes.get(*place).filter(|other| other.rival.is_none()) else {
                continue;
            };
            let rival = other.virtual_service.clone().filter(|rival| *rival != service.id);
            let Some(rival) = rival.filter(|rival| service.created.is_none() || !is_dated(world, rival)) else {
                continue;
            };
            // Catch-all routes move to the end whatever the age, so they take nothing from the others.
            if is_catch_all(other) == is_catch_all(route) && may_overlap(other, route) && !does_the_same(other, route) {
                let cause = virtual_service::order_cause(&rival, service);
                let both = Route {
                    rival: Some(route.matches.clone().unwrap_or_default().into()),
                    preflight: None,
                    action: RouteAction::Unknown(cause),
                    ..other.clone()
                };
                table.push_before(domain, both, *place);
            }
        }
        table.push(domain, route.clone());
    }
}

/// Whether it makes no difference which of two routes takes a request.
fn does_the_same(a: &Route, b: &Route) -> bool {
    a.action == b.action && a.preflight == b.preflight
}

/// Whether a virtual service says when it was made.
fn is_dated(world: &World, service: &ObjectId) -> bool {
    let found = world.mesh.virtual_services.named(&service.namespace, &service.name);
    found.is_some_and(|found| found.created.is_some())
}

/// Whether two routes may take one request, as far as their paths tell.
fn may_overlap(a: &Route, b: &Route) -> bool {
    let stem = |route: &Route| {
        let uri = route.matches.as_ref().and_then(|matches| matches.uri.as_ref())?;
        let uri = &uri.value;
        let (text, exact) = match (&uri.exact, &uri.prefix) {
            (Some(exact), _) => (exact.value.clone(), true),
            (None, Some(prefix)) => (prefix.value.clone(), false),
            (None, None) => return None,
        };
        Some((text, exact))
    };
    match (stem(a), stem(b)) {
        (Some((a, true)), Some((b, true))) => a == b,
        (Some((a, true)), Some((b, false))) => a.starts_with(b.as_str()),
        (Some((a, false)), Some((b, true))) => b.starts_with(a.as_str()),
        (Some((a, false)), Some((b, false))) => a.starts_with(b.as_str()) || b.starts_with(a.as_str()),
        _ => true,
    }
}
