//! `explain` and `rules`: what the rules are about.

use std::path::Path;

use super::configuration::Configuration;
use super::error::Failure;
use super::output;
use crate::report;
use crate::rule::RuleSet;
use crate::text::Files;

/// The rules of a configuration: the one that is named, else the nearest.
fn rules(config: Option<&Path>) -> Result<RuleSet, Failure> {
    Configuration::read(config, Some(Path::new(".")), &mut Files::default()).map(|found| found.rules)
}

/// Prints what a rule is about.
pub(super) fn explain(id: &str, config: Option<&Path>) -> Result<bool, Failure> {
    let rules = rules(config)?;
    let rule = rules.find(id).map_err(|nearest| unknown(id, nearest))?;
    output::say(&report::explain(rule)).map(|()| true)
}

/// Lists the rules.
pub(super) fn list(config: Option<&Path>) -> Result<bool, Failure> {
    output::say(&report::list_rules(&rules(config)?)).map(|()| true)
}

/// Fails on ids that no rule has.
pub(super) fn known(rules: &RuleSet, ids: &[String]) -> Result<(), Failure> {
    ids.iter().try_for_each(|id| rules.find(id).map(|_| ()).map_err(|nearest| unknown(id, nearest)))
}

/// There is no such rule.
fn unknown(id: &str, nearest: &str) -> Failure {
    Failure::Usage(format!("no rule is called `{id}`; the nearest is `{nearest}`"))
}
