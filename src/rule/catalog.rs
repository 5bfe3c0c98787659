//! What the checks of the catalog saw, as findings: with the severity of their rule, and folded where a finding of
//! the mission says the same of the same cause.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::file::rule;
use super::finding::{Finding, Status, Way};
use crate::check::{Ground, Observation, Related, Severity, observations};
use crate::semantics::Cause;
use crate::text::Span;

/// Adds what the checks see.
pub(super) fn add(ground: Ground<'_>, findings: &mut Vec<Finding>) {
    let mission = findings.len();
    let mut places: FxHashMap<Span, Vec<usize>> = FxHashMap::default();
    for (index, finding) in findings.iter().enumerate() {
        places.entry(finding.label.span).or_default().push(index);
    }
    for observation in observations(ground) {
        let usual = rule(observation.rule).map_or(Severity::Warning, |rule| rule.severity);
        let severity = observation.severity.unwrap_or(usual);
        let (said, _) = findings.split_at_mut(mission);
        if let Some(cause) = &observation.cause
            && said.iter().any(|finding| is_unproven_for(finding, cause))
        {
            continue;
        }
        // A finding says the same if it stands on the policy rule that is said to admit too much. Nothing is folded into
        // a lower severity.
        let there = observation.admits.and_then(|rule| places.get(&rule)).into_iter().flatten();
        let mut same = there.filter(|index| said.get(**index).is_some_and(|finding| finding.severity >= severity));
        match same.next().and_then(|index| said.get_mut(*index)) {
            Some(finding) => finding.related.push(Related {
                span: observation.label.span,
                message: observation.message,
                rule: Some(observation.rule.to_owned()),
                severity: Some(severity),
            }),
            None => findings.push(finding(observation, severity)),
        }
    }
}

/// Whether a finding is not proven for a cause.
fn is_unproven_for(finding: &Finding, cause: &Cause) -> bool {
    finding.status == Status::NotProven && finding.causes.contains(cause)
}

/// An observation as a finding of its own.
fn finding(observation: Observation, severity: Severity) -> Finding {
    let Observation { rule, message, help, label, resource, workload, witness, refused, related, fix, .. } =
        observation;
    Finding {
        rule: rule.into(),
        severity,
        status: Status::Broken,
        world: None,
        message,
        help,
        label,
        resource,
        workload,
        witness,
        seen_path: None,
        doors: BTreeSet::new(),
        way: Way { refused, ..Way::default() },
        cells: 0,
        causes: Vec::new(),
        related,
        fix,
    }
}
