//! Virtual services that take the traffic of somebody else's host.

use super::facts::Facts;
use super::observation::Observation;
use super::onward::led_to;
use crate::matrix::{Crossing, Way, client_routes};
use crate::model::{Resource, Service, VirtualService, Workload};
use crate::semantics::{
    Chain, MESH, Request, VirtualHost, binds_to, is_visible, parse_service_host, resolve_short_name, service_host,
};
use crate::space::{Cube, Dimension, Pattern};

/// Looks at every virtual service on `mesh`.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for service in facts.world().mesh.virtual_services.iter().filter(|service| !service.context) {
        seen.extend(hijack(facts, service));
    }
}

/// `mesh-hijack`: one that leads elsewhere what clients in the namespace of a host send to it.
fn hijack(facts: &Facts<'_>, service: &Resource<VirtualService>) -> Vec<Observation> {
    let world = facts.world();
    let own = service.id.namespace.as_str();
    if !binds_to(service, MESH) {
        return Vec::new();
    }
    let captured = service.spec.hosts().iter().filter_map(|host| {
        let full = resolve_short_name(&host.value, own);
        let (name, namespace) = parse_service_host(&full).filter(|(_, namespace)| *namespace != own)?;
        let theirs = world.mesh.service(namespace, name)?;
        let leads_there = service.spec.destinations().all(|destination| {
            destination.value.host.as_ref().is_some_and(|target| resolve_short_name(&target.value, own) == full)
        });
        if leads_there || !is_visible(world, service, namespace) {
            return None;
        }
        let taken = taken(facts, service, theirs);
        if matches!(taken, Taken::Nothing) {
            return None;
        }
        let message = format!(
            "{} takes what `{namespace}` itself sends to `{}` and leads it elsewhere",
            service.id,
            theirs.id.path()
        );
        let mut seen = Observation::new("mesh-hijack", &service.id, host.span, "somebody else's host", message)
            .related(theirs.name_span, "the Service");
        if let Taken::Request(request, whom) = taken {
            seen.workload = Some(whom);
            seen.witness = Some(request);
        }
        Some(seen)
    });
    captured.collect()
}

/// What a virtual service takes of what is sent to a Service.
enum Taken {
    /// Nothing, as far as clients are in the input: another one comes first
    Nothing,
    /// This gets through, to this workload
    Request(Box<Request>, String),
    /// It cannot be shown
    Untold,
}

/// What a virtual service takes of what clients in the namespace of a Service send to it.
fn taken(facts: &Facts<'_>, by: &Resource<VirtualService>, theirs: &Resource<Service>) -> Taken {
    let world = facts.world();
    let clients = || world.mesh.workloads_in(&theirs.id.namespace).filter(|client| !world.is_gateway(client));
    let mut asked = 0;
    // Of those who are not asked nobody knows.
    let mut untold = clients().nth(MANY_CLIENTS).is_some();
    for client in clients().take(MANY_CLIENTS) {
        for port in theirs.spec.ports() {
            for proxy in client_routes(world, client, theirs, &port.value) {
                asked += 1;
                let of_it = |route: &usize| {
                    let route = proxy.table.routes.get(*route);
                    route.is_some_and(|route| route.virtual_service.as_ref() == Some(&by.id))
                };
                let domain = service_host(&theirs.id.name, &theirs.id.namespace);
                // Bytes know no host.
                let is_its = |host: &&VirtualHost| proxy.chain == Chain::Tcp || host.domain == domain;
                let mut routes = proxy.table.hosts.iter().filter(is_its).flat_map(|host| &host.routes);
                let takes = routes.any(of_it);
                untold |= takes || proxy.unknown.is_some();
                let judgement = takes.then(|| proxy.judgement(world));
                let ways = judgement.iter().flat_map(|judgement| Way::all(&proxy, judgement));
                for way in ways.filter(|way| of_it(&way.route)) {
                    let entrypoint = format!("service {}:{}", theirs.id.path(), proxy.port);
                    if let Some(found) = led_elsewhere(facts, client, &way, &entrypoint, &domain) {
                        return found;
                    }
                }
            }
        }
    }
    if asked > 0 && !untold { Taken::Nothing } else { Taken::Untold }
}

/// How many clients are asked.
const MANY_CLIENTS: usize = 20;

/// A request of a client for a host that goes a way and gets in where that leads.
fn led_elsewhere(facts: &Facts<'_>, client: &Workload, way: &Way<'_>, entrypoint: &str, host: &str) -> Option<Taken> {
    let (site, door) = led_to(facts, way)?;
    let sent = Cube::default().any(Dimension::Authority, vec![Pattern::Exact(host.into())]);
    let across = way.gets_in(facts.world(), door, &Crossing { sent, ..Crossing::default() }, &[], |_| true)?;
    let mut request = way.witness(entrypoint, &across);
    request.source = Some(facts.world().identity(&client.identity_path()));
    request.source_workload = Some(client.display_name());
    (!across.supposed).then(|| Taken::Request(Box::new(request), site.name()))
}
