//! The baseline: findings that were there when somebody began to look, and are shown again only once they grow.
//!
//! An entry is found by the fingerprint of its finding, which knows no line, and says how much it stands for: how bad,
//! how many cells, and which doors are open to whom. A finding that has more of any of these is shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Severity;
use super::finding::{Finding, Status};
use super::fingerprint::fingerprint;
use crate::config::{Problem, read_as};
use crate::text::{FileId, Files, Span};
use crate::yaml;

/// The version of the form.
const VERSION: u32 = 1;

/// Findings that are known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Baseline {
    /// The version of the form
    version: u32,
    /// The findings, sorted
    #[serde(default)]
    findings: Vec<Entry>,
}

/// A finding that is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Entry {
    /// Its rule
    rule: String,
    /// What makes it the same
    fingerprint: String,
    /// Where it was, for whoever reads
    file: String,
    /// How bad it was
    severity: Severity,
    /// Whether it was broken or not proven
    status: Status,
    /// How many cells it stood for
    #[serde(default)]
    cells: usize,
    /// Which doors were open by it, and to whom
    #[serde(default)]
    doors: BTreeSet<String>,
}

/// What a baseline made of findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Findings that it holds
    pub findings: usize,
    /// Findings that grew beyond it and are shown
    pub grown: usize,
    /// Entries that match nothing any more
    pub stale: usize,
}

impl Entry {
    /// The entry of a finding.
    fn of(files: &Files, finding: &Finding) -> Self {
        Self {
            rule: finding.rule.to_string(),
            fingerprint: fingerprint(files, finding),
            file: files.name(finding.label.span.file).to_owned(),
            severity: finding.severity,
            status: finding.status,
            cells: finding.cells,
            doors: finding.doors.clone(),
        }
    }

    /// Whether it stands for all of what a finding says now.
    fn holds(&self, now: &Self) -> bool {
        let proven = self.status == Status::Broken || now.status == Status::NotProven;
        proven && now.severity <= self.severity && now.cells <= self.cells && now.doors.is_subset(&self.doors)
    }
}

impl Baseline {
    /// Reads a baseline. `Err`: everything that is wrong with it.
    pub fn read(file: FileId, text: &str) -> Result<Self, Vec<Problem>> {
        let stream = yaml::read(file, text);
        let mut problems: Vec<Problem> = stream.problems.iter().map(Problem::from).collect();
        let Some(document) = stream.documents.first() else {
            problems.push(Problem::new(Span { file, start: 0, end: 0 }, "this file holds no baseline"));
            return Err(problems);
        };
        let baseline = read_as::<Self>("the baseline", document.root(), &mut problems);
        if let Some(baseline) = baseline.as_ref().filter(|baseline| baseline.version != VERSION) {
            let message =
                format!("this baseline has version {}, and only version {VERSION} is known", baseline.version);
            let place = document.root().get("version").map_or(document.root().span(), yaml::Node::span);
            problems.push(Problem::new(place, message).help("write it anew by `--write-baseline`"));
        }
        baseline.filter(|_| problems.is_empty()).ok_or(problems)
    }

    /// The baseline of findings.
    pub fn of(files: &Files, findings: &[Finding]) -> Self {
        let mut findings: Vec<Entry> = findings.iter().map(|finding| Entry::of(files, finding)).collect();
        findings.sort();
        Self { version: VERSION, findings }
    }

    /// How many findings it holds.
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// As a file.
    pub fn to_yaml(&self) -> Result<String, serde_yaml::Error> {
        serde_yaml::to_string(self)
    }

    /// Takes out what the baseline holds.
    pub(super) fn apply(&self, files: &Files, findings: &mut Vec<Finding>) -> Held {
        let mut entries: BTreeMap<(String, String), Vec<&Entry>> = BTreeMap::new();
        for entry in &self.findings {
            entries.entry((entry.rule.clone(), entry.fingerprint.clone())).or_default().push(entry);
        }
        let mut held = Held::default();
        findings.retain(|finding| {
            let now = Entry::of(files, finding);
            let known = entries.entry((now.rule.clone(), now.fingerprint.clone())).or_default();
            let place = known.iter().position(|entry| entry.holds(&now));
            place.map(|place| known.swap_remove(place)).inspect(|_| held.findings += 1).is_none()
        });
        for finding in findings.iter() {
            // What grew matches an entry all the same: that one is not stale.
            let known = entries.get_mut(&(finding.rule.to_string(), fingerprint(files, finding)));
            held.grown += usize::from(known.and_then(Vec::pop).is_some());
        }
        held.stale = entries.values().map(Vec::len).sum();
        held
    }
}
