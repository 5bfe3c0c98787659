//! The table held against the workloads that are there: which rows each has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::scope;
use crate::config::{AccessDefault, AccessRow, Config, WorkloadsOf};
use crate::model::{Labels, ObjectId, Workload};
use crate::semantics::{World, implied_workload, selects};
use crate::text::{Span, Spanned};

/// The access table of a configuration, in a world.
#[derive(Debug, Clone)]
pub struct AccessTable<'c> {
    /// The rows, in order
    pub(super) rows: &'c [Spanned<AccessRow>],
    /// Where workloads without rows are closed, if they are
    pub(super) closed: Option<Span>,
    /// The rows of each namespace, by number
    by_namespace: BTreeMap<&'c str, Vec<usize>>,
    /// By open namespace: workloads that only the table speaks of
    implied: BTreeMap<String, Vec<Workload>>,
}

impl<'c> AccessTable<'c> {
    /// The table of a configuration. In an open namespace a row says that there are workloads of its labels.
    pub fn of(world: &World, config: &'c Config) -> Self {
        let closed = config.access_default.as_ref().filter(|default| default.value == AccessDefault::Closed);
        let closed = closed.map(|default| default.span);
        let mut by_namespace: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, row) in config.access.iter().enumerate() {
            by_namespace.entry(&row.value.workloads.namespace.value).or_default().push(index);
        }
        let mut table = Self { rows: &config.access, closed, by_namespace, implied: BTreeMap::new() };
        let open = table.by_namespace.keys().filter(|namespace| world.is_open(namespace));
        table.implied = open.map(|namespace| ((*namespace).to_owned(), table.implied_in(world, namespace))).collect();
        table
    }

    /// The rows of a namespace, by number.
    pub(super) fn rows_in(&self, namespace: &str) -> &[usize] {
        self.by_namespace.get(namespace).map_or(&[], Vec::as_slice)
    }

    /// The rows that select a workload, by number.
    pub fn rows_of(&self, workload: &Workload) -> Vec<usize> {
        let rows = self.rows_in(&workload.id.namespace).iter().copied();
        rows.filter(|row| self.picks(*row, workload)).collect()
    }

    /// Whether the table speaks of a workload instead of the built-in rules.
    pub fn covers(&self, workload: &Workload) -> bool {
        self.closed.is_some() || self.rows_in(&workload.id.namespace).iter().any(|row| self.picks(*row, workload))
    }

    /// Whether a row selects a workload.
    fn picks(&self, row: usize, workload: &Workload) -> bool {
        self.rows.get(row).is_some_and(|row| picks(&row.value.workloads, workload))
    }

    /// The workloads of a namespace that can be asked, those that only the table speaks of last.
    pub(super) fn workloads<'t>(&'t self, world: &'t World, namespace: &str) -> Vec<&'t Workload> {
        let mut found = scope::asked(world, namespace);
        let implied = self.implied.get(namespace).into_iter().flatten();
        found.extend(implied.filter(|workload| scope::is_asked(world, workload)));
        found
    }

    /// Whether anything but the table itself tells that a row selects a workload.
    pub(super) fn selects_any(world: &World, row: &AccessRow) -> bool {
        let namespace = row.workloads.namespace.value.as_str();
        let workloads = scope::asked(world, namespace);
        let named = |selector: &Labels| selects(Some(&row.workloads.labels), selector);
        let mut services = world.mesh.services.in_namespace(namespace);
        workloads.iter().any(|workload| picks(&row.workloads, workload))
            || world.is_open(namespace) && services.any(|service| service.spec.selector.as_ref().is_some_and(named))
    }

    /// The workloads of an open namespace that rows speak of and nothing else does: those of their labels, alone and
    /// with those of each workload that policies imply.
    fn implied_in(&self, world: &World, namespace: &str) -> Vec<Workload> {
        let known: BTreeSet<&ObjectId> = world.workloads_in(namespace).iter().map(|workload| &*workload.id).collect();
        let mut found: BTreeMap<Arc<ObjectId>, Workload> = BTreeMap::new();
        let rows = self.rows_in(namespace).iter().filter_map(|row| self.rows.get(*row));
        for row in rows.map(|row| &row.value.workloads) {
            for workload in world.workloads_in(namespace).iter().filter(|workload| workload.implied) {
                let agree =
                    row.labels.iter().all(|(key, value)| workload.labels.get(key).is_none_or(|own| own == value));
                let labels = workload.labels.iter().chain(&row.labels);
                let labels: Labels = labels.map(|(key, value)| (key.clone(), value.clone())).collect();
                let joined = implied_workload(namespace, labels);
                if agree && !known.contains(&*joined.id) {
                    found.insert(joined.id.clone(), joined);
                }
            }
        }
        found.into_values().collect()
    }
}

/// Whether a row selects a workload.
fn picks(row: &WorkloadsOf, workload: &Workload) -> bool {
    row.namespace.value == workload.id.namespace && selects(Some(&row.labels), &workload.labels)
}
