//! What a run read, proved and rested on: for standard error.

use textwrap::{Options, WordSeparator, WordSplitter};

use super::request::place;
use crate::rule::{Report, Severity};
use crate::text::{Files, Span};

/// The summary of a check, wrapped to a width where one is given.
pub fn summary(files: &Files, report: &Report, width: Option<usize>) -> String {
    let mut lines = vec![what_was_read(report)];
    lines.extend(what_was_judged(report));
    lines.extend(report.summary.proven.iter().map(|proven| format!("proven: {proven}")));
    let at = |span: Option<Span>| span.map_or_else(String::new, |span| format!(" ({})", place(files, span)));
    let assumptions = report.assumptions.iter();
    lines.extend(assumptions.map(|assumption| format!("assumed: {}{}", assumption.message, at(assumption.span))));
    lines.extend(report.notes.iter().map(|note| format!("note: {}{}", note.message, at(note.span))));
    lines.push(what_was_found(report));
    let wrapped = lines.into_iter().map(|line| match width {
        Some(width) => {
            let options = Options::new(width.max(20)).subsequent_indent("  ").break_words(false);
            let options = options.word_separator(WordSeparator::AsciiSpace);
            textwrap::fill(&line, options.word_splitter(WordSplitter::NoHyphenation)) + "\n"
        }
        None => line + "\n",
    });
    wrapped.collect()
}

/// A number of things: `1 file`, `3 files`.
fn count(number: usize, what: &str) -> String {
    match (number, what) {
        (1, _) => format!("1 {what}"),
        (_, "path class") => format!("{number} path classes"),
        _ => format!("{number} {what}s"),
    }
}

/// How much was read.
fn what_was_read(report: &Report) -> String {
    let summary = &report.summary;
    let understood = summary.read.resources.values().sum();
    let mut parts = vec![
        count(summary.read.files, "file"),
        count(summary.read.documents, "document"),
        format!("{} understood", count(understood, "object")),
    ];
    let other: usize = summary.read.other.values().sum();
    for (number, what) in
        [(other, "of other kinds"), (summary.read.repeated, "repeated"), (summary.read.skipped, "left out")]
    {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    }
    parts.join(", ")
}

/// What the rules were asked of.
fn what_was_judged(report: &Report) -> Vec<String> {
    let summary = &report.summary;
    if summary.workloads == 0 {
        return vec!["no workload was judged".to_owned()];
    }
    let implied = match summary.implied_workloads {
        0 => String::new(),
        implied if implied == summary.workloads => " (implied by what the input says of their namespaces)".to_owned(),
        implied => format!(" ({implied} of them implied)"),
    };
    let mut lines = vec![format!(
        "judged {}{implied} at {} for {} and {}",
        count(summary.workloads, "workload"),
        count(summary.entrypoints, "entrypoint"),
        count(summary.sources, "source"),
        count(summary.path_classes, "path class"),
    )];
    if summary.access_workloads > 0 {
        lines.push(format!(
            "{} held against the access table, {} without rows keep the built-in rules",
            count(summary.access_workloads, "workload"),
            summary.unlisted_workloads
        ));
    }
    match summary.tcp_ports {
        0 => {}
        1 => lines.push("1 port speaks TCP and has no path".to_owned()),
        ports => lines.push(format!("{ports} ports speak TCP and have no path")),
    }
    lines
}

/// How many findings there are.
fn what_was_found(report: &Report) -> String {
    let counted = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")];
    let counts = counted.into_iter().filter_map(|(severity, word)| {
        let number = report.count(severity);
        (number > 0).then(|| count(number, word))
    });
    let counts: Vec<String> = counts.collect();
    let found = if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") };
    match report.not_proven() {
        0 => found,
        open => format!("{found}, {open} of them not proven"),
    }
}
