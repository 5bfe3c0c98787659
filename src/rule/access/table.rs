//! The table held against the workloads that are there: which rows each has.

use std::collections::{BTreeMap, BTreeSet};

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
    /// By open namespace: workloads that only the table speaks of
    implied: BTreeMap<String, Vec<Workload>>,
}

impl<'c> AccessTable<'c> {
    /// The table of a configuration. In an open namespace a row says that there are workloads of its labels.
    pub fn of(world: &World, config: &'c Config) -> Self {
        let closed = config.access_default.as_ref().filter(|default| default.value == AccessDefault::Closed);
        let mut table =
            Self { rows: &config.access, closed: closed.map(|default| default.span), implied: BTreeMap::new() };
        for namespace in table.namespaces().into_iter().filter(|namespace| world.is_open(namespace)) {
            let implied = table.implied_in(world, &namespace);
            table.implied.insert(namespace, implied);
        }
        table
    }

    /// The namespaces that rows name.
    pub fn namespaces(&self) -> BTreeSet<String> {
        self.rows.iter().map(|row| row.value.workloads.namespace.value.clone()).collect()
    }

    /// The rows that select a workload, by number.
    pub fn rows_of(&self, workload: &Workload) -> Vec<usize> {
        let selected = self.rows.iter().enumerate();
        selected.filter(|(_, row)| picks(&row.value.workloads, workload)).map(|(index, _)| index).collect()
    }

    /// Whether the table speaks of a workload instead of the built-in rules.
    pub fn covers(&self, workload: &Workload) -> bool {
        self.closed.is_some() || self.rows.iter().any(|row| picks(&row.value.workloads, workload))
    }

    /// The workloads of a namespace that can be asked, those that only the table speaks of last.
    pub(super) fn workloads<'t>(&'t self, world: &'t World, namespace: &str) -> Vec<&'t Workload> {
        let mut found = scope::asked(world, namespace);
        found.extend(self.implied.get(namespace).into_iter().flatten());
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
        let known: BTreeSet<&ObjectId> = world.workloads_in(namespace).iter().map(|workload| &workload.id).collect();
        let mut found: BTreeMap<ObjectId, Workload> = BTreeMap::new();
        let rows = self.rows.iter().map(|row| &row.value.workloads);
        for row in rows.filter(|row| row.namespace.value == namespace) {
            for workload in world.workloads_in(namespace) {
                let agree =
                    row.labels.iter().all(|(key, value)| workload.labels.get(key).is_none_or(|own| own == value));
                let labels = workload.labels.iter().chain(&row.labels);
                let labels: Labels = labels.map(|(key, value)| (key.clone(), value.clone())).collect();
                let joined = implied_workload(namespace, labels);
                if agree && !known.contains(&joined.id) {
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
