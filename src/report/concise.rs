//! One line a finding, as compilers write them.

use super::request::place;
use crate::rule::{Report, Status};
use crate::text::Files;

/// `file:line:column: severity[rule]: message`.
pub fn concise(files: &Files, report: &Report) -> String {
    let lines = report.findings.iter().map(|finding| {
        let status = if finding.status == Status::NotProven { " (not proven)" } else { "" };
        format!(
            "{}: {}[{}]{status}: {}\n",
            place(files, finding.label.span),
            finding.severity.word(),
            finding.rule,
            finding.message
        )
    });
    lines.collect()
}
