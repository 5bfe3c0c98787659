//! Suppressions: findings that somebody accepted, where they say so and for how long.

use std::collections::BTreeSet;

use globset::GlobMatcher;

use super::file::rule;
use super::finding::{Finding, Status, Way};
use super::overrides::{Names, glob};
use super::set::RuleSet;
use super::suppression_mark::{Reach, marks};
use super::{Label, Severity};
use crate::config::{Config, Date, Suppression};
use crate::model::ObjectId;
use crate::text::{FileId, Span};

/// The rule about suppressions themselves.
const UNUSED: &str = "unused-suppression";

/// All suppressions of a run.
#[derive(Debug, Default)]
pub(super) struct Suppressions<'c> {
    /// One for each rule that each of them names
    known: Vec<Known<'c>>,
    /// Findings about suppressions that mean nothing
    findings: Vec<Finding>,
}

/// One suppression of one rule.
#[derive(Debug)]
struct Known<'c> {
    /// The rule
    rule: String,
    /// Where it stands
    place: Span,
    /// What it reaches
    by: By<'c>,
    /// Whether it says why
    has_reason: bool,
    /// Whether it suppressed something
    used: bool,
}

/// What makes a suppression.
#[derive(Debug)]
enum By<'c> {
    /// A comment or an annotation
    Mark(Reach),
    /// An entry of the configuration, with its glob
    Entry(&'c Suppression, Option<GlobMatcher>),
}

/// How many findings were suppressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Suppressed {
    /// All of them
    pub findings: usize,
    /// Of these, by suppressions that do not say why
    pub without_reason: usize,
}

/// A place that a suppression may reach.
struct Target<'f> {
    /// The rule
    rule: &'f str,
    /// The place
    span: Span,
    /// The object there
    resource: Option<&'f ObjectId>,
    /// The workload concerned
    workload: Option<&'f str>,
}

impl<'c> Suppressions<'c> {
    /// The suppressions of some manifests and of the configuration.
    pub(super) fn of(names: Names<'_>, manifests: &[FileId], config: &'c Config, rules: &RuleSet) -> Self {
        let mut found = Self::default();
        for mark in manifests.iter().flat_map(|file| marks(names.files, *file)) {
            if mark.rules.is_empty() {
                let message = "this suppression names no rule".to_owned();
                let help = "write `meshlint: ignore[RULE] REASON`".to_owned();
                found.findings.push(finding(mark.place, message, "names no rule", help));
            }
            for (rule, place) in mark.rules {
                if let Some(problem) = rules.unknown(&rule, place) {
                    let help = problem.help.unwrap_or_default();
                    found.findings.push(finding(place, problem.message, "no such rule", help));
                    continue;
                }
                let by = By::Mark(mark.reach.clone());
                found.known.push(Known { rule, place, by, has_reason: mark.has_reason, used: false });
            }
        }
        for entry in &config.suppressions {
            let by = By::Entry(&entry.value, entry.value.file.as_ref().and_then(glob));
            let rule = entry.value.rule.value.clone();
            found.known.push(Known { rule, place: entry.value.rule.span, by, has_reason: true, used: false });
        }
        found
    }

    /// Takes out what is suppressed, also of what was folded into another finding.
    pub(super) fn apply(&mut self, names: Names<'_>, today: Option<Date>, findings: &mut Vec<Finding>) -> Suppressed {
        let mut suppressed = Suppressed::default();
        findings.retain_mut(|finding| {
            let workload = finding.workload.as_deref();
            finding.related.retain(|related| {
                let Some(rule) = related.rule.as_deref() else { return true };
                let target = Target { rule, span: related.span, resource: finding.resource.as_ref(), workload };
                self.reach(names, today, &target).is_none()
            });
            let target =
                Target { rule: &finding.rule, span: finding.label.span, resource: finding.resource.as_ref(), workload };
            let Some(has_reason) = self.reach(names, today, &target) else { return true };
            suppressed.findings += 1;
            suppressed.without_reason += usize::from(!has_reason);
            false
        });
        suppressed
    }

    /// Whether a place is reached, and whether somebody says why. Every suppression that reaches it counts as used.
    fn reach(&mut self, names: Names<'_>, today: Option<Date>, target: &Target<'_>) -> Option<bool> {
        let mut reached = None;
        for known in self.known.iter_mut().filter(|known| known.rule == target.rule) {
            if known.reaches(names, target) && known.expired(today).is_none() {
                known.used = true;
                reached = Some(reached.unwrap_or(false) || known.has_reason);
            }
        }
        reached
    }

    /// Findings about suppressions that suppress nothing.
    pub(super) fn unused(self, today: Option<Date>) -> Vec<Finding> {
        let mut findings = self.findings;
        for known in self.known.iter().filter(|known| !known.used) {
            let rule = &known.rule;
            findings.push(if let Some((expires, span)) = known.expired(today) {
                let message = format!("the suppression of `{rule}` expired on {expires}");
                let help = "look at what it accepted again: mend it, or give it another day".to_owned();
                finding(span, message, "expired", help)
            } else {
                let message = format!("`{rule}` finds nothing here that could be suppressed");
                finding(known.place, message, "suppresses nothing", "delete the suppression".to_owned())
            });
        }
        findings
    }
}

impl Known<'_> {
    /// The day since which it has expired, if it has.
    fn expired(&self, today: Option<Date>) -> Option<(Date, Span)> {
        let By::Entry(entry, _) = &self.by else { return None };
        let expires = entry.expires.as_ref()?;
        today.filter(|today| *today > expires.value).map(|_| (expires.value, expires.span))
    }

    /// Whether it reaches a place.
    fn reaches(&self, names: Names<'_>, target: &Target<'_>) -> bool {
        let span = target.span;
        match &self.by {
            By::Mark(Reach::Line(file, line)) => {
                *file == span.file && names.files.position(span.file, span.start).line == *line
            }
            By::Mark(Reach::Object(object)) => {
                object.file == span.file && object.start <= span.start && span.start < object.end
            }
            By::Entry(entry, glob) => {
                let file = entry.file.is_none() || glob.as_ref().is_some_and(|glob| glob.is_match(names.of(span.file)));
                let resource = entry.resource.as_ref().is_none_or(|wanted| {
                    target.resource.is_some_and(|id| id.to_string() == wanted.value)
                        || target.workload == Some(wanted.value.as_str())
                });
                file && resource
            }
        }
    }
}

/// A finding about a suppression.
fn finding(span: Span, message: String, label: &str, help: String) -> Finding {
    Finding {
        rule: UNUSED.into(),
        severity: rule(UNUSED).map_or(Severity::Warning, |rule| rule.severity),
        status: Status::Broken,
        world: None,
        message,
        help: Some(help),
        label: Label { span, text: label.to_owned() },
        resource: None,
        workload: None,
        witness: None,
        seen_path: None,
        way: Way::default(),
        fix: None,
        doors: BTreeSet::new(),
        cells: 0,
        causes: Vec::new(),
        related: Vec::new(),
    }
}
