//! Doors: the chains of the ports of workloads, and what gets in through each.

use std::collections::{BTreeMap, HashMap};
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
    pub judgement: Judgement,
    /// By question: what gets in or may get in, and a preferred point of it
    openings: Vec<Found>,
    /// How many classes of paths the questions told apart
    pub path_classes: usize,
}

/// The labels of requests that get in or may, with a preferred point of each.
type Found = Vec<(Label, Search)>;

/// What gets in through a door, of the requests that were asked about.
#[derive(Debug, Clone)]
pub struct Opening {
    /// How the requests end: allowed or undetermined
    pub ending: Ending,
    /// One of them
    pub witness: Option<Request>,
}

/// The doors of some workloads of one namespace, asked what gets in of each cube.
pub fn doors<'w>(world: &'w World, namespace: &str, workloads: &[&'w Workload], questions: &[Cube]) -> Vec<Door<'w>> {
    let mut kinds: HashMap<Inbound<'w>, usize> = HashMap::new();
    let mut order: Vec<Inbound<'w>> = Vec::new();
    let mut found: Vec<(&'w Workload, WorkloadPort, Chain, usize)> = Vec::new();
    for workload in workloads {
        for port in workload_ports(world, workload) {
            for chain in chains(world, workload, &port) {
                let inbound = Inbound::of(world, workload, &port, *chain);
                let kind = *kinds.entry(inbound).or_insert_with_key(|inbound| {
                    order.push(inbound.clone());
                    order.len() - 1
                });
                found.push((workload, port.clone(), *chain, kind));
            }
        }
    }
    let locks = locks(world, namespace, &order, questions);
    let door = |(workload, port, chain, kind): (&'w Workload, WorkloadPort, Chain, usize)| {
        Some(Door { workload, port, chain, lock: Arc::clone(locks.get(kind)?) })
    };
    found.into_iter().filter_map(door).collect()
}

/// The chains of a port. Where no proxy looks, what is sent arrives, whatever the port is called.
fn chains(world: &World, workload: &Workload, port: &WorkloadPort) -> &'static [Chain] {
    match guard(world, workload, port.number) {
        Guard::Sidecar => port.chains(),
        Guard::Nothing { .. } | Guard::Unmodelled(_) => &[Chain::Http],
    }
}

/// What stands in front of one chain of a port, and what it decides.
pub fn judge(world: &World, workload: &Workload, port: &WorkloadPort, chain: Chain) -> (Guard, Judgement) {
    let inbound = Inbound::of(world, workload, port, chain);
    let judgement = inbound.judgement(&NamespaceReader::new(world, &workload.id.namespace));
    (inbound.guard, judgement)
}

/// Judges distinct chains of a namespace and asks the questions of each: their rules are numbered once for all.
fn locks(world: &World, namespace: &str, kinds: &[Inbound<'_>], questions: &[Cube]) -> Vec<Arc<Lock>> {
    let reader = NamespaceReader::new(world, namespace);
    let judged: Vec<Judgement> = kinds.iter().map(|inbound| inbound.judgement(&reader)).collect();
    let mut stores: Vec<(&Universe, RuleStore)> = Vec::new();
    let mut lists: Vec<(usize, RuleList)> = Vec::with_capacity(judged.len());
    for judgement in &judged {
        let place = stores.iter().position(|(universe, _)| **universe == judgement.universe).unwrap_or_else(|| {
            stores.push((&judgement.universe, RuleStore::new(judgement.universe.clone())));
            stores.len() - 1
        });
        if let Some((_, store)) = stores.get_mut(place) {
            lists.push((place, store.list(&by_effect(judgement))));
        }
    }
    let spaces: Vec<_> = stores
        .into_iter()
        .map(|(_, mut store)| {
            let bounds: Vec<_> = questions.iter().map(|question| store.bounds(question)).collect();
            (store.freeze(&Budget::default()), bounds)
        })
        .collect();
    let ask = |(place, list): &(usize, RuleList)| -> Vec<Partition> {
        let Some((space, bounds)) = spaces.get(*place) else { return Vec::new() };
        bounds.iter().map(|bounds| Space::partition(space, list, bounds)).collect()
    };
    let answers: Vec<(Vec<Found>, usize)> = lists
        .par_iter()
        .zip(&judged)
        .map(|(list, judgement)| {
            let partitions = ask(list);
            let path_classes = partitions.iter().map(Partition::path_classes).sum();
            (partitions.iter().map(|partition| openings(judgement, partition)).collect(), path_classes)
        })
        .collect();
    let locks = kinds.iter().zip(judged).zip(answers).map(|((inbound, judgement), (openings, path_classes))| {
        Arc::new(Lock { guard: inbound.guard.clone(), judgement, openings, path_classes })
    });
    locks.collect()
}

/// The list of a judgement with all denials under one label: who denies is nobody's question here.
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

/// The labels under which requests get in or may get in.
fn openings(judgement: &Judgement, partition: &Partition) -> Found {
    let labels: BTreeMap<Label, Search> = partition.labels();
    let opens = |label: &Label, search: &Search| match judgement.verdict(*label) {
        Some(Verdict::End(ending)) => ending.decision != Decision::Denied && *search != Search::Empty,
        Some(Verdict::Forward(_)) | None => false,
    };
    labels.into_iter().filter(|(label, search)| opens(label, search)).collect()
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
    /// What gets in or may get in of the requests of a question, one opening for each way to end.
    pub fn openings(&self, question: usize) -> Vec<Opening> {
        let judgement = &self.lock.judgement;
        let found = self.lock.openings.get(question).into_iter().flatten();
        let opening = |(label, search): &(Label, Search)| {
            let Verdict::End(ending) = judgement.verdict(*label)? else { return None };
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
}
