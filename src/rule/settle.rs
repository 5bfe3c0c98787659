//! What becomes of findings before they are shown: severities of the owner, then suppressions, then the baseline, then
//! the selection of the run.

use std::collections::BTreeMap;

use super::baseline::Baseline;
use super::finding::Finding;
use super::overrides::{self, Names};
use super::report::Report;
use super::selection::Selection;
use super::set::RuleSet;
use super::suppression::Suppressions;
use crate::config::{Config, Date};
use crate::text::{FileId, Files};

/// What findings are settled by.
#[derive(Debug, Clone, Copy)]
pub struct Settling<'a> {
    /// What the owner says
    pub config: &'a Config,
    /// All rules
    pub rules: &'a RuleSet,
    /// Manifests that findings may stand in
    pub manifests: &'a [FileId],
    /// Files as the globs of the configuration name them, where they stand below its directory
    pub relative: &'a BTreeMap<FileId, String>,
    /// The day that suppressions expire by; without one none does
    pub today: Option<Date>,
    /// Findings that are known
    pub baseline: Option<&'a Baseline>,
    /// Which rules the run is about
    pub selection: Selection<'a>,
}

/// Settles the findings of a report.
pub fn settle(files: &Files, report: &mut Report, by: &Settling<'_>) {
    let names = Names { files, relative: by.relative };
    overrides::apply(names, by.config, &mut report.findings);
    let mut suppressions = Suppressions::of(names, by.manifests, by.config, by.rules);
    report.summary.suppressed = suppressions.apply(names, by.today, &mut report.findings);
    let mut unused = suppressions.unused(by.today);
    overrides::apply(names, by.config, &mut unused);
    report.findings.append(&mut unused);
    let held = by.baseline.map(|baseline| baseline.apply(files, &mut report.findings));
    report.summary.held = held.unwrap_or_default();
    by.selection.apply(by.rules, by.config, &mut report.findings);
    sort(files, &mut report.findings);
}

/// Sorts findings by file, place and rule.
pub(super) fn sort(files: &Files, findings: &mut [Finding]) {
    let key = |finding: &Finding| {
        (files.name(finding.label.span.file).to_owned(), finding.label.span.start, finding.rule.clone())
    };
    findings.sort_by_key(key);
}
