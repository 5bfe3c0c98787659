//! Statements of the user's rules, asked of every workload of the mesh.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::cause::{RootCause, opened};
use super::file::RuleFile;
use super::finding::{Finding, Status};
use super::report::Note;
use super::scope;
use super::statement::{Cells, Entrypoint, Statement};
use super::statement_cells::{Asked, Where, breaking};
use super::statement_finding::finding;
use crate::check::is_opened;
use crate::matrix::{Crossing, Delivered, Door, Fronts, Place, Question, ask as ask_doors, places};
use crate::model::{ObjectId, Workload};
use crate::semantics::{By, Chain, Ending, Guard, NamespaceReader, Protocol, Request, World, selects};
use crate::space::Dimension;
use crate::text::Span;

/// What came of the statements.
#[derive(Debug, Clone, Default)]
pub(super) struct StatementFindings {
    /// The findings
    pub(super) findings: Vec<Finding>,
    /// Rules that are about nothing of the input
    pub(super) notes: Vec<Note>,
    /// What was proven, a line each
    pub(super) proven: Vec<String>,
}

/// What stands at the root of cells that break a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Root {
    /// The workload lets them in, or it cannot be told whether it does
    Door(RootCause),
    /// A policy rule of the workload refuses them
    Refusal(Arc<ObjectId>, usize, Span),
    /// Something else of the workload refuses them
    Refused(Arc<ObjectId>, By),
    /// A route delivers them
    Route(Span),
}

impl Root {
    /// Why a door is open.
    fn opening(door: &Door<'_>, ending: &Ending) -> Self {
        Self::Door(RootCause::of(door, ending))
    }

    /// Why a door is shut.
    fn refusal(door: &Door<'_>, ending: &Ending) -> Self {
        match (&ending.cause, &ending.policy, ending.by) {
            (Some(cause), _, _) => Self::Door(RootCause::Undetermined((**cause).clone())),
            (None, Some(rule), _) => Self::Refusal(rule.policy.clone(), rule.rule, rule.span),
            (None, None, by) => Self::Refused(door.workload.id.clone(), by.unwrap_or(By::Policy)),
        }
    }

    /// Whether it says that something is broken.
    pub(super) fn status(&self) -> Status {
        match self {
            Self::Door(cause) => cause.status(),
            Self::Route(_) | Self::Refusal(..) | Self::Refused(..) => Status::Broken,
        }
    }

    /// Whether it is about requests that are refused.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refusal(..) | Self::Refused(..))
    }
}

/// Cells of one root.
#[derive(Debug, Clone, Default)]
pub(super) struct Hit {
    /// Names of the workloads
    pub(super) workloads: Vec<String>,
    /// Where the first workload is made, if in the input
    pub(super) place: Option<Span>,
    /// How many cells
    pub(super) cells: usize,
    /// The doors that are open, and to whom
    pub(super) doors: BTreeSet<String>,
    /// A request of them
    pub(super) witness: Option<Request>,
    /// The requirements that they break
    pub(super) without: BTreeSet<&'static str>,
}

impl Hit {
    /// Takes another one in.
    fn add(&mut self, other: Self) {
        let new: Vec<String> = other.workloads.into_iter().filter(|name| !self.workloads.contains(name)).collect();
        self.workloads.extend(new);
        self.place = self.place.or(other.place);
        self.cells += other.cells;
        self.doors.extend(other.doors);
        self.witness = self.witness.take().or(other.witness);
        self.without.extend(other.without);
    }
}

/// Asks the rules of the user.
pub(super) fn ask(world: &World, rules: &[RuleFile]) -> StatementFindings {
    let stated: Vec<(&RuleFile, &Statement)> =
        rules.iter().filter_map(|rule| Some((rule, rule.cells.as_ref()?))).collect();
    let mut found = StatementFindings::default();
    if stated.is_empty() {
        return found;
    }
    let fronts = fronts(world, &stated);
    let namespaces: Vec<String> = world.namespaces().into_iter().collect();
    let judged = |namespace: &&String| scope::is_judged(world, namespace);
    let answers: Vec<Vec<Answer>> = namespaces
        .par_iter()
        .filter(judged)
        .map(|namespace| Inside { world, namespace, fronts: &fronts }.ask(&stated))
        .collect();
    for (index, (rule, _)) in stated.iter().enumerate() {
        let mut hits: BTreeMap<Root, Hit> = BTreeMap::new();
        let mut workloads = 0;
        for answer in answers.iter().filter_map(|answers| answers.get(index)) {
            workloads += answer.workloads;
            for (root, hit) in &answer.hits {
                hits.entry(root.clone()).or_default().add(hit.clone());
            }
        }
        if workloads == 0 {
            let message = format!("the rule `{}` is about no workload of the input", rule.id);
            found.notes.push(Note { message, span: None });
        } else if hits.is_empty() {
            let plural = if workloads == 1 { "" } else { "s" };
            found.proven.push(format!("no {} in {workloads} workload{plural}", rule.id));
        }
        found.findings.extend(hits.into_iter().map(|(root, hit)| finding(world, rule, &root, hit)));
    }
    found
}

/// What one rule found in one namespace.
#[derive(Debug, Clone, Default)]
struct Answer {
    /// Workloads asked
    workloads: usize,
    /// Cells that break it
    hits: BTreeMap<Root, Hit>,
}

/// What is asked inside a namespace.
#[derive(Debug, Clone, Copy)]
struct Inside<'w> {
    /// The world
    world: &'w World,
    /// Its name
    namespace: &'w str,
    /// What proxies in front deliver, by the entrypoint that some rule asks about
    fronts: &'w [(Entrypoint, Fronts<'w>)],
}

impl<'w> Inside<'w> {
    /// Asks every rule.
    fn ask(self, stated: &[(&RuleFile, &Statement)]) -> Vec<Answer> {
        let workloads = scope::asked(self.world, self.namespace);
        let mut answers: Vec<Answer> = Vec::new();
        // By rule and by whether the outside reaches the door: what breaks the rule there.
        let mut sets: Vec<[Vec<Asked>; 2]> = Vec::new();
        for (_, statement) in stated {
            let selected = workloads.iter().filter(|workload| is_about(&statement.about, workload));
            answers.push(Answer { workloads: selected.count(), hits: BTreeMap::new() });
            let at = |open| breaking(Where { world: self.world, namespace: self.namespace, open }, statement);
            sets.push([at(false), at(true)]);
        }
        let questions: Vec<(usize, usize, &Asked)> = sets
            .iter()
            .enumerate()
            .flat_map(|(rule, sets)| {
                sets.iter().enumerate().flat_map(move |(open, set)| set.iter().map(move |asked| (rule, open, asked)))
            })
            .collect();
        let about = |rule: usize| stated.get(rule).map(|(_, statement)| &statement.about);
        let mut doors: Vec<Place<'w>> = places(self.world, &workloads).collect();
        for door in &mut doors {
            let opened = usize::from(is_opened(self.world, door.workload, door.port.number));
            door.questions = (0..)
                .zip(&questions)
                .filter(|(_, (rule, open, asked))| {
                    *open == opened
                        && about(*rule).is_some_and(|cells| cells.is_about(Entrypoint::Workload) && fits(cells, door))
                        && can_be(asked, door)
                })
                .map(|(index, _)| index)
                .collect();
        }
        let cubes: Vec<Question> = questions
            .iter()
            .map(|(_, _, asked)| Question {
                within: asked.at_workload(),
                refused: asked.is_refused(),
                ..Question::default()
            })
            .collect();
        let asked = doors.clone();
        for (door, place) in
            ask_doors(&NamespaceReader::new(self.world, self.namespace), doors, &cubes).iter().zip(&asked)
        {
            for (nth, index) in place.questions.iter().enumerate() {
                let Some((rule, _, question)) = questions.get(*index) else { continue };
                let refused = question.is_refused();
                for opening in if refused { door.refusals(nth) } else { door.openings(nth) } {
                    let root = if refused {
                        Root::refusal(door, &opening.ending)
                    } else {
                        Root::opening(door, &opening.ending)
                    };
                    note(&mut answers, *rule, root, door, opening.witness, question);
                }
            }
            for (entrypoint, fronts) in self.fronts {
                // Every gateway is open to the outside, and no sidecar of a client.
                let opened = usize::from(*entrypoint == Entrypoint::Gateway);
                for (rule, _, question) in questions.iter().filter(|(_, open, _)| *open == opened) {
                    let is_about = about(*rule).is_some_and(|cells| cells.is_about(*entrypoint) && fits(cells, place));
                    if is_about && can_be(question, place) {
                        deliveries(fronts, door, *rule, question, &mut answers);
                    }
                }
            }
        }
        answers.iter_mut().for_each(Answer::settle);
        answers
    }
}

/// What proxies in front deliver, for each entrypoint of them that some rule is about.
fn fronts<'w>(world: &'w World, stated: &[(&RuleFile, &Statement)]) -> Vec<(Entrypoint, Fronts<'w>)> {
    let asks = |entrypoint: Entrypoint| stated.iter().any(|(_, statement)| statement.about.is_about(entrypoint));
    let wanted = |workload: &Workload| {
        let mut cells = stated.iter().map(|(_, statement)| &statement.about);
        cells.any(|cells| cells.is_about(Entrypoint::Service) && is_about(cells, workload))
    };
    let gateways = asks(Entrypoint::Gateway).then(|| (Entrypoint::Gateway, Fronts::all(world)));
    let clients = asks(Entrypoint::Service).then(|| (Entrypoint::Service, Fronts::through_clients(world, &wanted)));
    gateways.into_iter().chain(clients).collect()
}

/// Asks what proxies in front deliver to a door.
fn deliveries(fronts: &Fronts<'_>, door: &Door<'_>, rule: usize, asked: &Asked, answers: &mut [Answer]) {
    let crossing = Crossing { seen: asked.seen.clone(), sent: asked.sent.clone(), mtls: asked.mtls };
    for delivery in fronts.delivered(door, &crossing) {
        let (root, witness) = match delivery.delivered {
            Delivered::Request(request) => (Root::Route(delivery.route), Some(*request)),
            Delivered::Unknown(cause) => (Root::Door(RootCause::Undetermined(cause)), None),
        };
        note(answers, rule, root, door, witness, asked);
    }
}

/// Whether a statement is about a door.
fn fits(cells: &Cells, door: &Place<'_>) -> bool {
    let port = cells.port.as_ref().is_none_or(|list| list.0.iter().any(|port| port.value == door.port.number));
    port && is_about(cells, door.workload)
}

/// Whether a statement is about a workload.
fn is_about(cells: &Cells, workload: &Workload) -> bool {
    let Some(wanted) = &cells.workloads else { return true };
    let namespace = &workload.id.namespace;
    let here = wanted.namespace.as_ref().is_none_or(|list| list.0.iter().any(|name| name.value == *namespace));
    here && (wanted.labels.is_empty() || selects(Some(&wanted.labels), &workload.labels))
}

impl Answer {
    /// What is not proven says nothing beside what is broken.
    fn settle(&mut self) {
        if self.hits.keys().any(|root| root.status() == Status::Broken) {
            self.hits.retain(|root, _| root.status() == Status::Broken);
        }
    }
}

/// Whether requests that are asked about can come to a door at all: those of HTTP not to bytes, and nothing that a
/// proxy verifies where there is none.
fn can_be(asked: &Asked, door: &Place<'_>) -> bool {
    let is_http =
        |dimension: &Dimension| matches!(dimension, Dimension::Method | Dimension::Authority | Dimension::Token);
    let http = !asked.seen.is_empty()
        || !asked.sent.path.is_empty()
        || asked.sent.tests.iter().any(|test| is_http(&test.dimension));
    let bare = matches!(door.guard, Guard::Nothing { .. });
    let bytes = door.chain == Chain::Tcp || (bare && door.port.protocol == Protocol::Tcp);
    let unheard = http && bytes;
    let unverified = bare && asked.needs_proxy();
    !unheard && !unverified
}

/// Notes cells that break a rule.
fn note(answers: &mut [Answer], rule: usize, root: Root, door: &Door<'_>, witness: Option<Request>, asked: &Asked) {
    let hit = Hit {
        workloads: vec![door.workload.display_name()],
        place: (!door.workload.implied).then_some(door.workload.name_span),
        cells: 1,
        doors: [opened(door, witness.as_ref())].into(),
        witness,
        without: asked.without.into_iter().filter(|without| !without.is_empty()).collect(),
    };
    if let Some(answer) = answers.get_mut(rule) {
        answer.hits.entry(root).or_default().add(hit);
    }
}
