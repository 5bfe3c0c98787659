//! Doors: the chains of the ports of workloads, and what gets in through each.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::witness::inbound_witness;
use crate::model::Workload;
use crate::semantics::{
    Cause, CauseKind, Chain, Decision, Ending, Guard, Inbound, Judgement, NamespaceReader, Request, Verdict,
    WorkloadPort, World, guard, workload_ports,
};
use crate::space::{Budget, Cube, Excess, Label, Partition, RuleList, RuleStore, Search, Space, Universe};

/// One chain of one port of one workload.
#[derive(Debug, Clone)]
pub struct Door<'w> {
    /// The workload
    pub workload: &'w Workload,
    /// The port
    pub port: WorkloadPort,
    /// The chain
    pub chain: Chain,
    /// What decides here
    pub lock: Arc<Lock>,
}

/// What decides at a door. Doors that decide alike share one.
#[derive(Debug)]
pub struct Lock {
    /// What stands in front
    pub guard: Guard,
    /// What it decides
    pub judgement: Arc<Judgement>,
    /// By question that was asked: what its requests get, and a preferred point of each
    found: Vec<Found>,
    /// How many classes of paths the questions told apart
    pub path_classes: usize,
}

/// The labels that requests get or may get, with a preferred point of each.
type Found = Vec<(Label, Search)>;

/// What gets in through a door, or is refused there, of the requests that were asked about.
#[derive(Debug, Clone)]
pub struct Opening {
    /// How the requests end: as was asked, or undetermined
    pub ending: Ending,
    /// One of them
    pub witness: Option<Request>,
}

/// A question about what gets in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// Of these requests
    pub within: Cube,
    /// But for these
    pub granted: Vec<Arc<Cube>>,
    /// Whether it is about who is refused, and by what
    pub refused: bool,
}

/// Where a door is, and which questions are asked there, by number.
#[derive(Debug, Clone)]
pub struct Place<'w> {
    /// The workload
    pub workload: &'w Workload,
    /// The port
    pub port: WorkloadPort,
    /// The chain
    pub chain: Chain,
    /// What stands in front
    pub guard: Guard,
    /// The questions
    pub questions: Vec<usize>,
}

/// The doors of some workloads of one namespace, asked what gets in of each cube.
pub fn doors<'w>(reader: &NamespaceReader<'w>, workloads: &[&'w Workload], questions: &[Cube]) -> Vec<Door<'w>> {
    let all: Vec<usize> = (0..questions.len()).collect();
    let places = places(reader.world(), workloads).map(|place| Place { questions: all.clone(), ..place }).collect();
    let within = |within: &Cube| Question { within: within.clone(), ..Question::default() };
    ask(reader, places, &questions.iter().map(within).collect::<Vec<_>>())
}

/// Where the doors of some workloads are; nothing is asked there yet.
pub fn places<'w>(world: &'w World, workloads: &[&'w Workload]) -> impl Iterator<Item = Place<'w>> {
    workloads.iter().flat_map(move |workload| {
        workload_ports(world, workload).into_iter().flat_map(move |port| {
            let guard = guard(world, workload, port.number);
            let chains = chains(&guard, &port);
            let place = move |chain: &Chain| Place {
                workload,
                port: port.clone(),
                chain: *chain,
                guard: guard.clone(),
                questions: Vec::new(),
            };
            chains.iter().map(place)
        })
    })
}

/// The doors at some places of one namespace, each asked its questions.
pub fn ask<'w>(reader: &NamespaceReader<'w>, places: Vec<Place<'w>>, questions: &[Question]) -> Vec<Door<'w>> {
    let mut kinds: HashMap<Kind<'w>, usize> = HashMap::new();
    let mut order: Vec<Kind<'w>> = Vec::new();
    let mut found: Vec<(Place<'w>, usize)> = Vec::new();
    for place in places {
        let inbound = Inbound::of(reader.world(), place.workload, &place.port, place.chain);
        let kind = *kinds.entry((inbound, place.questions.clone())).or_insert_with_key(|kind| {
            order.push(kind.clone());
            order.len() - 1
        });
        found.push((place, kind));
    }
    let locks = locks(reader, &order, questions);
    let door = |(Place { workload, port, chain, .. }, kind): (Place<'w>, usize)| {
        Some(Door { workload, port, chain, lock: Arc::clone(locks.get(kind)?) })
    };
    found.into_iter().filter_map(door).collect()
}

/// Doors of one namespace that are judged already, each asked all questions.
pub fn ask_again<'w>(doors: &[&Door<'w>], questions: &[Cube]) -> Vec<Door<'w>> {
    let mut places: HashMap<*const Lock, usize> = HashMap::new();
    let mut locks: Vec<&Arc<Lock>> = Vec::new();
    for door in doors {
        places.entry(Arc::as_ptr(&door.lock)).or_insert_with(|| {
            locks.push(&door.lock);
            locks.len() - 1
        });
    }
    let all: Vec<usize> = (0..questions.len()).collect();
    let asked: Vec<Asked<'_>> = locks.iter().map(|lock| (&*lock.judgement, all.as_slice())).collect();
    let within = |within: &Cube| Question { within: within.clone(), ..Question::default() };
    let answers = answers(&asked, &questions.iter().map(within).collect::<Vec<_>>());
    let again = locks.iter().zip(answers).map(|(lock, (found, path_classes))| {
        let (guard, judgement) = (lock.guard.clone(), Arc::clone(&lock.judgement));
        Arc::new(Lock { guard, judgement, found, path_classes })
    });
    let again: Vec<Arc<Lock>> = again.collect();
    let door = |door: &&Door<'w>| {
        let lock = again.get(*places.get(&Arc::as_ptr(&door.lock))?)?;
        Some(Door { lock: Arc::clone(lock), ..(*door).clone() })
    };
    doors.iter().filter_map(door).collect()
}

/// What decides at a door, and what is asked there.
type Kind<'w> = (Inbound<'w>, Vec<usize>);

/// The chains of a port. Where no proxy looks, what is sent arrives, whatever the port is called.
fn chains(guard: &Guard, port: &WorkloadPort) -> &'static [Chain] {
    match guard {
        Guard::Sidecar => port.chains(),
        Guard::Nothing { .. } | Guard::Unmodelled(_) => &[Chain::Http],
    }
}

/// What stands in front of one chain of a port, and what it decides.
pub fn judge(
    reader: &NamespaceReader<'_>,
    workload: &Workload,
    port: &WorkloadPort,
    chain: Chain,
) -> (Guard, Judgement) {
    let inbound = Inbound::of(reader.world(), workload, port, chain);
    let judgement = inbound.judgement(reader);
    (inbound.guard, judgement)
}

/// Judges distinct chains of a namespace and asks the questions of each.
fn locks(reader: &NamespaceReader<'_>, kinds: &[Kind<'_>], questions: &[Question]) -> Vec<Arc<Lock>> {
    let judged: Vec<Arc<Judgement>> = kinds.iter().map(|(inbound, _)| inbound.judgement(reader).into()).collect();
    let asked: Vec<Asked<'_>> =
        judged.iter().zip(kinds).map(|(judgement, (_, asked))| (&**judgement, asked.as_slice())).collect();
    let answers = answers(&asked, questions);
    let locks = kinds.iter().zip(&judged).zip(answers).map(|(((inbound, _), judgement), (found, path_classes))| {
        let (guard, judgement) = (inbound.guard.clone(), Arc::clone(judgement));
        Arc::new(Lock { guard, judgement, found, path_classes })
    });
    locks.collect()
}

/// What decides, and the numbers of the questions that are asked of it.
type Asked<'j> = (&'j Judgement, &'j [usize]);

/// What the requests of its questions get of each judgement, and how many classes of paths they told apart. The rules of
/// all are numbered once.
fn answers(judged: &[Asked<'_>], questions: &[Question]) -> Vec<(Vec<Found>, usize)> {
    if questions.is_empty() {
        return vec![(Vec::new(), 0); judged.len()];
    }
    let mut stores: Vec<(&Universe, RuleStore)> = Vec::new();
    let mut lists: Vec<(usize, Vec<RuleList>)> = Vec::with_capacity(judged.len());
    for (judgement, asked) in judged {
        let place = stores.iter().position(|(universe, _)| **universe == judgement.universe).unwrap_or_else(|| {
            stores.push((&judgement.universe, RuleStore::new(judgement.universe.clone())));
            stores.len() - 1
        });
        if let Some((_, store)) = stores.get_mut(place) {
            let by_effect = by_effect(judgement);
            // Most rules are about other paths than a question is.
            let beside = asked.iter().filter_map(|question| questions.get(*question)).map(|question| {
                let list = if question.refused { &judgement.list } else { &by_effect };
                let near = store.list(&list.near(&question.within));
                beside_granted(store, &near, &question.granted)
            });
            lists.push((place, beside.collect()));
        }
    }
    let spaces: Vec<_> = stores
        .into_iter()
        .map(|(_, mut store)| {
            let bounds: Vec<_> = questions.iter().map(|question| store.bounds(&question.within)).collect();
            (store.freeze(&Budget::default()), bounds)
        })
        .collect();
    let ask = |(place, lists): &(usize, Vec<RuleList>), asked: &[usize]| -> Vec<Partition> {
        let Some((space, bounds)) = spaces.get(*place) else { return Vec::new() };
        let asked = asked.iter().filter_map(|question| bounds.get(*question));
        lists.iter().zip(asked).map(|(list, bounds)| Space::partition(space, list, bounds)).collect()
    };
    let answer = |(lists, (_, asked)): (&(usize, Vec<RuleList>), &Asked<'_>)| {
        let partitions = ask(lists, asked);
        let path_classes = partitions.iter().map(Partition::path_classes).sum();
        (partitions.iter().map(found).collect(), path_classes)
    };
    lists.par_iter().zip(judged).map(answer).collect()
}

/// A list that says nothing of the requests that are granted.
fn beside_granted(store: &mut RuleStore, list: &RuleList, granted: &[Arc<Cube>]) -> RuleList {
    let granted = granted.iter().map(|cube| (store.cube(cube), Label::IMPOSSIBLE));
    RuleList { rules: granted.chain(list.rules.iter().copied()).collect(), default: list.default }
}

/// The list of a judgement with all denials under one label: whoever asks who gets in does not ask who denies.
fn by_effect(judgement: &Judgement) -> crate::space::DecisionList {
    let denied = |label: Label| match judgement.verdict(label) {
        Some(Verdict::End(ending)) => ending.decision == Decision::Denied,
        Some(Verdict::Forward(_)) | None => false,
    };
    let mut list = judgement.list.clone();
    let labels = || list.rules.iter().map(|rule| rule.label).chain([list.default]);
    let Some(first) = labels().filter(|label| denied(*label)).min() else { return list };
    let joined = |label: Label| if denied(label) { first } else { label };
    list.default = joined(list.default);
    list.rules.iter_mut().for_each(|rule| rule.label = joined(rule.label));
    list
}

/// The labels that requests get or may get.
fn found(partition: &Partition) -> Found {
    partition.labels().into_iter().filter(|(_, search)| *search != Search::Empty).collect()
}

/// Why a label may occur: what was too much, and the policy rule that it stands in.
fn budget_cause(judgement: &Judgement, label: Label, why: &Excess) -> Cause {
    let policy_of = |label: Label| match judgement.verdict(label) {
        Some(Verdict::End(ending)) => ending.policy.as_ref(),
        Some(Verdict::Forward(_)) | None => None,
    };
    let mut holders = judgement.list.rules.iter().filter(|rule| why.stands_in(&rule.cube) == Some(true));
    let rule = holders.find_map(|rule| policy_of(rule.label)).or_else(|| policy_of(label));
    let place = rule.map_or_else(String::new, |rule| format!(" (in rule {} of {})", rule.rule, rule.policy));
    Cause { kind: CauseKind::Budget, message: format!("{why}{place}"), span: rule.map(|rule| rule.span) }
}

impl Door<'_> {
    /// What gets in or may get in of the requests of a question, by its place among those asked here; one opening for
    /// each way to end.
    pub fn openings(&self, question: usize) -> Vec<Opening> {
        self.endings(question, Decision::Allowed)
    }

    /// What is refused or may be, of the requests of a question about that; one opening for each way to end.
    pub fn refusals(&self, question: usize) -> Vec<Opening> {
        self.endings(question, Decision::Denied)
    }

    /// The requests of a question that end so, or may.
    fn endings(&self, question: usize, wanted: Decision) -> Vec<Opening> {
        let judgement = &self.lock.judgement;
        let found = self.lock.found.get(question).into_iter().flatten();
        let opening = |(label, search): &(Label, Search)| {
            let Verdict::End(ending) = judgement.verdict(*label)? else { return None };
            if ending.decision != wanted && ending.decision != Decision::Undetermined {
                return None;
            }
            Some(match search {
                Search::Empty => return None,
                Search::Found(point) => {
                    let domain = judgement.universe.path;
                    let witness = inbound_witness(self.workload, self.port.number, self.chain, domain, point);
                    Opening { ending: ending.clone(), witness: Some(witness) }
                }
                Search::OutOfBudget { why } => {
                    let ending = Ending::undetermined(budget_cause(judgement, *label, why));
                    Opening { ending, witness: None }
                }
            })
        };
        found.filter_map(opening).collect()
    }

    /// Whether some request of a question is refused, or may be.
    pub fn refuses(&self, question: usize) -> bool {
        let found = self.lock.found.get(question).into_iter().flatten();
        let verdicts = found.filter_map(|(label, _)| self.lock.judgement.verdict(*label));
        verdicts.into_iter().any(|verdict| match verdict {
            Verdict::End(ending) => ending.decision == Decision::Denied,
            Verdict::Forward(_) => false,
        })
    }
}
