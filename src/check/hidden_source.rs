//! Sources that a gateway hides: to a workload, who calls it through a gateway is the gateway.

use std::collections::HashSet;

use super::facts::{Facts, Site};
use super::identity::account;
use super::observation::Observation;
use super::spot::Spot;
use super::value::{Value, values};
use crate::matrix::client_routes;
use crate::model::{ObjectId, Resource, Service, VirtualService, Workload, workload_in_words};
use crate::semantics::{
    Chain, Leg, MESH, RoutingProxy, Target, binds_to, parse_service_host, resolve_short_name, service_host,
};
use crate::text::Span;

/// Looks at the ALLOW policies of every workload whose Service is called through a gateway.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let mut said: HashSet<Span> = HashSet::new();
    for detour in detours(facts) {
        for site in &facts.sites {
            let Some(workload) = site.workload() else { continue };
            if !facts.world().services_of(workload).any(|service| service.id == detour.service.id) {
                continue;
            }
            for policy in site.attached.allow.iter().filter(|policy| !policy.context) {
                for value in values(policy).filter(|value| !value.negated) {
                    if !said.contains(&value.text.span)
                        && let Some(found) = hidden(facts, &detour, workload, &value)
                    {
                        said.insert(value.text.span);
                        seen.push(found);
                    }
                }
            }
        }
    }
}

/// A Service whose clients are sent to a gateway.
struct Detour<'w> {
    /// The Service
    service: &'w Resource<Service>,
    /// The virtual service that sends them there
    by: &'w Resource<VirtualService>,
    /// The gateway's host in it
    gateway: Span,
}

/// The Services whose hosts some virtual service on `mesh` leads to a gateway of the input.
fn detours<'w>(facts: &Facts<'w>) -> Vec<Detour<'w>> {
    let world = facts.world();
    let named = |host: &str, namespace: &str| {
        let full = resolve_short_name(host, namespace);
        let (name, namespace) = parse_service_host(&full)?;
        world.mesh.service(namespace, name)
    };
    let serves_gateway = |service: &Resource<Service>| {
        let mut pods = world.mesh.workloads_in(&service.id.namespace).filter(|workload| world.is_gateway(workload));
        pods.any(|pod| world.services_of(pod).any(|own| own.id == service.id))
    };
    let mut found = Vec::new();
    for by in world.mesh.virtual_services.iter().filter(|service| binds_to(service, MESH)) {
        let namespace = by.id.namespace.as_str();
        let mut hosts = by.spec.destinations().filter_map(|destination| destination.value.host.as_ref());
        let Some(gateway) = hosts.find(|host| named(&host.value, namespace).is_some_and(serves_gateway)) else {
            continue;
        };
        let services = by.spec.hosts().iter().filter_map(|host| named(&host.value, namespace));
        found.extend(services.map(|service| Detour { service, by, gateway: gateway.span }));
    }
    found
}

/// `source-hidden-by-gateway`: a source whose calls all come by a gateway.
fn hidden(facts: &Facts<'_>, detour: &Detour<'_>, workload: &Workload, value: &Value<'_>) -> Option<Observation> {
    let world = facts.world();
    let (namespace, name) =
        account(value).filter(|(namespace, name)| !namespace.contains('*') && !name.contains('*'))?;
    let clients = world.workloads_in(namespace).iter().filter(|client| client.service_account == name);
    let clients: Vec<&Workload> = clients.map(AsRef::as_ref).filter(|client| !world.is_gateway(client)).collect();
    if clients.is_empty() {
        return None;
    }
    for client in clients {
        for port in detour.service.spec.ports() {
            // A client whose sidecar does not look, or passes bytes on, sends straight to the workload.
            let proxies = client_routes(world, client, detour.service, &port.value);
            let reads = proxies.iter().find(|proxy| proxy.chain == Chain::Http)?;
            if !detours_only(facts, reads, detour.service, &workload.id) {
                return None;
            }
        }
    }
    let (who, whom) = (format!("{namespace}/{name}"), workload.display_name());
    let shown = workload_in_words(&whom);
    let message = format!(
        "{} sends what `{who}` asks of {} to a gateway, and {shown} sees the gateway's identity: this admits nothing of it",
        detour.by.id, detour.service.id
    );
    let mut seen = Observation::new(
        "source-hidden-by-gateway",
        &value.policy.id,
        value.text.span,
        "comes as the gateway",
        message,
    )
    .related(detour.gateway, "leads to the gateway")
    .help("admit the gateway's identity here, and judge the source at the gateway");
    seen.workload = Some(whom);
    Some(seen)
}

/// Where a proxy forwards requests to, route by route.
fn legs(proxy: &RoutingProxy) -> impl Iterator<Item = &Leg> {
    let forwards = (0..proxy.table.routes.len()).filter_map(|route| proxy.forward(route));
    forwards.flat_map(|(_, forward)| &forward.legs)
}

/// Whether what a client's sidecar does with requests for a Service is to send them to gateways that lead to a workload.
fn detours_only(facts: &Facts<'_>, proxy: &RoutingProxy, service: &Resource<Service>, workload: &ObjectId) -> bool {
    let domain = service_host(&service.id.name, &service.id.namespace);
    let host = proxy.table.hosts.iter().find(|host| host.domain == domain);
    let routes = host.into_iter().flat_map(|host| &host.routes);
    let mut legs = routes.filter_map(|route| proxy.forward(*route)).flat_map(|(_, forward)| &forward.legs).peekable();
    let to_gateway = |leg: &Leg| match &leg.target {
        Target::Workload { workload: target, .. } => leads_to(facts, target, workload),
        Target::Nowhere(_) => true,
        Target::Unknown(_) => false,
    };
    proxy.unknown.is_none() && legs.peek().is_some() && legs.all(to_gateway)
}

/// Whether a workload is a gateway with a route to another one.
fn leads_to(facts: &Facts<'_>, target: &Workload, workload: &ObjectId) -> bool {
    let of_target =
        |site: &&Site<'_>| site.gateway().is_some_and(|gateway| gateway.object.as_ref() == Some(&target.id));
    let leads_there = |leg: &Leg| matches!(&leg.target, Target::Workload { workload: led, .. } if *led.id == *workload);
    facts.sites.iter().filter(of_target).flat_map(|site| facts.spots_at(site)).any(|spot| match spot {
        Spot::Door(_) => false,
        Spot::Listener(listener) => legs(&listener.proxy).any(leads_there),
    })
}
