//! Hosts of gateways that stand in front of wider ones.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::facts::Facts;
use super::observation::Observation;
use super::spot::{Listener, Spot};
use crate::model::{Resource, VirtualService};
use crate::semantics::{Route, RouteAction, RouteTable, Target, is_catch_all, path_normalization, resolve_short_name};
use crate::space::{
    Budget, Cube, DecisionList, Dimension, Label, PathDomain, Pattern, Rule, Search, Universe, partition,
};
use crate::text::{Span, Spanned};

/// Requests that a route of the narrow host takes, or that no route leads anywhere.
const TAKEN: Label = Label(0);
/// Requests that no route takes.
const LOST: Label = Label(1);

/// Looks at every host of every gateway.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let mut told: BTreeSet<Span> = BTreeSet::new();
    for site in facts.sites.iter().filter(|site| site.gateway().is_some()) {
        for spot in facts.spots_at(site) {
            let Spot::Listener(listener) = spot else { continue };
            let found = shadowing(facts, listener);
            seen.extend(found.into_iter().filter(|found| told.insert(found.label.span)));
        }
    }
}

/// `host-shadows-wildcard`: paths that only the wider host leads somewhere.
fn shadowing(facts: &Facts<'_>, listener: &Listener<'_>) -> Vec<Observation> {
    let table = &listener.proxy.table;
    let places: BTreeMap<&str, usize> =
        table.hosts.iter().zip(0..).map(|(host, place)| (host.domain.as_str(), place)).collect();
    let wider = |domain: &str| {
        let rest = domain.strip_prefix('*').map_or(domain, |rest| rest.get(1..).unwrap_or_default());
        let suffixes = rest.char_indices().map(|(start, _)| format!("*{}", rest.get(start..).unwrap_or_default()));
        suffixes.chain(["*".to_owned()]).filter(|wide| wide != domain).find_map(|wide| places.get(&*wide).copied())
    };
    let found = table.hosts.iter().filter_map(|narrow| {
        let own = routes(table, &narrow.routes);
        let takes_all = |route: &&Route| is_catch_all(route);
        if own.is_empty() || own.iter().any(takes_all) {
            return None;
        }
        let wide = table.hosts.get(wider(&narrow.domain)?)?;
        let others = routes(table, &wide.routes);
        let (service, host) = claim(facts, &own, &narrow.domain)?;
        // A wildcard of somebody else is no part of the same site.
        let (rival, rival_host) = claim(facts, &others, &wide.domain)?;
        if service.id.namespace != rival.id.namespace || service.context {
            return None;
        }
        let (method, path, route) = lost(facts, &narrow.domain, &own, &others)?;
        let message = format!(
            "`{method} {path}` of `{}` finds no route, though `{}` has one: the narrower host takes all requests",
            narrow.domain, wide.domain
        );
        let seen = Observation::new("host-shadows-wildcard", &service.id, host.span, "lacks paths", message);
        Some(seen.related(rival_host.span, "the wider host").related(route, "leads it on"))
    });
    found.collect()
}

/// Routes of a table.
fn routes<'t>(table: &'t RouteTable, places: &[usize]) -> Vec<&'t Route> {
    places.iter().filter_map(|place| table.routes.get(*place)).collect()
}

/// The virtual service that names a domain, and where it does.
fn claim<'w>(
    facts: &Facts<'w>,
    routes: &[&Route],
    domain: &str,
) -> Option<(&'w Resource<VirtualService>, &'w Spanned<CompactString>)> {
    let ids: BTreeSet<_> = routes.iter().filter_map(|route| route.virtual_service.as_ref()).collect();
    let services = ids.into_iter().filter_map(|id| {
        let found = facts.world().mesh.virtual_services.named(&id.namespace, &id.name)?;
        let mut hosts = found.spec.hosts().iter();
        let host =
            hosts.find(|host| resolve_short_name(&host.value, &found.id.namespace).eq_ignore_ascii_case(domain))?;
        Some((found, host))
    });
    services.into_iter().next()
}

/// Method and path of a request that the routes of a host do not take and those of a wider one lead somewhere, and by
/// which route.
fn lost(facts: &Facts<'_>, domain: &str, own: &[&Route], others: &[&Route]) -> Option<(String, String, Span)> {
    let mut rules: Vec<Rule> = own.iter().map(|route| Rule::new(route.cube().0, TAKEN)).collect();
    for (route, label) in others.iter().zip(2..) {
        let leads = match &route.action {
            RouteAction::Forward(forward) => forward.legs.iter().any(|leg| !matches!(leg.target, Target::Nowhere(_))),
            RouteAction::Answer(_) | RouteAction::Unknown(_) => false,
        };
        let (cube, doubt) = route.cube();
        rules.push(Rule::new(cube, if leads && doubt.is_none() { Label(label) } else { TAKEN }));
    }
    let list = DecisionList { rules, default: LOST };
    let universe = Universe { path: PathDomain::Normalized(path_normalization(facts.world())), ..Universe::default() };
    let host = domain.strip_prefix('*').map_or_else(|| domain.to_owned(), |suffix| format!("www{suffix}"));
    let within = Cube::default().any(Dimension::Authority, vec![Pattern::Exact(host.as_str().into())]);
    let found = partition(&list, &within, &universe, &Budget::default());
    found.labels().into_iter().filter(|(label, _)| *label > LOST).find_map(|(label, search)| {
        let Search::Found(point) = search else { return None };
        let route = others.get(usize::try_from(label.0).ok()?.checked_sub(2)?)?;
        let method = point.values(&Dimension::Method).first().cloned().unwrap_or_else(|| "GET".to_owned());
        Some((method, point.path, route.span))
    })
}
