//! The rows that say what workloads let in today: each proven to be let in as a whole, all together held against what
//! gets in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::row::{Row, rows_of_workload};
use super::vocabulary::{Operation, Vocabulary, asked};
use crate::config::{Allow, Named, PathGlob};
use crate::matrix::{Door, Place, Question, ask, places};
use crate::model::{Labels, Workload};
use crate::rule::access::{cubes, has_no_path};
use crate::semantics::{Decision, Ending, Guard, NamespaceReader, World};
use crate::space::Cube;

/// What one workload lets in, in the words of rows.
#[derive(Debug, Clone)]
pub(super) struct Derived<'w> {
    /// The workload
    pub(super) workload: &'w Workload,
    /// The rows
    pub(super) rows: Vec<Row>,
    /// Why they are not all that gets in, if they are not
    pub(super) short: Option<String>,
    /// What is odd about it
    pub(super) odd: BTreeSet<String>,
}

/// Callers that are let in, by what they are let in to.
pub(super) type Admitted = BTreeMap<Operation, BTreeSet<Allow>>;

/// What a door lets in.
#[derive(Debug, Clone, Default)]
struct Lets {
    /// Proven to be let in as a whole
    whole: Admitted,
    /// Let in in part, or maybe
    partly: Admitted,
}

/// What each workload of a namespace lets in.
pub(super) fn derive<'w>(world: &'w World, namespace: &str) -> Vec<Derived<'w>> {
    let workloads = crate::rule::asked(world, namespace);
    let lets = lets(world, namespace, &workloads);
    let mut found: Vec<Derived<'w>> = Vec::new();
    for workload in workloads {
        let of = lets.iter().filter(|(door, _, _)| door.workload.id == workload.id);
        let whole: Vec<_> = of.map(|(door, connections, lets)| (door.port.number, *connections, &lets.whole)).collect();
        if whole.is_empty() {
            continue;
        }
        let (rows, short) = match rows_of_workload(&whole) {
            Ok(rows) => (rows, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        found.push(Derived { workload, rows, short, odd: BTreeSet::new() });
    }
    hold(world, namespace, &mut found);
    for derived in found.iter_mut().filter(|derived| derived.short.is_some()) {
        let of = lets.iter().filter(|(door, _, _)| door.workload.id == derived.workload.id);
        let partly: Vec<_> =
            of.map(|(door, connections, lets)| (door.port.number, *connections, &lets.partly)).collect();
        derived.rows = rows_of_workload(&partly).unwrap_or_default();
    }
    found
}

/// What the doors of workloads let in, each with whether connections arrive there.
fn lets<'w>(world: &'w World, namespace: &str, workloads: &[&'w Workload]) -> Vec<(Door<'w>, bool, Lets)> {
    let mut numbers: BTreeMap<(Operation, Allow, bool), usize> = BTreeMap::new();
    let mut questions: Vec<Question> = Vec::new();
    let (mut asked_places, mut asked_of) = (Vec::new(), Vec::new());
    for workload in workloads {
        let words = Vocabulary::of(world, workload);
        for place in places(world, &[*workload]) {
            let connections = has_no_path(&place);
            let mut of: Vec<(Operation, Allow)> = Vec::new();
            let mut asks: Vec<usize> = Vec::new();
            let plain = |operation: &&Operation| !connections || **operation == Operation::default();
            for operation in words.operations.iter().filter(plain) {
                for caller in &words.callers {
                    let Some(callers) = asked(world, namespace, caller) else { continue };
                    let key = (operation.clone(), caller.clone(), connections);
                    asks.push(*numbers.entry(key).or_insert_with(|| {
                        let within = operation.cube(connections).and(&callers);
                        questions.push(Question { within, ..Question::default() });
                        questions.len() - 1
                    }));
                    of.push((operation.clone(), caller.clone()));
                }
            }
            asked_of.push((connections, of));
            asked_places.push(Place { questions: asks, ..place });
        }
    }
    let doors = ask(&NamespaceReader::new(world, namespace), asked_places, &questions);
    let answered = doors.into_iter().zip(asked_of);
    let lets = answered.map(|(door, (connections, of))| {
        let lets = answers(world, &door, &of);
        (door, connections, lets)
    });
    lets.collect()
}

/// What a door answered.
fn answers(world: &World, door: &Door<'_>, asked: &[(Operation, Allow)]) -> Lets {
    let mut lets = Lets::default();
    for (place, (operation, caller)) in asked.iter().enumerate() {
        let openings = door.openings(place);
        if openings.is_empty() {
            continue;
        }
        let certain = openings.iter().all(|opening| opening.ending.decision == Decision::Allowed);
        if certain && !door.refuses(place) {
            lets.whole.entry(operation.clone()).or_default().insert(caller.clone());
        }
        lets.partly.entry(operation.clone()).or_default().insert(caller.clone());
    }
    lets.partly = narrowed(lets.partly, asked);
    for callers in lets.whole.values_mut().chain(lets.partly.values_mut()) {
        *callers = without_parts(world, &door.workload.id.namespace, callers);
    }
    lets
}

/// Callers without those that are part of others.
fn without_parts(world: &World, own: &str, callers: &BTreeSet<Allow>) -> BTreeSet<Allow> {
    let has = |caller: Allow| callers.contains(&caller);
    let whole = |namespace: &str| has(Allow::Namespace(namespace.to_owned()));
    let part = |caller: &Allow| match caller {
        Allow::SameNamespace => whole(own),
        Allow::Ingress => {
            let mut namespaces = world.ingress.iter().filter_map(|identity| identity.split('/').nth(1));
            has(Allow::Outside) || namespaces.all(whole)
        }
        Allow::ServiceAccount(Named { namespace, name }) => {
            let ingress = world.ingress.contains(&format!("ns/{namespace}/sa/{name}"));
            let same = namespace == own && has(Allow::SameNamespace);
            whole(namespace) || if ingress { has(Allow::Ingress) } else { same }
        }
        Allow::IngressOf(_) | Allow::Outside | Allow::Namespace(_) | Allow::Mesh | Allow::Anyone => false,
    };
    callers.iter().filter(|caller| !part(caller)).cloned().collect()
}

/// Of what is let in in part, the narrowest words: everything and everybody only where nothing narrower tells more.
fn narrowed(mut partly: Admitted, asked: &[(Operation, Allow)]) -> Admitted {
    if partly.keys().any(|operation| operation.path.is_some()) {
        partly.retain(|operation, _| operation.path.is_some());
    }
    let named = |caller: &Allow| !matches!(caller, Allow::Mesh | Allow::Outside);
    let all: BTreeSet<&Allow> = asked.iter().map(|(_, caller)| caller).filter(|caller| named(caller)).collect();
    for callers in partly.values_mut() {
        if callers.iter().filter(|caller| named(caller)).count() < all.len() {
            callers.remove(&Allow::Mesh);
        }
    }
    partly
}

/// Holds rows against their workloads: what gets in beyond them, and what is odd about how.
fn hold(world: &World, namespace: &str, all: &mut [Derived<'_>]) {
    let mut questions: Vec<Question> = Vec::new();
    let mut asked: Vec<Place<'_>> = Vec::new();
    for derived in all.iter() {
        for place in places(world, &[derived.workload]) {
            let connections = has_no_path(&place);
            let rows = derived.rows.iter().map(|row| row.in_table(namespace, &Labels::new()));
            let rows = rows.filter(|row| row.speaks_of(place.port.number, connections));
            let granted = rows.flat_map(|row| {
                let items = row.allow.iter();
                items.flat_map(|allow| cubes(world, namespace, &row, &allow.value, connections)).collect::<Vec<_>>()
            });
            let granted: Vec<Arc<Cube>> = granted.map(Arc::new).collect();
            let everything = questions.len();
            questions.push(Question::default());
            questions.push(Question { granted, ..Question::default() });
            asked.push(Place { questions: vec![everything, everything + 1], ..place });
        }
    }
    let doors = ask(&NamespaceReader::new(world, namespace), asked, &questions);
    for derived in all {
        for door in doors.iter().filter(|door| door.workload.id == derived.workload.id) {
            derived.odd.extend(door.openings(0).iter().filter_map(|opening| odd(door, &opening.ending)));
            let beyond = door.openings(1);
            derived.short = derived.short.take().or_else(|| beyond.first().map(|opening| why(&opening.ending)));
        }
    }
}

/// What is odd about how something gets in.
fn odd(door: &Door<'_>, ending: &Ending) -> Option<String> {
    match (&door.lock.guard, &ending.policy) {
        (Guard::Nothing { reason, .. }, _) => Some(format!("no proxy stands in front: {reason}")),
        (Guard::Sidecar, None) if ending.decision == Decision::Allowed => Some("no ALLOW policy selects it".to_owned()),
        _ => None,
    }
}

/// Why rows do not say all that gets in.
fn why(ending: &Ending) -> String {
    match (&ending.cause, &ending.policy) {
        (Some(cause), _) => format!("it is not known what gets in: {}", cause.message),
        (None, Some(rule)) => format!("rule {} of {} asks for what rows cannot say", rule.rule + 1, rule.policy),
        (None, None) => "a DENY policy takes away what rows cannot leave out".to_owned(),
    }
}

/// The globs of operations, sorted.
pub(super) fn globs<'o>(operations: impl Iterator<Item = &'o Operation>) -> Option<Vec<PathGlob>> {
    let globs: Option<BTreeSet<PathGlob>> =
        operations.map(|operation| operation.path.as_ref().map(|path| path.glob.clone())).collect();
    globs.map(|globs| globs.into_iter().collect())
}
