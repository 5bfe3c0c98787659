//! The virtual hosts in a client's sidecar: those of Services, and those of virtual services beyond them.

use std::collections::BTreeSet;

use super::client::Dialling;
use super::forward::Passes;
use super::host_name;
use super::http_route::routes;
use super::protocol::Protocol;
use super::registry::{Registered, RegisteredPort};
use super::route_table::{Route, RouteAction, RouteTable};
use super::service_lookup::visible;
use super::virtual_service::{full_hosts, order_cause};
use crate::model::{ObjectId, Resource, VirtualService};

/// A service of the port that is dialled, with that port.
pub(super) type OnPort<'a> = (Registered<'a>, RegisteredPort<'a>);

/// The routes of a virtual service that stand in for a name, with the virtual service.
struct Claim<'a> {
    /// Who claims it
    service: &'a Resource<VirtualService>,
    /// Its routes for this client, not empty
    routes: Vec<Route>,
}

/// The route table of a client's sidecar for requests to the port that it dials.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/httproute.go`, `BuildSidecarOutboundVirtualHosts`,
/// `getVirtualHostsForSniffedServicePort` (a port that declares nothing has but the dialled Service's virtual host,
/// for every authority).
pub(super) fn http_table(dialling: &Dialling<'_>) -> RouteTable {
    let services = on_port(dialling);
    let claims = claims(dialling, &services);
    let dialled = services.iter().find(|(service, _)| service.id() == dialling.service.id());
    if let Some(on_port) = dialled.filter(|_| dialling.port.protocol == Protocol::Sniffed) {
        let mut table = RouteTable::default();
        table.push_all("*", &service_routes(dialling, on_port, &claims));
        return table;
    }
    let mut table = RouteTable::default();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut add = |table: &mut RouteTable, domains: Vec<String>, routes: &[Route]| {
        for domain in domains {
            let domain = domain.to_ascii_lowercase();
            if taken.insert(domain.clone()) {
                table.push_all(&domain, routes);
            }
        }
    };
    let known: BTreeSet<&str> = services.iter().map(|(service, _)| service.host.as_str()).collect();
    for claim in &claims {
        // Hosts beyond the registry are served on port 80, and wherever their virtual service has a Service.
        let serves = services.iter().any(|on_port| stands_for(dialling, claim, on_port));
        if dialling.port.number == 80 || serves {
            let others = full_hosts(claim.service).into_iter().filter(|host| !is_registered(&known, host));
            add(&mut table, others.collect(), &claim.routes);
        }
    }
    for on_port in services.iter().filter(|(_, port)| matches!(port.protocol, Protocol::Http | Protocol::Sniffed)) {
        add(&mut table, domains(dialling, &on_port.0), &service_routes(dialling, on_port, &claims));
    }
    add(&mut table, vec!["*".to_owned()], &[dialling.passthrough(Passes::Requests)]);
    table.sort();
    table
}

/// Whether a host of a virtual service is a service of this port, or covers some.
fn is_registered(known: &BTreeSet<&str>, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    known
        .iter()
        .any(|service| if host.starts_with('*') { host_name::is_subset(service, &host) } else { *service == host })
}

/// The services that the client knows and that have the dialled port.
pub(super) fn on_port<'a>(dialling: &Dialling<'a>) -> Vec<OnPort<'a>> {
    let visible = visible(dialling.world, &dialling.client.namespace);
    let known = visible.into_iter().filter(|service| dialling.scope.knows(service) && service.alias_of().is_none());
    let mut found: Vec<OnPort<'a>> =
        known.filter_map(|service| service.port(dialling.port.number).map(|port| (service, port))).collect();
    let mut hosts = BTreeSet::new();
    found.retain(|(service, _)| hosts.insert(service.host.clone()));
    found
}

/// The virtual services that give this client routes, in order.
fn claims<'a>(dialling: &Dialling<'a>, services: &[OnPort<'_>]) -> Vec<Claim<'a>> {
    let concerned = |service: &&&Resource<VirtualService>| {
        dialling.port.number == 80
            || full_hosts(service).iter().any(|host| {
                services.iter().any(|(known, _)| host_name::overlap(&host.to_ascii_lowercase(), &known.host))
            })
    };
    let bound = dialling.virtual_services.iter().filter(concerned);
    bound
        .map(|service| Claim { service, routes: routes(dialling.world, service, dialling.router()) })
        .filter(|claim| !claim.routes.is_empty())
        .collect()
}

/// How narrowly a virtual service names a host; `None` if it does not.
fn names(service: &Resource<VirtualService>, host: &str) -> Option<(u8, std::cmp::Reverse<usize>)> {
    let hosts = full_hosts(service).into_iter().map(|known| known.to_ascii_lowercase());
    hosts.filter(|known| host_name::is_subset(host, known)).map(|known| host_name::specificity(&known)).min()
}

/// The virtual services that claim a service, the one that counts first: exact names before wildcards, longer
/// wildcards before shorter ones, then by order.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `separateVSHostsAndServices`;
/// `pilot/pkg/model/sidecar.go`, `computeWildcardHostVirtualServiceIndex` (which counts those without routes too).
fn claimants<'c, 'a>(dialling: &Dialling<'a>, host: &str, claims: &'c [Claim<'a>]) -> Vec<&'c Claim<'a>> {
    let mut found: Vec<_> = claims.iter().filter_map(|claim| Some((names(claim.service, host)?, claim))).collect();
    found.sort_by_key(|(narrow, _)| *narrow);
    let narrowest = found.first().map(|(narrow, _)| *narrow);
    found.retain(|(narrow, _)| Some(*narrow) == narrowest);
    // A wildcard counts only for the virtual service that is narrowest of all, with routes or without.
    let exact = narrowest.is_some_and(|(rank, _)| rank == 0);
    let best = narrowest_of_all(dialling, host);
    found.into_iter().map(|(_, claim)| claim).filter(|claim| exact || best == Some(&claim.service.id)).collect()
}

/// The virtual service that names a host most narrowly, with routes or without.
fn narrowest_of_all<'a>(dialling: &Dialling<'a>, host: &str) -> Option<&'a ObjectId> {
    let named = dialling.virtual_services.iter().filter_map(|service| Some((names(service, host)?, *service)));
    named.min_by_key(|(narrow, _)| *narrow).map(|(_, service)| &service.id)
}

/// Whether a virtual service has a service of this port among its own, which brings all its hosts to the port: one that
/// it names in full, also where an older one counts, or one that no other names more narrowly.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `separateVSHostsAndServices`.
fn stands_for(dialling: &Dialling<'_>, claim: &Claim<'_>, (service, port): &OnPort<'_>) -> bool {
    matches!(port.protocol, Protocol::Http | Protocol::Sniffed)
        && names(claim.service, &service.host)
            .is_some_and(|(rank, _)| rank == 0 || narrowest_of_all(dialling, &service.host) == Some(&claim.service.id))
}

/// The routes to a service: those of the virtual service that counts, else its own.
fn service_routes(dialling: &Dialling<'_>, (service, port): &OnPort<'_>, claims: &[Claim<'_>]) -> Vec<Route> {
    let claimants = claimants(dialling, &service.host, claims);
    let [first, others @ ..] = claimants.as_slice() else {
        return vec![dialling.own_route(service, *port, Passes::Requests)];
    };
    let mut routes = first.routes.clone();
    // Of several for one host only the oldest counts, and nothing may say which that is.
    let unclear = |other: &&&Claim<'_>| {
        (first.service.created.is_none() || other.service.created.is_none())
            && rank(dialling, first.service) == rank(dialling, other.service)
    };
    if let Some(rival) = others.iter().find(unclear) {
        for route in &mut routes {
            route.action = RouteAction::Unknown(order_cause(&first.service.id, rival.service));
            route.matches = None;
            route.preflight = None;
        }
    }
    routes
}

/// How near to the client a virtual service is exported.
fn rank(dialling: &Dialling<'_>, service: &Resource<VirtualService>) -> u8 {
    super::virtual_service::export_rank(service, &dialling.client.namespace)
}

/// The authorities of a service.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/httproute.go`, `generateVirtualHostDomains`,
/// `GenerateAltVirtualHosts`.
fn domains(dialling: &Dialling<'_>, service: &Registered<'_>) -> Vec<String> {
    let mut found = variants(dialling, &service.host);
    for other in &dialling.world.mesh.services {
        let other = Registered::kubernetes(other);
        if other.alias_of() == Some(service.host.as_str()) && dialling.knows(&other) {
            found.extend(variants(dialling, &other.host));
        }
    }
    if service.is_headless() {
        let wild: Vec<String> = found.iter().map(|domain| format!("*.{domain}")).collect();
        found.extend(wild);
    }
    found
}

/// The ways to write a service's name.
fn variants(dialling: &Dialling<'_>, host: &str) -> Vec<String> {
    let Some((name, namespace)) = host_name::parse_service_host(host) else {
        let absolute = (!host.starts_with('*')).then(|| format!("{host}."));
        return [host.to_owned()].into_iter().chain(absolute).collect();
    };
    let mut found =
        vec![host.to_owned(), format!("{host}."), format!("{name}.{namespace}.svc"), format!("{name}.{namespace}")];
    if dialling.client.namespace == namespace {
        found.push(name.to_owned());
    }
    found
}
