//! Routes that stand behind others and take nothing of their own.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use super::observation::Observation;
use super::spot::sample;
use crate::model::{HttpMatch, HttpRoute, Resource, VirtualService};
use crate::semantics::{Judgement, Merged, applies_wherever, http_routes, match_cube, path_normalization};
use crate::space::{Budget, Cube, DecisionList, Label, PathDomain, Point, Rule, Search, Universe, label_of, partition};
use crate::text::{Span, Spanned};

/// One alternative of a route: what it takes if nothing stands in front of it.
struct Alternative {
    /// The route that it belongs to
    route: Span,
    /// Where it is written
    place: Span,
    /// What it says
    matches: HttpMatch,
    /// What it takes
    cube: Cube,
    /// Whether it takes all of that, wherever its static conditions hold
    certain: bool,
}

/// What is known of a route in all virtual services in which it stands.
#[derive(Default)]
struct Fate {
    /// Whether some request comes to it somewhere, or may
    reached: bool,
    /// Where it is written, what takes its requests, and one of those
    taken: Option<(Span, Taken)>,
}

/// Who takes a request of a route that nothing reaches.
struct Taken {
    /// The route in front
    by: Span,
    /// Whether that one takes all of them
    alone: bool,
    /// One of the requests
    example: Point,
}

/// Looks at the routes of every virtual service, those of delegates in their places.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let world = facts.world();
    let universe = Universe { path: PathDomain::Normalized(path_normalization(world)), ..Universe::default() };
    let mut fates: BTreeMap<Span, Fate> = BTreeMap::new();
    for root in world.mesh.virtual_services.iter().filter(|service| !service.spec.hosts().is_empty()) {
        let found = alternatives(root, &http_routes(world, root));
        match found.as_slice() {
            [only] => fates.entry(only.route).or_default().reached = true,
            several => judge(root, several, &universe, &mut fates),
        }
    }
    for service in world.mesh.virtual_services.iter().filter(|service| !service.context) {
        for route in service.spec.http() {
            if let Some(Fate { reached: false, taken: Some((place, taken)) }) = fates.get(&route.span) {
                seen.push(observation(service, *place, taken));
            }
        }
    }
}

/// What a route in front takes away, in words.
fn observation(service: &Resource<VirtualService>, place: Span, taken: &Taken) -> Observation {
    let who = if taken.alone { "the one in front of it takes" } else { "those in front of it take" };
    let method = taken.example.values(&crate::space::Dimension::Method).first().map_or("GET", String::as_str);
    let message =
        format!("no request comes to this route: {who} all of them, `{method} {}` for one", taken.example.path);
    Observation::new("unreachable-route", &service.id, place, "never taken", message)
        .related(taken.by, "takes them first")
}

/// The alternatives of all routes, in order.
fn alternatives(root: &Resource<VirtualService>, merged: &[Merged]) -> Vec<Alternative> {
    let mut found = Vec::new();
    for one in merged {
        let (route, known) = match one {
            Merged::Route(route) => (route, true),
            Merged::Unknown(route, _) => (route, false),
        };
        let matches: &[Spanned<HttpMatch>] = route.value.matches.as_ref().map_or(&[], |matches| &matches.value);
        if matches.is_empty() {
            let (place, matches) = (target(route).unwrap_or(root.name_span), HttpMatch::default());
            found.push(Alternative { route: route.span, place, matches, cube: Cube::default(), certain: known });
        }
        for one in matches {
            let (cube, doubt) = match_cube(&one.value);
            let uri = one.value.uri.as_ref().and_then(|uri| uri.value.text());
            let place = uri.map_or(one.span, |text| text.span);
            let certain = known && doubt.is_none();
            found.push(Alternative { route: route.span, place, matches: one.value.clone(), cube, certain });
        }
    }
    found
}

/// Where a route without conditions says what it does.
fn target(route: &Spanned<HttpRoute>) -> Option<Span> {
    let host = route.value.destination_hosts().next().map(|host| host.span);
    let answer = route.value.direct_response.as_ref().and_then(|answer| answer.value.status.as_ref());
    host.or(answer.map(|status| status.span)).or(route.value.redirect.as_ref().map(|redirect| redirect.span))
}

/// Notes which routes of a virtual service are reached. Static conditions decide who stands in front of whom.
fn judge(
    root: &Resource<VirtualService>,
    alternatives: &[Alternative],
    universe: &Universe,
    fates: &mut BTreeMap<Span, Fate>,
) {
    let labels = || (0..).map(Label);
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for (place, kind) in alternatives.iter().enumerate() {
        if told.contains(&place) {
            continue;
        }
        let same = |one: &Alternative| {
            applies_wherever(&one.matches, &kind.matches, root) && applies_wherever(&kind.matches, &one.matches, root)
        };
        let in_front = alternatives
            .iter()
            .zip(labels())
            .filter(|(one, _)| one.certain && applies_wherever(&one.matches, &kind.matches, root));
        let rules = in_front.map(|(one, label)| Rule::new(one.cube.clone(), label)).collect();
        let list = DecisionList { rules, default: Label::IMPOSSIBLE };
        let judgement = Judgement { list, verdicts: Vec::new(), universe: universe.clone() };
        let mut answers = None;
        let alike = alternatives.iter().enumerate().zip(labels()).filter(|((_, one), _)| same(one));
        for ((place, one), label) in alike {
            told.insert(place);
            let fate = fates.entry(one.route).or_default();
            if fate.reached || !one.certain || comes_to_mind(one, label, &judgement) {
                fate.reached = true;
                continue;
            }
            let found = answers.get_or_insert_with(|| {
                partition(&judgement.list, &Cube::default(), universe, &Budget::default()).labels()
            });
            match taken(one, &judgement, alternatives).filter(|_| found.get(&label) == Some(&Search::Empty)) {
                None => fate.reached = true,
                Some(taken) => {
                    fate.taken.get_or_insert((one.place, taken));
                }
            }
        }
    }
}

/// Whether a request that is found without a search comes to an alternative.
fn comes_to_mind(one: &Alternative, label: Label, judgement: &Judgement) -> bool {
    sample(&one.cube, judgement).is_some_and(|point| label_of(&judgement.list, &point) == label)
}

/// Who takes the requests of an alternative that nothing reaches. `None`: it means none that can occur.
fn taken(one: &Alternative, judgement: &Judgement, alternatives: &[Alternative]) -> Option<Taken> {
    let alone = |cube: &Cube| DecisionList { rules: vec![Rule::new(cube.clone(), Label(0))], default: Label(1) };
    let within = |list: &DecisionList| partition(list, &one.cube, &judgement.universe, &Budget::default());
    let Search::Found(example) = within(&alone(&one.cube)).search(Label(0)) else { return None };
    let by = usize::try_from(label_of(&judgement.list, &example).0).ok().and_then(|label| alternatives.get(label))?;
    let alone = within(&alone(&by.cube)).search(Label(1)) == Search::Empty;
    Some(Taken { by: by.place, alone, example })
}
