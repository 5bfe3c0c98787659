//! Gateway servers: which of them share a port, and the route table that they give their proxy.

use super::decision::{Cause, CauseKind};
use super::gateway_workload::GatewayWorkload;
use super::host_name;
use super::route_table::{Route, RouteAction, RouteTable};
use super::router::RoutingProxy;
use super::virtual_service::{self, Router, full_hosts, in_order, routes};
use super::world::World;
use crate::model::{Gateway, Mesh, ObjectId, Resource, Server, TlsMode};
use crate::text::Spanned;

/// The hosts of a gateway server as written.
fn hosts(server: &Server) -> Vec<&str> {
    server.hosts().iter().map(|host| host.value.as_str()).collect()
}

/// Whether a server speaks plaintext HTTP.
fn is_plain_http(server: &Server) -> bool {
    matches!(server.protocol().as_str(), "HTTP" | "HTTP2" | "GRPC" | "GRPC-WEB")
}

/// Whether a server terminates TLS and speaks HTTP inside.
fn is_https(server: &Server) -> bool {
    let ends = matches!(
        server.tls_mode(),
        Some(TlsMode::Simple | TlsMode::Mutual | TlsMode::IstioMutual | TlsMode::OptionalMutual)
    );
    server.protocol() == "HTTPS" && ends
}

/// The proxy behind a gateway's port: one for each identity set that serves it.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/gateway.go`, `mergeGateways`;
/// `pilot/pkg/networking/core/gateway.go`, `buildGatewayHTTPRouteConfig`. Differs: servers of TCP, of
/// TLS that is passed through, and of MUTUAL TLS are not modelled yet.
pub fn gateway_proxy(
    world: &World,
    gateway: &Resource<Gateway>,
    port: u16,
    workload: &GatewayWorkload,
) -> Option<RoutingProxy> {
    let server = gateway.spec.servers().iter().find(|server| server.value.number() == port)?;
    let mut proxy = RoutingProxy {
        name: format!("gateway {}", gateway.id.path()),
        identities: workload.identities.iter().map(|path| Some(world.identity(path))).collect(),
        namespace: workload.namespace.clone(),
        labels: workload.labels.clone(),
        port: listening_port(&world.mesh, workload, port),
        plaintext: is_plain_http(&server.value),
        sni_hosts: Vec::new(),
        table: RouteTable::default(),
        unknown: unmodelled_server(server),
        guarded: true,
    };
    let own =
        |server: &Spanned<Server>| -> Vec<(ObjectId, Spanned<Server>)> { vec![(gateway.id.clone(), server.clone())] };
    let servers = if proxy.plaintext { merged_servers(world, workload, proxy.port) } else { own(server) };
    if !proxy.plaintext && proxy.unknown.is_none() {
        let named = gateway.spec.servers().iter().filter(|server| server.value.number() == port);
        let of_one_port: Vec<&Spanned<Server>> = named.collect();
        if of_one_port.len() > 1 {
            proxy.unknown = Some(not_modelled(server, "several TLS servers of one port are not modelled yet"));
        }
        proxy.sni_hosts = host_names(&hosts(&server.value));
    }
    for (id, server) in &servers {
        add_server(world, id, &server.value, workload, &mut proxy.table);
    }
    proxy.table.sort();
    Some(proxy)
}

/// Hosts without their namespaces; none if one of them is everything.
fn host_names(hosts: &[&str]) -> Vec<String> {
    let names = hosts.iter().map(|host| host.rsplit('/').next().unwrap_or(host).to_ascii_lowercase());
    let names: Vec<String> = names.collect();
    if names.iter().any(|name| name == "*") { Vec::new() } else { names }
}

/// The cause of a server that is not modelled.
fn not_modelled(server: &Spanned<Server>, what: &str) -> Cause {
    let port = server.value.port.as_ref().map_or(server.span, |port| port.span);
    Cause { kind: CauseKind::UnmodelledKind, message: what.to_owned(), span: Some(port) }
}

/// Why nothing can be said of a server, if so.
fn unmodelled_server(server: &Spanned<Server>) -> Option<Cause> {
    if server.value.bind.as_ref().is_some_and(|bind| !bind.is_empty()) {
        return Some(not_modelled(server, "servers with `bind` are not modelled yet"));
    }
    if is_plain_http(&server.value) {
        return None;
    }
    match (is_https(&server.value), server.value.tls_mode()) {
        (true, Some(TlsMode::Simple)) => None,
        (true, _) => {
            Some(not_modelled(server, "gateway servers that ask for client certificates are not modelled yet"))
        }
        (false, _) => {
            Some(not_modelled(server, "gateway servers of TCP or of TLS that is passed through are not modelled yet"))
        }
    }
}

/// The port that a gateway workload listens on for a server's port.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/gateway.go`, `resolvePorts`.
fn listening_port(mesh: &Mesh, workload: &GatewayWorkload, port: u16) -> u16 {
    let pod = workload.object.as_ref().and_then(|id| mesh.workloads.iter().find(|workload| workload.id == *id));
    let Some(pod) = pod else {
        return port;
    };
    let services = mesh.services.iter().filter(|service| {
        service.id.namespace == pod.id.namespace
            && service
                .spec
                .selector
                .as_ref()
                .filter(|selector| !selector.is_empty())
                .is_some_and(|selector| super::workload_selector::selects(Some(selector), &pod.labels))
    });
    services
        .flat_map(|service| service.spec.ports())
        .find(|candidate| candidate.value.port == Some(i64::from(port)))
        .and_then(|candidate| super::workload_port::target_port(&candidate.value, pod))
        .unwrap_or(port)
}

/// The plaintext HTTP servers of all Gateways that share a listening port, oldest Gateway first.
fn merged_servers(world: &World, workload: &GatewayWorkload, port: u16) -> Vec<(ObjectId, Spanned<Server>)> {
    let mut gateways: Vec<&Resource<Gateway>> =
        world.mesh.gateways.iter().filter(|gateway| workload.gateways.contains(&gateway.id)).collect();
    gateways.sort_by_key(|gateway| gateway.age_key());
    gateways
        .into_iter()
        .flat_map(|gateway| gateway.spec.servers().iter().map(move |server| (gateway.id.clone(), server.clone())))
        .filter(|(_, server)| {
            is_plain_http(&server.value) && listening_port(&world.mesh, workload, server.value.number()) == port
        })
        .collect()
}

/// Adds the virtual hosts of one server to a table.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/gateway.go`, `buildGatewayHTTPRouteConfig`.
fn add_server(world: &World, gateway: &ObjectId, server: &Server, workload: &GatewayWorkload, table: &mut RouteTable) {
    let name = gateway.path();
    let router =
        Router { gateway: &name, namespace: &workload.namespace, labels: &workload.labels, port: server.number() };
    for service in in_order(world, &name, &workload.namespace) {
        let admitted = host_name::server_hosts_for(&hosts(server), &gateway.namespace, &service.id.namespace);
        let domains = host_name::intersection(&admitted, &full_hosts(service));
        if domains.is_empty() {
            continue;
        }
        let found = routes(world, service, router);
        for domain in domains {
            add_routes(table, &domain, &found, service);
            if server.https_redirect() {
                table.host(&domain).require_tls = true;
            }
        }
    }
    if server.https_redirect() {
        for host in hosts(server) {
            table.host(host).require_tls = true;
        }
    }
}

/// Appends the routes of a virtual service to a virtual host. Where those of another one of unknown
/// age stand there already and both take a path, only their age tells which goes first.
fn add_routes(table: &mut RouteTable, domain: &str, found: &[Route], service: &Resource<crate::model::VirtualService>) {
    let present: Vec<usize> = table.host(domain).routes.clone();
    let rival = present
        .iter()
        .filter_map(|index| table.routes.get(*index))
        .filter_map(|route| route.virtual_service.clone())
        .find(|other| *other != service.id);
    for route in found {
        let mut route = route.clone();
        // Catch-all routes move to the end whatever the age, so they take nothing from the others.
        let overlaps = present.iter().filter_map(|index| table.routes.get(*index)).any(|other| {
            !super::route_table::is_catch_all(other)
                && !super::route_table::is_catch_all(&route)
                && may_overlap(other, &route)
                || super::route_table::is_catch_all(other) && super::route_table::is_catch_all(&route)
        });
        if let Some(rival) = rival.as_ref().filter(|_| overlaps && service.created.is_none()) {
            route.action = RouteAction::Unknown(virtual_service::order_cause(rival, service));
            let earlier: Vec<usize> = present.clone();
            for index in earlier {
                let cause = virtual_service::order_cause(rival, service);
                if let Some(other) = table.routes.get_mut(index)
                    && may_overlap(other, &route)
                {
                    other.action = RouteAction::Unknown(cause);
                }
            }
        }
        table.push(domain, route);
    }
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
        (Some((a, true)), Some((b, false))) => a.starts_with(&b),
        (Some((a, false)), Some((b, true))) => b.starts_with(&a),
        (Some((a, false)), Some((b, false))) => a.starts_with(&b) || b.starts_with(&a),
        _ => true,
    }
}
