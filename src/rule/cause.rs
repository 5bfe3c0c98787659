//! One root cause, one finding: what openings have in common, and where it stands in the text.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::finding::{Finding, Label, Related, Severity, Status, Way};
use crate::matrix::{Door, Opening};
use crate::model::{ObjectId, workload_in_words};
use crate::semantics::{Cause, CauseKind, Chain, Ending, Guard, Request, World};
use crate::text::Span;

/// Why a door is open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RootCause {
    /// A policy rule admits
    Rule(Arc<ObjectId>, usize, Span),
    /// Nothing stands in front, by a field or by nature
    NoProxy(String, Option<Span>),
    /// No ALLOW policy is attached to the workload
    NoAllow(Arc<ObjectId>),
    /// It cannot be told
    Undetermined(Cause),
}

impl RootCause {
    /// Why an opening of a door is there.
    pub(super) fn of(door: &Door<'_>, ending: &Ending) -> Self {
        if let Some(cause) = &ending.cause {
            return Self::Undetermined((**cause).clone());
        }
        match (&door.lock.guard, &ending.policy) {
            (Guard::Nothing { reason, span }, _) => Self::NoProxy(reason.clone(), *span),
            (_, Some(rule)) => Self::Rule(rule.policy.clone(), rule.rule, rule.span),
            (_, None) => Self::NoAllow(door.workload.id.clone()),
        }
    }

    /// Whether it says that something is broken.
    pub(super) fn status(&self) -> Status {
        if matches!(self, Self::Undetermined(_)) { Status::NotProven } else { Status::Broken }
    }
}

/// Openings of one root cause.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Names of the workloads
    pub(super) workloads: Vec<String>,
    /// Where the first workload is made, if in the input
    pub(super) place: Option<Span>,
    /// How many cells
    pub(super) cells: usize,
    /// The doors that are open, and to whom
    pub(super) doors: BTreeSet<String>,
    /// The witness to show
    pub(super) witness: Option<Request>,
    /// How bad
    pub(super) severity: Severity,
    /// Further places
    pub(super) related: Vec<Related>,
    /// Whether all of it comes from the ingress
    pub(super) from_ingress: bool,
}

/// Openings grouped by root cause.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    /// In the order of causes
    pub(super) groups: BTreeMap<RootCause, Group>,
}

impl Groups {
    /// Adds an opening of a door to everybody but the ingress.
    pub(super) fn add(&mut self, door: &Door<'_>, opening: &Opening, severity: Severity, related: Vec<Related>) {
        self.group(door, opening, severity, related).from_ingress = false;
    }

    /// Adds an opening of a door to the ingress.
    pub(super) fn add_ingress(
        &mut self,
        door: &Door<'_>,
        opening: &Opening,
        severity: Severity,
        related: Vec<Related>,
    ) {
        self.group(door, opening, severity, related);
    }

    /// The group of an opening, with the opening in it.
    fn group(&mut self, door: &Door<'_>, opening: &Opening, severity: Severity, related: Vec<Related>) -> &mut Group {
        let cause = RootCause::of(door, &opening.ending);
        let name = door.workload.display_name();
        let group = self.groups.entry(cause).or_insert_with(|| Group {
            workloads: Vec::new(),
            place: (!door.workload.implied).then_some(door.workload.name_span),
            cells: 0,
            doors: BTreeSet::new(),
            witness: None,
            severity,
            related: Vec::new(),
            from_ingress: true,
        });
        group.cells += 1;
        group.doors.insert(opened(door, opening.witness.as_ref()));
        if !group.workloads.contains(&name) {
            group.workloads.push(name);
        }
        if group.witness.is_none() || severity > group.severity {
            group.witness.clone_from(&opening.witness);
        }
        group.severity = group.severity.max(severity);
        for place in related {
            if !group.related.contains(&place) {
                group.related.push(place);
            }
        }
        group
    }
}

/// A door, and to what kind of caller it is open.
pub(super) fn opened(door: &Door<'_>, witness: Option<&Request>) -> String {
    let whom = match witness.map(|request| &request.source) {
        Some(Some(_)) => " to an identity",
        Some(None) => " to callers without identity",
        None => "",
    };
    let bytes = if door.chain == Chain::Tcp { " (tcp)" } else { "" };
    format!("{}:{}{bytes}{whom}", door.workload.display_name(), door.port.number)
}

/// What a rule says of its groups, in its own words.
pub(super) struct Words<'a> {
    /// The rule
    pub(super) rule: &'static str,
    /// What the workload accepts, such as ``accepts `/api` from a peer that is no ingress gateway``
    pub(super) accepts: &'a str,
    /// What to do about a policy rule that admits
    pub(super) narrow: &'a str,
    /// What the workload would accept of the ingress, if a route sent it
    pub(super) unrouted: &'a str,
    /// What to do about a policy rule that admits the namespace in which the ingress runs
    pub(super) apart: &'a str,
}

/// The findings of groups.
pub(super) fn findings(world: &World, groups: Groups, words: &Words<'_>) -> Vec<Finding> {
    groups.groups.into_iter().map(|(cause, group)| finding(world, &cause, group, words)).collect()
}

/// The finding of one group.
fn finding(world: &World, cause: &RootCause, group: Group, words: &Words<'_>) -> Finding {
    let first = group.workloads.first().cloned().unwrap_or_default();
    let who = match group.workloads.len() {
        0 | 1 => workload_in_words(&first),
        more => format!("{} and {} more", workload_in_words(&first), more - 1),
    };
    let nowhere = group.place.or_else(|| {
        let namespace = first.split('/').next().unwrap_or_default();
        super::scope::first_mention(world, namespace)
    });
    let accepts = if group.severity == Severity::Warning { words.unrouted } else { words.accepts };
    let verb = if group.workloads.len() > 1 { accepts.replacen("accepts", "accept", 1) } else { accepts.to_owned() };
    let narrow = if group.from_ingress && shares_namespace(world, &first) { words.apart } else { words.narrow };
    let (message, help, label, resource, causes) = match cause {
        RootCause::Rule(policy, _, span) => (
            format!("{who} {verb}"),
            narrow.to_owned(),
            Label { span: *span, text: "this rule admits it".to_owned() },
            Some(policy.clone()),
            Vec::new(),
        ),
        RootCause::NoProxy(reason, span) => (
            format!("{who} {verb}, for no proxy stands in front: {reason}"),
            "let a sidecar guard the port, or keep such paths out of this workload".to_owned(),
            Label { span: span.or(nowhere).unwrap_or(NOWHERE), text: "takes the proxy away".to_owned() },
            None,
            Vec::new(),
        ),
        RootCause::NoAllow(workload) => (
            format!("{who} {verb}, for no ALLOW policy selects it"),
            "add an ALLOW policy that selects the workload, or a default deny to its namespace".to_owned(),
            Label { span: nowhere.unwrap_or(NOWHERE), text: "no ALLOW policy selects it".to_owned() },
            Some(workload.clone()),
            Vec::new(),
        ),
        RootCause::Undetermined(cause) => (
            format!("it is not proven that {who} {}: {}", refuses(&verb), cause.message),
            settle(cause).to_owned(),
            Label {
                span: cause.span.or(nowhere).unwrap_or(NOWHERE),
                text: "decides instead of the policies".to_owned(),
            },
            None,
            vec![cause.clone()],
        ),
    };
    let status = cause.status();
    let mut related = group.related;
    let mut label = label;
    if let RootCause::Rule(policy, _, span) = cause
        && super::scope::is_foreign(world, policy)
    {
        let message = format!("{policy} of the context admits it");
        related.push(Related { span: *span, message, rule: None, severity: None });
        label = Label { span: nowhere.unwrap_or(*span), text: "a policy of the context admits it".to_owned() };
    }
    Finding {
        rule: words.rule.into(),
        severity: group.severity,
        status,
        world: None,
        message,
        help: Some(help),
        label,
        resource: resource.as_deref().cloned(),
        workload: Some(first),
        witness: group.witness.map(Box::new),
        seen_path: None,
        doors: group.doors,
        way: Way::default(),
        fix: None,
        cells: group.cells,
        causes,
        related,
    }
}

/// Whether an ingress runs in the namespace of a workload.
fn shares_namespace(world: &World, workload: &str) -> bool {
    let namespace = workload.split('/').next().unwrap_or_default();
    world
        .ingress
        .iter()
        .any(|identity| identity.strip_prefix("ns/").and_then(|rest| rest.split('/').next()) == Some(namespace))
}

/// What to do about something that leaves an answer open.
pub(super) fn settle(cause: &Cause) -> &'static str {
    match cause.kind {
        CauseKind::CustomPolicy | CauseKind::RefusingFilter => {
            "let a policy refuse what must not get in, whatever this decides: it can only take away"
        }
        CauseKind::ChangingFilter => {
            "if it changes no decision, vouch for it under `trusted` in `meshlint.yaml`, with the reason"
        }
        CauseKind::UnmodelledKind => {
            "this is not modelled yet: see to it by other means, or soften it by `not-proven: warning` in `meshlint.yaml`"
        }
        CauseKind::RefusedConfiguration => "mend the configuration that the proxy refuses",
        CauseKind::CreationOrder => "keep one of them: which of them acts depends on which is older",
        CauseKind::MissingResource => "check it together with what it names, or give that as `--context`",
        CauseKind::UnmodelledCondition | CauseKind::UnknownCaller | CauseKind::Budget | CauseKind::Regex => {
            "write the condition in a way that can be decided, or let another policy refuse the request"
        }
    }
}

/// A place for what stands nowhere.
const NOWHERE: Span = Span { file: crate::text::FileId(0), start: 0, end: 0 };

/// `accepts X` or `accept X` turned round.
fn refuses(accepts: &str) -> String {
    accepts.replacen("accept", "refuse", 1)
}
