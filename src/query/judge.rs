//! A whole check of one world: what the rules find, each witness decided a second time.

use super::confirm::confirm;
use crate::config::Config;
use crate::model::{Loaded, Problem};
use crate::rule::{self, Report, RuleSet};
use crate::semantics::{World, WorldOptions};
use crate::text::Files;

/// What the rules find in one world, and the world.
pub fn judge(files: &Files, loaded: Loaded, config: &Config, rules: &RuleSet) -> (World, Report) {
    let Loaded { mesh, problems, counts } = loaded;
    let (world, refused) = World::admit(mesh, WorldOptions::from(config));
    let problems: Vec<Problem> = problems.into_iter().chain(refused).collect();
    let mut report = rule::check_all(files, &world, &problems, counts, config, rules);
    confirm(&world, &mut report);
    (world, report)
}
