//! Whether edits do what they promise: their findings are gone, no other appears, and access changes in the one direction
//! that they say, in every world.

use super::fix::State;
use crate::query::{self, ChangeKind, Group};
use crate::rule::{Effect, Finding, RuleId, Status};
use crate::semantics::{Decision, Request};
use crate::text::{Replacement, Span, moved};

/// Edits, with the texts before and after them.
#[derive(Clone, Copy)]
pub(super) struct Try<'t> {
    /// Without the edits
    pub(super) before: &'t State,
    /// With the edits
    pub(super) after: &'t State,
    /// The edits, of the texts before
    pub(super) edits: &'t [Replacement],
    /// The findings that they shall mend, where they stand before
    pub(super) targets: &'t [(&'t RuleId, Span)],
    /// What they promise
    pub(super) effect: Effect,
}

/// Holds edits against what they promise. `Err`: what they do else.
pub(super) fn compare(tried: &Try<'_>) -> Result<(), String> {
    let mut known: Vec<&Finding> = tried.before.report.findings.iter().collect();
    for finding in &tried.after.report.findings {
        let stays = |(rule, span): &(&RuleId, Span)| **rule == finding.rule && tried.stands_at(*span, finding);
        if tried.targets.iter().any(stays) {
            return Err("the finding stays".to_owned());
        }
        let Some(place) = known.iter().position(|before| tried.is_same(before, finding)) else {
            let files = &tried.after.files;
            let line = files.position(finding.label.span.file, finding.label.span.start).line;
            return Err(format!(
                "`{}` would be found in line {line} of {}",
                finding.rule,
                files.name(finding.label.span.file)
            ));
        };
        known.swap_remove(place);
    }
    for (old, new) in tried.before.worlds.iter().zip(&tried.after.worlds) {
        let diff = query::diff(old, new);
        if let Some(unsettled) = diff.unsettled.first() {
            return Err(format!("it cannot be told what changes at `{}`: {}", unsettled.entrypoint, unsettled.message));
        }
        if let Some(place) = diff.appeared.iter().chain(&diff.disappeared).next() {
            return Err(format!("`{place}` would not be the same place any more"));
        }
        if let Some(group) = diff.groups.iter().find(|group| !is_promised(group, tried.effect)) {
            let what = match group.now.decision {
                Decision::Allowed => "would get in",
                Decision::Denied => "would be refused",
                Decision::Undetermined => "would be undetermined",
            };
            return Err(format!("{} {what}", shown(&group.witness)));
        }
    }
    Ok(())
}

impl Try<'_> {
    /// Whether a finding stands where a place of the texts before is now.
    fn stands_at(&self, before: Span, now: &Finding) -> bool {
        let span = now.label.span;
        before.file == span.file && moved(self.edits, before.file, before.start) == span.start
    }

    /// Whether a finding says no more than another did before.
    fn is_same(&self, before: &Finding, now: &Finding) -> bool {
        before.rule == now.rule
            && self.stands_at(before.label.span, now)
            && (before.world == now.world && before.workload == now.workload)
            && now.severity <= before.severity
            && (before.status == Status::Broken || now.status == Status::NotProven)
            && now.doors.is_subset(&before.doors)
    }
}

/// Whether a change is of the kind that is promised.
fn is_promised(group: &Group, effect: Effect) -> bool {
    match (effect, group.kind) {
        (Effect::Closes, ChangeKind::Denied) | (Effect::Opens, ChangeKind::Allowed) => true,
        (Effect::Closes, ChangeKind::Settled) => group.now.decision == Decision::Denied,
        (Effect::Opens, ChangeKind::Settled) => group.now.decision == Decision::Allowed,
        (Effect::Opens, ChangeKind::Undetermined) => group.before.decision == Decision::Denied,
        (Effect::Closes, ChangeKind::Allowed | ChangeKind::Undetermined) | (Effect::Opens, ChangeKind::Denied) => false,
    }
}

/// A request in a few words.
fn shown(request: &Request) -> String {
    format!("{} {} at {}", request.method, request.path, request.entrypoint)
}
