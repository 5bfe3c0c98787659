//! What the checks of the catalog saw, as findings: with the severity of their rule, and folded where a finding of
//! the mission says the same of the same cause.

use std::collections::BTreeSet;

use super::file::rule;
use super::finding::{Finding, Status, Way};
use crate::check::{Ground, Observation, Related, Severity, observations};
use crate::semantics::Cause;

/// Adds what the checks see.
pub(super) fn add(ground: Ground<'_>, findings: &mut Vec<Finding>) {
    let mission = findings.len();
    for observation in observations(ground) {
        let usual = rule(observation.rule).map_or(Severity::Warning, |rule| rule.severity);
        let severity = observation.severity.unwrap_or(usual);
        let (said, _) = findings.split_at_mut(mission);
        if said.iter().any(|finding| is_unproven_for(finding, &observation)) {
            continue;
        }
        match said.iter_mut().find(|finding| says_the_same(finding, &observation, severity)) {
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

/// Whether a finding stands on the policy rule that an observation says admits too much. Nothing is folded into a
/// lower severity.
fn says_the_same(finding: &Finding, observation: &Observation, severity: Severity) -> bool {
    observation.admits.is_some_and(|rule| finding.label.span == rule && finding.severity >= severity)
}

/// Whether a finding is not proven for the cause of an observation.
fn is_unproven_for(finding: &Finding, observation: &Observation) -> bool {
    let same = |cause: &Cause| finding.causes.contains(cause);
    finding.status == Status::NotProven && observation.cause.as_ref().is_some_and(same)
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
