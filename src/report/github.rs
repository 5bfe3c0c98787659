//! Workflow commands, which GitHub shows as annotations on the lines of a pull request.

use super::shown::Shown;
use super::uri::relative;
use super::words::line;
use crate::rule::{Report, Severity};
use crate::text::Files;

/// One command a finding. Files are named relative to a directory.
///
/// # Upstream
/// actions/toolkit: `packages/core/src/command.ts`, `escapeData` and `escapeProperty`.
pub fn github(files: &Files, report: &Report, directory: &str) -> String {
    let commands = report.findings.iter().map(|finding| {
        let shown = Shown::of(files, finding);
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let (start, end) = (shown.place.start, shown.place.end);
        let mut properties = vec![
            ("file", line(relative(files.name(finding.label.span.file), directory))),
            ("line", start.line.to_string()),
            // An annotation stands below its last line, and it is the first one that is meant.
            ("endLine", start.line.to_string()),
            ("col", start.column.to_string()),
        ];
        if start.line == end.line {
            properties.push(("endColumn", end.column.to_string()));
        }
        properties.push(("title", format!("meshlint: {}", shown.code())));
        let properties = properties.iter().map(|(name, value)| format!("{name}={}", property(value)));
        let mut said = shown.paragraphs();
        said.extend(shown.snippet);
        format!("::{command} {}::{}\n", properties.collect::<Vec<_>>().join(","), data(&said.join("\n")))
    });
    commands.collect()
}

/// A message as a command carries it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property as a command carries it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
