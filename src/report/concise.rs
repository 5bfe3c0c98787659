//! One line a finding, as compilers write them.

use super::shown::Shown;
use crate::rule::Report;
use crate::text::Files;

/// `file:line:column: severity[rule]: message`.
pub fn concise(files: &Files, report: &Report) -> String {
    let lines = report.findings.iter().map(|finding| {
        let shown = Shown::of(files, finding);
        let place = &shown.place;
        format!("{}:{}:{}: {}: {}\n", place.file, place.start.line, place.start.column, shown.code(), place.message)
    });
    lines.collect()
}
