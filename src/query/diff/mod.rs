//! What changes for requests from one world to another: straight at every workload's port, in at every gateway, and out
//! through the sidecars of clients.
//!
//! Exact: the lists of both sides are walked in lock-step, so silence is a proof. What cannot be told is said. Who has no
//! sidecar calls the workloads themselves, which is told of them.

mod behind;
mod change;
mod clients;
mod composition;
mod culprit;
mod door;
mod fate;
mod filters;
mod front;
mod gate;
mod gateways;
mod group;
mod joint;
mod lists;
mod pair;
mod reach;
mod region;
mod same;
mod token;
mod way;

pub use change::{Change, ChangeKind, Unsettled};
pub use culprit::{Culprit, Side};
pub use fate::Fate;
pub use group::Group;

use front::Touched;

use crate::semantics::World;

/// What changes from one world to another.
#[derive(Debug, Clone, Default)]
pub struct Diff {
    /// What changes, by its cause
    pub groups: Vec<Group>,
    /// Places of which it cannot be told whether something changes
    pub unsettled: Vec<Unsettled>,
    /// Workloads, ports and listeners that the old side does not have
    pub appeared: Vec<String>,
    /// Workloads, ports and listeners that the new side does not have
    pub disappeared: Vec<String>,
}

impl Diff {
    /// Whether somebody may get in who did not before.
    pub fn has_new_access(&self) -> bool {
        let kinds = self.groups.iter().map(|group| (group.kind, group.now.decision));
        let gained = |(kind, now)| match kind {
            ChangeKind::Allowed | ChangeKind::Undetermined => true,
            ChangeKind::Settled => now == crate::semantics::Decision::Allowed,
            ChangeKind::Denied => false,
        };
        kinds.into_iter().any(gained) || !self.unsettled.is_empty()
    }

    /// Whether nothing changes, proven.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.unsettled.is_empty()
    }
}

/// What is found on the way, before it is grouped.
#[derive(Debug, Default)]
struct Found {
    /// What changes
    changes: Vec<Change>,
    /// What cannot be told
    unsettled: Vec<Unsettled>,
    /// What is only on the new side
    appeared: Vec<String>,
    /// What is only on the old side
    disappeared: Vec<String>,
}

impl Found {
    /// The doors at which something changes or may, and what makes a change there.
    fn touched(&self) -> Touched<'_> {
        let mut touched: Touched<'_> = self.unsettled.iter().map(|unsettled| (&unsettled.entrypoint, None)).collect();
        for change in &self.changes {
            for entrypoint in change.old_entrypoint.iter().chain(&change.new_entrypoint) {
                touched.entry(entrypoint).or_default().get_or_insert(&change.culprit);
            }
        }
        touched
    }

    /// Both together.
    fn and(mut self, other: Self) -> Self {
        self.changes.extend(other.changes);
        self.unsettled.extend(other.unsettled);
        self.appeared.extend(other.appeared);
        self.disappeared.extend(other.disappeared);
        self
    }
}

/// What changes from one world to another. Every witness that is shown is decided a second time, step by step, on both
/// sides.
pub fn diff(old: &World, new: &World) -> Diff {
    let doors = door::compare(old, new);
    let touched = doors.touched();
    let gateways = || gateways::compare(old, new, &touched);
    let (gateways, clients) = rayon::join(gateways, || clients::compare(old, new, &touched));
    let mut found = doors.and(gateways).and(clients);
    for names in [&mut found.appeared, &mut found.disappeared] {
        names.sort();
        names.dedup();
    }
    let (groups, unconfirmed) = group::group(old, new, found.changes);
    let mut unsettled: Vec<Unsettled> = found.unsettled.into_iter().chain(unconfirmed).collect();
    unsettled.sort();
    unsettled.dedup();
    Diff { groups, unsettled, appeared: found.appeared, disappeared: found.disappeared }
}
