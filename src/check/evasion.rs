//! Requests that get past a value of a policy, or that choose what it is compared with.

use super::facts::Facts;
use super::observation::Observation;
use super::onward::all_the_way;
use super::spot::{Spot, Through, with_paths, without};
use super::value::{Field, Value};
use crate::model::Action;
use crate::semantics::{Chain, Ending, policy_host, policy_path};
use crate::space::{Cube, Dimension, Pattern, Test};

/// Where in a rule a value stands, as the rule is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'p> {
    /// Among paths
    Path(&'p Pattern),
    /// Among the values of a dimension
    On(&'p Dimension, &'p Pattern),
}

impl Place<'_> {
    /// Whether an alternative asks for the value, or leaves it out where that is what its rule does.
    fn is_asked(self, cube: &Cube, deny: bool) -> bool {
        let list = |any_of: &Option<Vec<Pattern>>, none_of: &[Pattern], named: &Pattern| {
            let list = if deny { any_of.as_deref() } else { Some(none_of) };
            list.is_some_and(|list| list.contains(named))
        };
        match self {
            Self::Path(named) => cube.path.iter().any(|test| list(&test.any_of, &test.none_of, named)),
            Self::On(dimension, named) => {
                let mut tests = cube.tests.iter().filter(|test| test.dimension == *dimension);
                tests.any(|test| list(&test.any_of, &test.none_of, named))
            }
        }
    }

    /// An alternative with other values in the place.
    fn instead(self, cube: &Cube, others: &[Pattern]) -> Cube {
        match self {
            Self::Path(_) => with_paths(cube, others.to_vec()),
            Self::On(dimension, _) => without(cube, dimension).any(dimension.clone(), others.to_vec()),
        }
    }
}

/// A request that a rule means but for one value, with others in its place: one that it should refuse or leave out. What
/// an ALLOW leaves out counts only where this rule lets its twin in.
pub(super) fn past<'s, 'f, 'w>(
    facts: &Facts<'_>,
    spots: &'s [Spot<'f, 'w>],
    value: &Value<'_>,
    place: Place<'_>,
    instead: &[Pattern],
) -> Option<(Through, &'s Spot<'f, 'w>)> {
    let rule = value.rule_index();
    let deny = value.policy.spec.action() == Action::Deny;
    if !value.opens_when_dead() {
        return None;
    }
    let wanted = |ending: &Ending| {
        deny || ending.policy.as_ref().is_some_and(|by| by.policy == value.policy.id && by.rule == rule)
    };
    for spot in spots.iter().filter(|spot| spot.chain() == Chain::Http && spot.is_guarded()) {
        for cube in spot.cubes_of(&value.policy.id, rule).into_iter().filter(|cube| place.is_asked(cube, deny)) {
            let within = place.instead(cube, instead);
            let found = match spot {
                Spot::Door(_) => spot.gets_through_by(&within, wanted),
                Spot::Listener(_) => all_the_way(facts, spot, &within),
            };
            if let Some(found) = found {
                return Some((found, spot));
            }
        }
    }
    None
}

/// Shows a request that a value means, as it was most likely meant, and does not match.
pub(super) fn show_meant(facts: &Facts<'_>, value: &Value<'_>, seen: Observation, meant: Pattern) -> Observation {
    let text = value.text.value.as_str();
    let spots = if value.opens_when_dead() { facts.spots_of(&value.policy.id) } else { Vec::new() };
    let found = match value.field {
        Field::Path => past(facts, &spots, value, Place::Path(&policy_path(text)), &[meant]),
        Field::Host => past(facts, &spots, value, Place::On(&Dimension::Authority, &policy_host(text)), &[meant]),
        Field::Method | Field::Principal => {
            let dimension = if value.field == Field::Method { Dimension::Method } else { Dimension::Peer };
            past(facts, &spots, value, Place::On(&dimension, &Pattern::Exact(text.into())), &[meant])
        }
        Field::RequestPrincipal
        | Field::Namespace
        | Field::ServiceAccount
        | Field::TrustDomain
        | Field::IpBlock
        | Field::RemoteIpBlock
        | Field::Port
        | Field::Condition(_) => None,
    };
    match found {
        Some((through, spot)) => spot.shown(seen, through),
        None => seen,
    }
}

/// What comes of a value that callers choose themselves.
#[derive(Debug)]
pub(super) enum Chosen<'s, 'f, 'w> {
    /// A caller that is no ingress gateway gets in by what it writes
    Shown(Box<Through>, &'s Spot<'f, 'w>),
    /// None does
    Never,
    /// It cannot be told
    Untold,
}

/// Whether callers that are no ingress gateways get in by what they choose on the dimension of a value: as an ALLOW asks
/// for it, or otherwise than a DENY does.
pub(super) fn chosen<'s, 'f, 'w>(
    facts: &Facts<'_>,
    spots: &'s [Spot<'f, 'w>],
    value: &Value<'_>,
    dimension: &Dimension,
) -> Chosen<'s, 'f, 'w> {
    let world = facts.world();
    let (id, rule) = (&value.policy.id, value.rule_index());
    let ingress: Vec<Pattern> =
        world.ingress.iter().map(|path| Pattern::Exact(world.identity(path).as_str().into())).collect();
    let strangers = |cube: &Cube| match ingress.as_slice() {
        [] => cube.clone(),
        _ => cube.clone().none(Dimension::Peer, ingress.clone()),
    };
    let asks = |cube: &&Cube| cube.tests.iter().any(|test| test.dimension == *dimension);
    let (mut told, mut doubt) = (false, false);
    for spot in spots.iter().filter(|spot| spot.chain() == Chain::Http && spot.is_guarded() && spot.door().is_some()) {
        let cubes: Vec<&Cube> = spot.cubes_of(id, rule).into_iter().filter(asks).collect();
        told |= !cubes.is_empty();
        doubt |= cubes.iter().any(|cube| spot.is_in_doubt(&strangers(&without(cube, dimension))));
        let found = if value.policy.spec.action() == Action::Deny {
            let others = cubes.iter().flat_map(|cube| {
                let tests = cube.tests.iter().filter(|test| test.dimension == *dimension);
                tests.flat_map(Test::complement).map(|other| without(cube, dimension).with(other))
            });
            others.into_iter().find_map(|other| spot.gets_through(&strangers(&other)))
        } else {
            let by_it = |ending: &Ending| ending.policy.as_ref().is_some_and(|by| by.policy == *id && by.rule == rule);
            cubes.iter().find_map(|cube| spot.gets_through_by(&strangers(cube), by_it))
        };
        if let Some(found) = found {
            return Chosen::Shown(Box::new(found), spot);
        }
    }
    if told && !doubt { Chosen::Never } else { Chosen::Untold }
}
