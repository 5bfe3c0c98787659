//! All doors of a world, judged once for everybody who asks about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::door::{Door, doors};
use crate::model::Workload;
use crate::semantics::{NamespaceReader, World};
use crate::space::Universe;

/// The doors of all workloads that are neither gateways nor Istio's own, by namespace.
#[derive(Debug, Default)]
pub struct Judged<'w> {
    /// The doors in the order of the workloads, and what can occur at those that speak HTTP
    namespaces: BTreeMap<&'w str, (Vec<Door<'w>>, Universe)>,
}

impl<'w> Judged<'w> {
    /// Judges a world.
    pub fn of(world: &'w World) -> Self {
        let namespaces: Vec<(&'w String, &'w Vec<Arc<Workload>>)> = world.workloads.iter().collect();
        let judge = |(namespace, workloads): &(&'w String, &'w Vec<Arc<Workload>>)| {
            let asked = |workload: &&Workload| !world.is_gateway(workload) && !World::is_control_plane(workload);
            let workloads: Vec<&'w Workload> = workloads.iter().map(AsRef::as_ref).filter(asked).collect();
            let reader = NamespaceReader::new(world, namespace);
            let doors = doors(&reader, &workloads, &[]);
            (namespace.as_str(), (doors, reader.universe().clone()))
        };
        let judged: Vec<(&'w str, (Vec<Door<'w>>, Universe))> = namespaces.par_iter().map(judge).collect();
        Self { namespaces: judged.into_iter().collect() }
    }

    /// Frees it side by side: there is much of it.
    pub fn free(self) {
        self.namespaces.into_par_iter().for_each(drop);
    }

    /// The doors of the workloads of a namespace, in their order.
    pub fn in_namespace(&self, namespace: &str) -> &[Door<'w>] {
        self.namespaces.get(namespace).map_or(&[], |(doors, _)| doors.as_slice())
    }

    /// A reader of the policies of a namespace.
    pub fn reader(&self, world: &'w World, namespace: &str) -> NamespaceReader<'w> {
        let reader = NamespaceReader::new(world, namespace);
        match self.namespaces.get(namespace) {
            Some((_, universe)) => reader.with_universe(universe.clone()),
            None => reader,
        }
    }
}
