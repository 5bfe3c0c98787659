//! What a run read, proved and rested on: for standard error.

use std::fmt::Write as _;

use super::request::place;
use crate::rule::{Report, Severity};
use crate::text::Files;

/// The summary of a check.
pub fn summary(files: &Files, report: &Report) -> String {
    let mut text = String::new();
    let summary = &report.summary;
    let resources: usize = summary.resources.values().sum();
    let _ = write!(text, "{} files, {} documents, {resources} objects understood", summary.files, summary.documents);
    let other: usize = summary.other.values().sum();
    if other > 0 {
        let _ = write!(text, ", {other} of other kinds");
    }
    if summary.skipped > 0 {
        let _ = write!(text, ", {} skipped", summary.skipped);
    }
    text.push('\n');
    let implied = match summary.implied_workloads {
        0 => String::new(),
        implied => format!(" ({implied} of them implied)"),
    };
    let _ = writeln!(
        text,
        "judged {} workloads{implied} at {} entrypoints for {} sources",
        summary.workloads, summary.entrypoints, summary.sources
    );
    if summary.tcp_ports > 0 {
        let _ = writeln!(text, "{} ports speak TCP and have no path", summary.tcp_ports);
    }
    for proven in &summary.proven {
        let _ = writeln!(text, "proven: {proven}");
    }
    for assumption in &report.assumptions {
        let at = assumption.span.map_or(String::new(), |span| format!(" ({})", place(files, span)));
        let _ = writeln!(text, "assumed: {}{at}", assumption.message);
    }
    for note in &report.notes {
        let at = note.span.map_or(String::new(), |span| format!(" ({})", place(files, span)));
        let _ = writeln!(text, "note: {}{at}", note.message);
    }
    let counted = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")];
    let counts = counted.into_iter().filter_map(|(severity, word)| {
        let count = report.count(severity);
        (count > 0).then(|| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
    });
    let counts: Vec<String> = counts.collect();
    let found = if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") };
    match report.not_proven() {
        0 => {
            let _ = writeln!(text, "{found}");
        }
        open => {
            let _ = writeln!(text, "{found}, {open} of them not proven");
        }
    }
    text
}
