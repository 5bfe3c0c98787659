//! Virtual services of one host, between which only their age decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compact_str::CompactString;

use super::facts::Facts;
use super::observation::Observation;
use super::spot::Spot;
use crate::model::{HttpMatch, HttpRoute, ObjectId, Resource, VirtualService, WeightedDestination};
use crate::semantics::{
    MESH, Merged, RouteTable, binds_to, export_rank, full_hosts, http_routes, is_catch_all_match, is_visible,
    match_cube, path_normalization, resolve_gateway, resolve_short_name,
};
use crate::space::{
    Budget, Cube, DecisionList, Dimension, Label, PathDomain, Point, Rule, RuleStore, Search, Universe,
};
use crate::text::{Span, Spanned};

/// A virtual service that serves a contested host.
type Service<'w> = &'w Resource<VirtualService>;

/// What becomes of a request: the route's answer or destinations, with what it matched if it rewrites that.
type Effect = (HttpRoute, Option<HttpMatch>);

/// One alternative of a route.
struct Alternative<'w> {
    /// Whose it is
    service: Service<'w>,
    /// Where it is written: the match, or the route without one
    place: Span,
    /// What it asks for
    matches: Option<HttpMatch>,
    /// What becomes of requests that it takes; `None` where nobody can say
    effect: Option<Effect>,
}

/// Two alternatives of which either may get a request; `None` for no route at all.
type Difference<'a, 'w> = (Option<&'a Alternative<'w>>, Option<&'a Alternative<'w>>, Point);

/// Looks at every host that several virtual services serve, at one gateway or for clients in the mesh.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let mut told: BTreeSet<(Arc<ObjectId>, Arc<ObjectId>)> = BTreeSet::new();
    for (pair, observation) in at_gateways(facts).into_iter().chain(on_mesh(facts)) {
        if told.insert(pair) {
            seen.push(observation);
        }
    }
}

/// Two virtual services and what is wrong between them.
type Contest = ((Arc<ObjectId>, Arc<ObjectId>), Observation);

/// Contests at gateways, where the routes of all stand in one virtual host.
fn at_gateways(facts: &Facts<'_>) -> Vec<Contest> {
    let mut found = Vec::new();
    for site in &facts.sites {
        let Some(gateway) = site.gateway() else { continue };
        for spot in facts.spots_at(site) {
            let Spot::Listener(listener) = spot else { continue };
            for (domain, services, places) in contested(facts, &listener.proxy.table) {
                let mut alternatives: Vec<Alternative<'_>> =
                    services.iter().flat_map(|service| alternatives(facts, service)).collect();
                alternatives.retain(|one| places.contains(&one.place));
                let orders = [in_order(&alternatives, false), in_order(&alternatives, true)];
                for (one, other, example) in differences(facts, [&orders[0], &orders[1]]) {
                    let (Some(one), Some(other)) = (one, other) else { continue };
                    let rank = |service| export_rank(service, &gateway.namespace);
                    if share_a_gateway(one.service, other.service) && rank(one.service) == rank(other.service) {
                        found.extend(contest(domain, (Some(one), one.service), (Some(other), other.service), &example));
                    }
                }
            }
        }
    }
    found
}

/// The domains of a table for which several virtual services have routes, with those and the places of the routes.
fn contested<'t, 'w>(
    facts: &Facts<'w>,
    table: &'t RouteTable,
) -> impl Iterator<Item = (&'t str, Vec<Service<'w>>, BTreeSet<Span>)> {
    table.hosts.iter().filter_map(|host| {
        let routes = || host.routes.iter().filter_map(|index| table.routes.get(*index));
        let services: BTreeSet<&ObjectId> = routes().filter_map(|route| route.virtual_service.as_deref()).collect();
        let services =
            services.into_iter().filter_map(|id| facts.world().mesh.virtual_services.named(&id.namespace, &id.name));
        let services: Vec<Service<'w>> = services.collect();
        (services.len() > 1).then(|| (host.domain.as_str(), services, routes().map(|route| route.span).collect()))
    })
}

/// Whether two virtual services are bound to one gateway.
fn share_a_gateway(one: Service<'_>, other: Service<'_>) -> bool {
    let full = |service: Service<'_>, name: &str| resolve_gateway(name, &service.id.namespace);
    one.spec.gateways().iter().any(|name| binds_to(other, &full(one, &name.value)))
}

/// Contests on `mesh`, where the oldest virtual service of a host takes all and the others nothing.
fn on_mesh(facts: &Facts<'_>) -> Vec<Contest> {
    let world = facts.world();
    let mut hosts: BTreeMap<String, Vec<Service<'_>>> = BTreeMap::new();
    for service in world.mesh.virtual_services.iter().filter(|service| binds_to(service, MESH)) {
        for host in full_hosts(service).into_iter().collect::<BTreeSet<_>>() {
            hosts.entry(host).or_default().push(service);
        }
    }
    let mut found = Vec::new();
    for (host, services) in &hosts {
        for pair in services.windows(2) {
            let [one, other] = pair else { continue };
            let equal = |namespace: &&str| {
                is_visible(world, one, namespace)
                    && is_visible(world, other, namespace)
                    && export_rank(one, namespace) == export_rank(other, namespace)
            };
            if ![one.id.namespace.as_str(), &other.id.namespace, "*"].iter().any(equal) {
                continue;
            }
            let sides = [one, other].map(|service| {
                let mut own = alternatives(facts, service);
                own.retain(|one| one.matches.as_ref().is_none_or(|matches| is_for_mesh(matches, service)));
                own
            });
            if sides.iter().any(Vec::is_empty) {
                continue;
            }
            let lists = [in_order(&sides[0], false), in_order(&sides[1], false)];
            let differences = differences(facts, [&lists[0], &lists[1]]);
            if let Some((left, right, example)) = differences.into_iter().next() {
                found.extend(contest(host, (left, one), (right, other), &example));
            }
        }
    }
    found
}

/// Whether a match may hold for clients in the mesh.
fn is_for_mesh(matches: &HttpMatch, service: Service<'_>) -> bool {
    let gateways = matches.gateways.as_deref().unwrap_or_default();
    gateways.is_empty() || gateways.iter().any(|name| resolve_gateway(&name.value, &service.id.namespace) == MESH)
}

/// The alternatives of a virtual service, in order.
fn alternatives<'w>(facts: &Facts<'w>, service: Service<'w>) -> Vec<Alternative<'w>> {
    let mut found = Vec::new();
    for merged in http_routes(facts.world(), service) {
        let (route, known) = match &merged {
            Merged::Route(route) => (route, true),
            Merged::Unknown(route, _) => (route, false),
        };
        let matches = route.value.matches.iter().flat_map(|matches| &matches.value);
        let mut all: Vec<(Span, Option<&HttpMatch>)> = matches.map(|one| (one.span, Some(&one.value))).collect();
        if all.is_empty() {
            all.push((route.span, None));
        }
        found.extend(all.into_iter().map(|(place, matches)| {
            let effect = known.then(|| effect(&route.value, matches, service));
            Alternative { service, place, matches: matches.cloned(), effect }
        }));
    }
    found
}

/// What becomes of the requests that an alternative takes.
fn effect(route: &HttpRoute, matches: Option<&HttpMatch>, service: Service<'_>) -> Effect {
    let mut destinations = route.route.clone();
    // Shares are chance, not places; one among several without a share gets nothing.
    let several = destinations.as_ref().is_some_and(|list| list.value.len() > 1);
    if let Some(list) = &mut destinations {
        list.value.retain(|one| !several || one.value.weight.is_some_and(|weight| weight != 0));
    }
    for one in destinations.iter_mut().flat_map(|list| &mut list.value) {
        one.value =
            WeightedDestination { destination: one.value.destination.clone(), ..WeightedDestination::default() };
        if let Some(host) = one.value.destination.as_mut().and_then(|to| to.value.host.as_mut()) {
            host.value = resolve_short_name(&host.value, &service.id.namespace).into();
        }
    }
    let rewrites = route.rewrite.is_some();
    let path =
        matches.filter(|_| rewrites).map(|matches| HttpMatch { uri: matches.uri.clone(), ..HttpMatch::default() });
    let fate = HttpRoute {
        route: destinations,
        redirect: route.redirect.clone(),
        direct_response: route.direct_response.clone(),
        rewrite: route.rewrite.clone(),
        ..HttpRoute::default()
    };
    (fate, path)
}

/// Alternatives as a proxy may come to them: by age, of which the undated ones tell nothing, what takes everything
/// behind the rest.
fn in_order<'a, 'w>(alternatives: &'a [Alternative<'w>], undated_last: bool) -> Vec<&'a Alternative<'w>> {
    let mut names: Vec<&ObjectId> = alternatives.iter().map(|one| &*one.service.id).collect();
    names.dedup();
    let place = |id: &ObjectId| names.iter().position(|name| *name == id).unwrap_or_default();
    let mut found: Vec<&Alternative<'w>> = alternatives.iter().collect();
    found.sort_by_key(|one| {
        let takes_all = one.matches.as_ref().is_none_or(is_catch_all_match);
        let undated = one.service.created.is_none();
        let last = names.len() - place(&one.service.id);
        let by_name = if undated && undated_last { last } else { place(&one.service.id) };
        (takes_all, undated == undated_last, one.service.created.as_deref(), by_name)
    });
    found
}

/// Requests that get something else by one order than by the other: one for each pair of alternatives.
fn differences<'a, 'w>(facts: &Facts<'_>, orders: [&[&'a Alternative<'w>]; 2]) -> Vec<Difference<'a, 'w>> {
    let path = PathDomain::Normalized(path_normalization(facts.world()));
    let mut store = RuleStore::new(Universe { path, ..Universe::default() });
    let mut all: Vec<&'a Alternative<'w>> = Vec::new();
    let none = Label(0);
    let lists = orders.map(|order| {
        let rules = order.iter().map(|one| {
            let known = all.iter().position(|other| std::ptr::eq(*other, *one));
            let index = known.unwrap_or_else(|| {
                all.push(one);
                all.len() - 1
            });
            let (cube, doubt) = one.matches.as_ref().map_or((Cube::default(), None), match_cube);
            // Whom some clients alone reach is passed over: their labels are not at hand.
            let fixed = one.matches.as_ref().is_some_and(|matches| {
                matches.port.is_some() || matches.source_labels.is_some() || matches.source_namespace.is_some()
            });
            let sure = doubt.is_none() && !fixed && one.effect.is_some();
            let label = u32::try_from(index + 1).ok().filter(|_| sure).map_or(Label::IMPOSSIBLE, Label);
            Rule::new(cube, label)
        });
        let rules = rules.collect();
        store.list(&DecisionList { rules, default: none })
    });
    let bounds = store.bounds(&Cube::default());
    let changes = store.freeze(&Budget::default()).changes(&lists[0], &lists[1], &bounds);
    let of = |label: Label| {
        usize::try_from(label.0).ok().and_then(|index| index.checked_sub(1)).and_then(|index| all.get(index)).copied()
    };
    let effect = |one: Option<&Alternative<'_>>| one.and_then(|one| one.effect.clone());
    let found = changes.into_iter().filter_map(|((left, right), search)| {
        let Search::Found(example) = search else { return None };
        if left == Label::IMPOSSIBLE || right == Label::IMPOSSIBLE || effect(of(left)) == effect(of(right)) {
            return None;
        }
        Some((of(left), of(right), example))
    });
    found.collect()
}

/// A side of a contest: the alternative that takes the request, if one does, and whose it is.
type Side<'a, 'w> = (Option<&'a Alternative<'w>>, Service<'w>);

/// What is wrong between two virtual services, at the place of one that is not somebody else's.
fn contest(host: &str, one: Side<'_, '_>, other: Side<'_, '_>, example: &Point) -> Option<Contest> {
    if one.1.created.is_some() && other.1.created.is_some() || one.1.id == other.1.id {
        return None;
    }
    let (first, second) = if place(one) <= place(other) { (one, other) } else { (other, one) };
    let (shown, rival) = if second.1.context { (first, second) } else { (second, first) };
    if shown.1.context {
        return None;
    }
    let method = example.values(&Dimension::Method).first().map_or("GET", String::as_str);
    let message = format!(
        "`{method} {}` of `{host}` {} or {}, whichever of `{}` and `{}` is older",
        example.path,
        goes(first.0),
        goes(second.0),
        first.1.id.path(),
        second.1.id.path(),
    );
    let seen = Observation::new("order-dependent-routes", &shown.1.id, place(shown), "age decides", message)
        .related(place(rival), "the other");
    Some(((first.1.id.clone(), second.1.id.clone()), seen))
}

/// The place of a side.
fn place((taken, service): Side<'_, '_>) -> Span {
    let uri = |one: &Alternative<'_>| one.matches.as_ref()?.uri.as_ref()?.value.text().map(|text| text.span);
    let target = |one: &Alternative<'_>| destinations(one).first().map(|host| host.span);
    taken.and_then(|one| uri(one).or_else(|| target(one))).unwrap_or(service.name_span)
}

/// The hosts that an alternative sends requests to.
fn destinations<'a>(one: &'a Alternative<'_>) -> Vec<&'a Spanned<CompactString>> {
    one.effect.iter().flat_map(|(fate, _)| fate.destination_hosts()).collect()
}

/// Where a request goes, in words.
fn goes(taken: Option<&Alternative<'_>>) -> String {
    let Some(one) = taken else { return "finds no route".to_owned() };
    let Some((fate, _)) = &one.effect else { return "goes elsewhere".to_owned() };
    if fate.redirect.is_some() {
        return "is redirected".to_owned();
    }
    if fate.direct_response.is_some() {
        return "is answered by the proxy".to_owned();
    }
    let subset = |host: &Spanned<CompactString>| {
        let same = fate.destinations().find(|to| to.value.host.as_ref().is_some_and(|known| known.span == host.span));
        same.and_then(|to| to.value.subset.as_ref()).map(|subset| format!(" ({})", subset.value)).unwrap_or_default()
    };
    let hosts = destinations(one).into_iter().map(|host| format!("`{}`{}", host.value, subset(host)));
    let rewritten = if fate.rewrite.is_some() { " rewritten" } else { "" };
    format!("goes{rewritten} to {}", hosts.collect::<Vec<_>>().join(" and "))
}
