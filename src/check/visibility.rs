//! What gateways cannot see.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::facts::Facts;
use super::observation::Observation;
use crate::model::{Gateway, HttpRoute, ObjectId, Resource, VirtualService};
use crate::semantics::{EXPORT_TO, is_exported, is_visible, parse_service_host, resolve_gateway, resolve_short_name};
use crate::text::{Span, Spanned};

/// Looks at every virtual service of a gateway, and at the Services that it leads to.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let world = facts.world();
    let mut homes: BTreeMap<&ObjectId, BTreeSet<&str>> = BTreeMap::new();
    for workload in &world.gateway_workloads {
        // One that is only implied may run wherever one of its identities lives.
        let namespaces = workload.identities.iter().filter_map(|identity| identity.split('/').nth(1));
        let namespaces: BTreeSet<&str> = namespaces.chain([workload.namespace.as_str()]).collect();
        for gateway in &workload.gateways {
            homes.entry(gateway).or_default().extend(&namespaces);
        }
    }
    let mut told: BTreeSet<Span> = BTreeSet::new();
    for service in world.mesh.virtual_services.iter().filter(|service| !service.spec.hosts().is_empty()) {
        for name in service.spec.gateways() {
            let full = resolve_gateway(&name.value, &service.id.namespace);
            let Some((namespace, gateway)) = full.split_once('/') else { continue };
            let Some(gateway) = world.mesh.gateway(namespace, gateway) else { continue };
            let Some(homes) = homes.get(&*gateway.id) else { continue };
            let found = if homes.iter().any(|home| is_visible(world, service, home)) {
                hidden_services(facts, service, gateway, homes)
            } else {
                hidden(service, gateway, homes).into_iter().collect()
            };
            seen.extend(found.into_iter().filter(|found| told.insert(found.label.span)));
        }
    }
}

/// Namespaces in words.
fn listed(namespaces: &BTreeSet<&str>) -> String {
    namespaces.iter().map(|namespace| format!("`{namespace}`")).collect::<Vec<_>>().join(" or ")
}

/// `hidden-by-export-to`: a virtual service that the gateway does not go by.
fn hidden(
    service: &Resource<VirtualService>,
    gateway: &Resource<Gateway>,
    homes: &BTreeSet<&str>,
) -> Option<Observation> {
    if service.context {
        return None;
    }
    let scope = service.spec.export_to.as_ref().and_then(|scopes| scopes.value.first());
    let span = scope.map_or(service.name_span, |scope| scope.span);
    let message = format!(
        "{} is not exported to {}, where {} is served, so that knows none of its routes",
        service.id,
        listed(homes),
        gateway.id
    );
    let seen = Observation::new("hidden-by-export-to", &service.id, span, "hides it from the gateway", message);
    Some(seen.help(format!("add `{}` to `exportTo`", homes.iter().next().unwrap_or(&"*"))))
}

/// `hidden-by-export-to`: Services that routes lead to and the gateway does not know.
fn hidden_services(
    facts: &Facts<'_>,
    service: &Resource<VirtualService>,
    gateway: &Resource<Gateway>,
    homes: &BTreeSet<&str>,
) -> Vec<Observation> {
    let world = facts.world();
    let routes = service.spec.http().iter().filter(|route| is_for(&route.value, service, &gateway.id));
    let destinations = routes.flat_map(|route| route.value.destinations());
    let found = destinations.filter_map(|destination| {
        let host = destination.value.host.as_ref()?;
        let full = resolve_short_name(&host.value, &service.id.namespace);
        let (name, namespace) = parse_service_host(&full)?;
        let target = world.mesh.service(namespace, name)?;
        if homes.iter().any(|home| is_exported(world, target, home)) {
            return None;
        }
        let message = format!(
            "{} is not exported to {}, where {} is served, so that answers the route with 503",
            target.id,
            listed(homes),
            gateway.id
        );
        let new = |id, span| Observation::new("hidden-by-export-to", id, span, "hides it from the gateway", message);
        match target.annotations.get(EXPORT_TO).filter(|_| !target.context) {
            Some(scopes) => Some(new(&target.id, scopes.span).related(host.span, "a route leads there")),
            None if service.context => None,
            None => Some(new(&service.id, host.span).related(target.name_span, "the Service")),
        }
    });
    found.collect()
}

/// Whether a route may hold at a gateway.
fn is_for(route: &HttpRoute, service: &Resource<VirtualService>, gateway: &ObjectId) -> bool {
    let matches: Vec<_> = route.matches.iter().flat_map(|matches| &matches.value).collect();
    let here = |name: &Spanned<CompactString>| resolve_gateway(&name.value, &service.id.namespace) == gateway.path();
    matches.is_empty()
        || matches.iter().any(|one| {
            let gateways = one.value.gateways.as_deref().unwrap_or_default();
            gateways.is_empty() || gateways.iter().any(here)
        })
}
