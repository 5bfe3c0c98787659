//! The virtual hosts in a client's sidecar: those of Services, and those of virtual services beyond them.

use std::collections::{BTreeSet, HashMap};

use super::client::Dialling;
use super::client_claims::{Claim, Claims};
use super::forward::Passes;
use super::host_name;
use super::protocol::Protocol;
use super::registry::{Registered, RegisteredPort};
use super::route_table::{Route, RouteAction, RouteTable};
use super::service_lookup::visible;
use super::virtual_service::order_cause;
use crate::model::{Resource, VirtualService};

/// A service of the port that is dialled, with that port.
pub(super) type OnPort<'a> = (Registered<'a>, RegisteredPort<'a>);

/// The route table of a client's sidecar for requests to the port that it dials.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/httproute.go`, `BuildSidecarOutboundVirtualHosts`,
/// `getVirtualHostsForSniffedServicePort` (a port that declares nothing has but the dialled Service's virtual host,
/// for every authority).
pub(super) fn http_table(dialling: &Dialling<'_>) -> RouteTable {
    let services = on_port(dialling);
    let claims = Claims::of(dialling, &services);
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
    let aliases = aliases(dialling);
    for claim in claims.beyond_services(&services) {
        add(&mut table, claim.hosts, claim.routes);
    }
    for on_port in services.iter().filter(|(_, port)| matches!(port.protocol, Protocol::Http | Protocol::Sniffed)) {
        add(&mut table, domains(dialling, &on_port.0, &aliases), &service_routes(dialling, on_port, &claims));
    }
    add(&mut table, vec!["*".to_owned()], &[dialling.passthrough(Passes::Requests)]);
    table.sort();
    table
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

/// The routes to a service: those of the virtual service that counts, else its own.
fn service_routes(dialling: &Dialling<'_>, (service, port): &OnPort<'_>, claims: &Claims<'_>) -> Vec<Route> {
    let claimants = claims.of_service(&service.host);
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

/// The names of services that are other names of one, by its host, as far as the client knows them.
fn aliases<'a>(dialling: &Dialling<'a>) -> HashMap<&'a str, Vec<String>> {
    let mut found: HashMap<&'a str, Vec<String>> = HashMap::new();
    for service in dialling.world.mesh.services.iter().filter(|service| service.spec.external_name.is_some()) {
        let service = Registered::kubernetes(service);
        if let Some(host) = service.alias_of().filter(|_| dialling.knows(&service)) {
            found.entry(host).or_default().push(service.host);
        }
    }
    found
}

/// The authorities of a service.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/httproute.go`, `generateVirtualHostDomains`,
/// `GenerateAltVirtualHosts`.
fn domains(dialling: &Dialling<'_>, service: &Registered<'_>, aliases: &HashMap<&str, Vec<String>>) -> Vec<String> {
    let others = aliases.get(service.host.as_str()).into_iter().flatten();
    let names = std::iter::once(&service.host).chain(others);
    let mut found: Vec<String> = names.flat_map(|host| variants(dialling, host)).collect();
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
