//! Workloads and their ports on both sides.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::model::Workload;
use crate::semantics::{World, implied_workload, workload_ports};

/// A workload on both sides.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    /// As the old side has it, or what may stand for it there
    pub(super) old: Option<Workload>,
    /// As the new side has it, or what may stand for it there
    pub(super) new: Option<Workload>,
}

impl Pair {
    /// The side whose name is shown: one that is in the input, the new one first.
    pub(super) fn named(&self) -> Option<&Workload> {
        let sides = || [&self.new, &self.old].into_iter().flatten();
        sides().find(|workload| !workload.implied).or_else(|| sides().next())
    }
}

/// `workload NS/NAME:PORT`
pub(super) fn entrypoint(workload: &Workload, port: u16) -> String {
    format!("workload {}:{port}", workload.display_name())
}

/// The workloads of a namespace on both sides. Where one side has a workload that the other does not, but may have, what
/// the other's policies make of one with its labels is what was before.
pub(super) fn pairs(old: &World, new: &World, namespace: &str, found: &mut Found) -> Vec<Pair> {
    let judged = |world: &World| -> BTreeMap<String, Workload> {
        let workloads = world.workloads_in(namespace).iter().map(AsRef::as_ref);
        let workloads = workloads.filter(|workload| !world.is_gateway(workload) && !World::is_control_plane(workload));
        workloads.map(|workload| (workload.display_name(), workload.clone())).collect()
    };
    let (before, now) = (judged(old), judged(new));
    let open = |world: &World| world.workloads.contains_key(namespace) && world.is_open(namespace);
    let (was_open, is_open) = (open(old), open(new));
    let stand_in = |workload: &Workload, open: bool| open.then(|| implied_workload(namespace, workload.labels.clone()));
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let mut pairs = Vec::new();
    for name in names {
        match (before.get(name), now.get(name)) {
            // A stand-in of a side that now says which workloads there are stands for nothing any more.
            (Some(gone), None) if gone.implied && !is_open => {}
            (None, Some(fresh)) if fresh.implied && !was_open => {}
            (Some(gone), None) => {
                if !gone.implied {
                    found.disappeared.push(format!("workload {name}"));
                }
                pairs.push(Pair { old: Some(gone.clone()), new: stand_in(gone, is_open) });
            }
            (None, Some(fresh)) => {
                if !fresh.implied {
                    found.appeared.push(format!("workload {name}"));
                }
                pairs.push(Pair { old: stand_in(fresh, was_open), new: Some(fresh.clone()) });
            }
            (old, new) => pairs.push(Pair { old: old.cloned(), new: new.cloned() }),
        }
    }
    pairs
}

/// The ports of a workload on either side.
pub(super) fn ports(old: &World, new: &World, pair: &Pair, found: &mut Found) -> BTreeSet<u16> {
    let of = |world: &World, workload: Option<&Workload>| -> BTreeSet<u16> {
        let ports = workload.into_iter().flat_map(|workload| workload_ports(world, workload));
        ports.map(|port| port.number).collect()
    };
    let (before, now) = (of(old, pair.old.as_ref()), of(new, pair.new.as_ref()));
    if let (Some(was), Some(is)) = (&pair.old, &pair.new)
        && !was.implied
        && !is.implied
    {
        found.appeared.extend(now.difference(&before).map(|port| entrypoint(is, *port)));
        found.disappeared.extend(before.difference(&now).map(|port| entrypoint(was, *port)));
    }
    before.union(&now).copied().collect()
}
