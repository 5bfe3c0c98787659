//! What checks stand on: the world, the texts, and what is common to many of them.

use super::observation::Severity;
use crate::config::WorldSetting;
use crate::matrix::{Fronts, Judged};
use crate::model::{AuthorizationPolicy, Resource};
use crate::semantics::World;
use crate::space::Budget;
use crate::text::Files;

/// How much work one question of a check may take: what needs more is not told, for no statement rests on it.
pub(super) const WORK: Budget =
    Budget { nodes: 5_000, path_states: 20_000, atom_states: 5_000, combinations: 512, cells: 1_000 };

/// What all checks are asked of.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'w> {
    /// The world
    pub world: &'w World,
    /// The texts
    pub files: &'w Files,
    /// What the gateways that let requests in lead to
    pub fronts: &'w Fronts<'w>,
    /// What decides at the doors of workloads
    pub judged: &'w Judged<'w>,
}

impl<'w> Ground<'w> {
    /// The authorization policies that may be blamed: in force and not somebody else's.
    pub fn own_policies(self) -> impl Iterator<Item = &'w Resource<AuthorizationPolicy>> {
        self.world.mesh.authorization_policies.iter().filter(|policy| !policy.context)
    }

    /// How bad it is that something is not in the input: `declared` where the world is declared closed; a warning
    /// where the namespace that should hold it holds others of its kind; nothing where it may live elsewhere.
    pub fn absence(self, declared: Severity, others_are_there: bool) -> Option<Severity> {
        match self.world.options.world {
            WorldSetting::Closed => Some(declared),
            WorldSetting::Auto if others_are_there => Some(declared.min(Severity::Warning)),
            WorldSetting::Auto | WorldSetting::Open => None,
        }
    }
}
