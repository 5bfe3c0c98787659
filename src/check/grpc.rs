//! Policies at ports that speak gRPC: every call is a POST to `/package.Service/Method`.

use super::facts::Facts;
use super::observation::Observation;
use super::spot::{Spot, with_paths, without};
use super::value::{Field, Value, values};
use crate::matrix::Door;
use crate::model::{Action, AuthorizationPolicy, Resource, workload_in_words};
use crate::semantics::{Chain, Guard, World, is_grpc, target_port};
use crate::space::{
    Budget, ByteSet, Cube, DecisionList, Dimension, Label, Pattern, Piece, Search, Universe, partition,
};

/// Looks at the methods and paths of every policy.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for policy in facts.own_policies() {
        let asked = |value: &Value<'_>| matches!(value.field, Field::Method | Field::Path) && !value.negated;
        let asked: Vec<Value<'_>> = values(policy).filter(asked).collect();
        if asked.is_empty() {
            continue;
        }
        for index in 0..policy.spec.rules().len() {
            let here: Vec<&Value<'_>> = asked.iter().filter(|value| value.rule_index() == index).collect();
            if here.is_empty() {
                continue;
            }
            let Some(door) = calls(facts, policy, index) else { continue };
            let spot = Spot::Door(door);
            let cubes = spot.cubes_of(&policy.id, index);
            seen.extend(method(&here, door, &cubes).or_else(|| path(&here, door, &cubes)));
        }
    }
}

/// A port at which a rule is asked; nothing unless all of them speak gRPC.
fn calls<'f, 'w>(facts: &'f Facts<'w>, policy: &Resource<AuthorizationPolicy>, index: usize) -> Option<&'f Door<'w>> {
    let mut found = None;
    for site in facts.sites_of(&policy.id) {
        site.workload()?;
        for door in site.doors.iter().filter(|door| door.chain == Chain::Http && door.lock.guard == Guard::Sidecar) {
            if Spot::Door(door).cubes_of(&policy.id, index).is_empty() {
                continue;
            }
            if !speaks_grpc(facts.world(), door) {
                return None;
            }
            found.get_or_insert(door);
        }
    }
    found
}

/// Whether every Service that leads to a port says that it speaks gRPC.
pub(super) fn speaks_grpc(world: &World, door: &Door<'_>) -> bool {
    let ports = world.services_of(door.workload).flat_map(|service| service.spec.ports());
    let mut here = ports.filter(|port| target_port(&port.value, door.workload) == Some(door.port.number)).peekable();
    here.peek().is_some() && here.all(|port| is_grpc(&port.value))
}

/// `grpc-method`: no call has this method.
fn method(here: &[&Value<'_>], door: &Door<'_>, cubes: &[&Cube]) -> Option<Observation> {
    let value = here.iter().find(|value| value.field == Field::Method)?;
    let takes_post = |cube: &&Cube| {
        let mut tests = cube.tests.iter().filter(|test| test.dimension == Dimension::Method);
        tests.all(|test| test.holds(&["POST"]))
    };
    if cubes.iter().any(takes_post) {
        return None;
    }
    let what = format!("every call is a POST, not `{}`", value.text.value);
    let post =
        |cube: &&Cube| without(cube, &Dimension::Method).any(Dimension::Method, vec![Pattern::Exact("POST".into())]);
    Some(
        observation(value, door, "no method of gRPC", &what, cubes.iter().map(post))
            .help("write `POST`, or name the calls under `paths`"),
    )
}

/// `grpc-method`: no call has this path.
fn path(here: &[&Value<'_>], door: &Door<'_>, cubes: &[&Cube]) -> Option<Observation> {
    let value = here.iter().find(|value| value.field == Field::Path)?;
    let segment = Piece::Repeat {
        bytes: ByteSet::from_bytes(&(0x21..=0x7e).filter(|b| *b != b'/').collect::<Vec<u8>>()),
        at_least: 1,
    };
    let slash = || Piece::Literal("/".into());
    let call = Pattern::sequence(&[slash(), segment.clone(), slash(), segment]);
    let universe = Universe { path: door.lock.judgement.universe.path, ..Universe::default() };
    let all = DecisionList { rules: Vec::new(), default: Label(0) };
    let takes_call = |cube: &&Cube| {
        let within = Cube { tests: Vec::new(), path: cube.path.clone() }.path(vec![call.clone()]);
        partition(&all, &within, &universe, &Budget::default()).search(Label(0)) != Search::Empty
    };
    if cubes.iter().any(takes_call) {
        return None;
    }
    let what = format!("every call has a path `/package.Service/Method`, not `{}`", value.text.value);
    Some(
        observation(
            value,
            door,
            "no path of gRPC",
            &what,
            cubes.iter().map(|cube| with_paths(cube, vec![call.clone()])),
        )
        .help("write `/package.Service/Method`, or `/package.Service/*`"),
    )
}

/// An observation at a port, with a call that gets past the rule, of those that it means.
fn observation(
    value: &Value<'_>,
    door: &Door<'_>,
    label: &str,
    what: &str,
    mut meant: impl Iterator<Item = Cube>,
) -> Observation {
    let who = door.workload.display_name();
    let shown = workload_in_words(&who);
    let comes = value.when_dead();
    let message = format!("{shown} speaks gRPC on port {}, where {what}, {comes} there", door.port.number);
    let mut seen = Observation::new("grpc-method", &value.policy.id, value.text.span, label, message);
    seen.workload = Some(who);
    let deny = value.policy.spec.action() == Action::Deny;
    let through = meant.find_map(|cube| Spot::Door(door).gets_through(&cube)).filter(|_| deny);
    seen.witness = through.map(|through| through.request.into());
    seen
}
