//! What a check run found, counted and ready for any output.

use super::Severity;
use super::baseline::Held;
use super::file::RuleFile;
use super::finding::{Finding, Status};
use super::suppression::Suppressed;
use crate::model::Counts;
use crate::semantics::Assumption;
use crate::text::Span;

/// Everything that `check` says.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Sorted by file, place and rule
    pub findings: Vec<Finding>,
    /// What the answers rest on
    pub assumptions: Vec<Assumption>,
    /// Remarks that are no findings: what was left out, and why
    pub notes: Vec<Note>,
    /// Counts
    pub summary: Summary,
    /// Rules of the user, which outputs that describe rules have to know
    pub own_rules: Vec<RuleFile>,
}

/// A remark that is no finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// What is true, lower-case, without full stop
    pub message: String,
    /// Where, if at one place
    pub span: Option<Span>,
}

/// Counts of a check run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// What was read, and what was left out
    pub read: Counts,
    /// Workloads judged, implied ones included
    pub workloads: usize,
    /// Of these, how many the input only implies
    pub implied_workloads: usize,
    /// Workloads that the access table speaks of
    pub access_workloads: usize,
    /// Workloads that no row selects: they keep the built-in rules
    pub unlisted_workloads: usize,
    /// Sources told apart
    pub sources: usize,
    /// Entrypoints judged
    pub entrypoints: usize,
    /// Path classes told apart
    pub path_classes: usize,
    /// Ports that speak TCP and have no path
    pub tcp_ports: usize,
    /// One line for each statement that was proven, such as ``proven `api-outside-ingress` on 2 workloads``
    pub proven: Vec<String>,
    /// Worlds that the counts are the sum of, where the configuration has several
    pub worlds: Vec<String>,
    /// Findings that somebody accepted
    pub suppressed: Suppressed,
    /// What the baseline made of findings
    pub held: Held,
}

impl Report {
    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// How many findings are not proven.
    pub fn not_proven(&self) -> usize {
        self.findings.iter().filter(|finding| finding.status == Status::NotProven).count()
    }
}
