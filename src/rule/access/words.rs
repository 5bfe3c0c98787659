//! What to say of what the doors answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::cause::{Groups, Words, findings};
use super::super::default_deny::DefaultDeny;
use super::super::finding::{Finding, Label, Related, Severity, Status, Way};
use super::super::path_rules::{reasons, settled};
use super::super::scope::Scope;
use super::answers::{Answers, Item, answers};
use super::cubes::gateway_identities;
use super::table::AccessTable;
use crate::config::AccessRow;
use crate::matrix::Door;
use crate::model::workload_in_words;
use crate::semantics::World;
use crate::text::{Span, Spanned};

/// What the table found in one namespace.
#[derive(Debug, Clone, Default)]
pub(in crate::rule) struct AccessFindings {
    /// The findings
    pub(in crate::rule) findings: Vec<Finding>,
    /// Cells that the finding about the default deny stands for
    pub(in crate::rule) folded: usize,
    /// The rows that they are beyond
    pub(in crate::rule) folded_rows: Vec<Related>,
    /// Doors asked
    pub(in crate::rule) doors: usize,
    /// Classes of paths told apart
    pub(in crate::rule) path_classes: usize,
    /// Workloads that the table speaks of
    pub(in crate::rule) workloads: usize,
}

/// Holds the table against the doors of a namespace.
pub(in crate::rule) fn ask(
    scope: &Scope<'_>,
    namespace: &str,
    default_deny: Option<&DefaultDeny>,
    judged: bool,
) -> AccessFindings {
    let (world, table) = (scope.world, scope.table);
    let answers = answers(world, scope.fronts, table, namespace, judged);
    let workloads: BTreeSet<_> = answers.doors.iter().map(|door| &door.workload.id).collect();
    let locks: BTreeMap<_, usize> =
        answers.doors.iter().map(|door| (Arc::as_ptr(&door.lock).addr(), door.lock.path_classes)).collect();
    let mut found = AccessFindings {
        doors: answers.doors.len(),
        path_classes: locks.values().sum(),
        workloads: workloads.len(),
        ..AccessFindings::default()
    };
    let mut groups = Groups::default();
    for beyond in &answers.beyond {
        let Some(door) = answers.doors.get(beyond.door) else { continue };
        let rows = related(table, door);
        if default_deny.is_some_and(|default_deny| default_deny.stands_for(door, &beyond.opening.ending)) {
            found.folded += 1;
            let folded = rows.into_iter().map(|place| Related {
                rule: Some("access-beyond-table".to_owned()),
                severity: Some(Severity::Error),
                ..place
            });
            let new: Vec<Related> = folded.filter(|place| !found.folded_rows.contains(place)).collect();
            found.folded_rows.extend(new);
            continue;
        }
        let places = reasons(world, door, beyond.opening.witness.as_ref()).into_iter().chain(rows).collect();
        groups.add(door, &beyond.opening, Severity::Error, places);
    }
    let words = Words {
        rule: "access-beyond-table",
        accepts: "accepts requests that no row of the access table grants",
        narrow: "narrow this rule to what the table grants, or grant the request by a row of its own",
        unrouted: "",
        apart: "",
    };
    found.findings = settled(findings(world, groups, &words));
    found.findings.extend(answers.idle.iter().filter_map(|item| idle(world, table, &answers, *item)));
    found
}

/// Rows that select no workload.
pub(in crate::rule) fn unmatched(world: &World, table: &AccessTable<'_>) -> Vec<Finding> {
    let unmatched = table.rows.iter().filter(|row| !AccessTable::selects_any(world, &row.value));
    let say = |row: &Spanned<AccessRow>| {
        let of = &row.value.workloads;
        let namespace = &of.namespace.value;
        let labels: Vec<String> = of.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let (message, help) = if labels.is_empty() {
            (format!("no workload of the input is in `{namespace}`"), "name the namespace that is meant")
        } else if world.is_open(namespace) {
            let labels = labels.join(",");
            (
                format!("nothing in `{namespace}` selects a workload by `{labels}`"),
                "name the labels that policies and Services select by",
            )
        } else {
            let labels = labels.join(",");
            (
                format!("no workload of `{namespace}` that is asked has the labels `{labels}`"),
                "name labels that the pods have",
            )
        };
        Finding {
            rule: "access-row-matches-nothing".into(),
            severity: Severity::Warning,
            status: Status::Broken,
            world: None,
            message,
            help: Some(format!("{help}, or drop the row")),
            label: Label { span: of.namespace.span, text: "selects nothing".to_owned() },
            resource: None,
            workload: None,
            witness: None,
            seen_path: None,
            doors: BTreeSet::new(),
            way: Way::default(),
            fix: None,
            cells: 0,
            causes: Vec::new(),
            related: Vec::new(),
        }
    };
    unmatched.map(say).collect()
}

/// The rows of a door's workload, or what closes it without any.
fn related(table: &AccessTable<'_>, door: &Door<'_>) -> Vec<Related> {
    let place = |span: Span, message: String| Related { span, message, rule: None, severity: None };
    let rows = table.rows_of(door.workload).into_iter().filter_map(|row| table.rows.get(row));
    let granted: Vec<Related> = rows.map(|row| place(row.span, granted(&row.value))).collect();
    match table.closed.filter(|_| granted.is_empty()) {
        Some(span) => vec![place(span, "this closes workloads that no row selects".to_owned())],
        None => granted,
    }
}

/// What a row grants, in words.
fn granted(row: &AccessRow) -> String {
    let list = |words: Vec<String>| words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let what = match &row.paths {
        Some(paths) => list(paths.iter().map(|path| path.value.to_string()).collect()),
        None => "everything".to_owned(),
    };
    let methods = row.methods.as_ref().map_or_else(String::new, |methods| {
        format!("{} of ", list(methods.iter().map(|method| method.value.clone()).collect()))
    });
    let token = if row.jwt.is_some() { " with a token" } else { "" };
    if row.allow.is_empty() {
        return format!("this row grants {methods}{what} to nobody");
    }
    let whom = list(row.allow.iter().map(|allow| allow.value.to_string()).collect());
    format!("this row grants {methods}{what} to {whom}{token}")
}

/// The finding about an item by which nobody gets in.
fn idle(world: &World, table: &AccessTable<'_>, answers: &Answers<'_>, item: Item) -> Option<Finding> {
    let row = table.rows.get(item.row)?;
    // A row that selects nothing says so, and not also that nobody gets in.
    if !AccessTable::selects_any(world, &row.value) {
        return None;
    }
    let allow = row.value.allow.get(item.allow)?;
    let mut of = answers.doors.iter().filter(|door| table.rows_of(door.workload).contains(&item.row));
    let workload = of.next().map(|door| door.workload.display_name());
    let who = workload.as_deref().map_or_else(String::new, workload_in_words);
    let unknown = allow.value.gateway().filter(|gateway| gateway_identities(world, gateway).is_empty());
    let (why, help) = if let Some(gateway) = unknown {
        (format!("no Gateway `{gateway}` is in the input"), "name a Gateway of the input")
    } else if answers.undelivered.contains(&item) {
        (format!("{who} would accept it, and no route of the ingress delivers it"), "route it, or drop the item")
    } else {
        (format!("{who} accepts no such request"), "admit it by an ALLOW policy, or drop the item")
    };
    Some(Finding {
        rule: "access-not-granted".into(),
        severity: Severity::Warning,
        status: Status::Broken,
        world: None,
        message: format!("nobody gets in by `{}`: {why}", allow.value),
        help: Some(help.to_owned()),
        label: Label { span: allow.span, text: "admits nobody".to_owned() },
        resource: None,
        workload,
        witness: None,
        seen_path: None,
        doors: BTreeSet::new(),
        way: Way::default(),
        fix: None,
        cells: 0,
        causes: Vec::new(),
        related: Vec::new(),
    })
}
