//! `explain` and `rules`: what the rules are about.

use super::error::Failure;
use super::output;
use crate::report;
use crate::rule;

/// Prints what a rule is about.
pub(super) fn explain(id: &str) -> Result<bool, Failure> {
    match rule::rule(id) {
        Ok(rule) => output::say(&report::explain(rule)).map(|()| true),
        Err(nearest) => Err(Failure::Usage(format!("no rule is called `{id}`; the nearest is `{nearest}`"))),
    }
}

/// Lists the rules.
pub(super) fn list() -> Result<bool, Failure> {
    output::say(&report::list_rules()).map(|()| true)
}

/// Fails on ids that no rule has.
pub(super) fn known(ids: &[String]) -> Result<(), Failure> {
    ids.iter().try_for_each(|id| match rule::rule(id) {
        Ok(_) => Ok(()),
        Err(nearest) => Err(Failure::Usage(format!("no rule is called `{id}`; the nearest is `{nearest}`"))),
    })
}
