//! What a run read, proved and rested on: for standard error.

use textwrap::{Options, WordSeparator, WordSplitter};

use super::request::place;
use super::words;
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
    lines.extend(what_the_baseline_says(report));
    lines.push(what_was_found(report));
    let wrapped = lines.into_iter().map(|said| words::line(&said)).map(|line| match width {
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
    let read = parts.join(", ");
    match summary.worlds.as_slice() {
        [] => read,
        worlds => format!("{read}, in the worlds {} together", worlds.join(", ")),
    }
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

/// What of the baseline is no longer so.
fn what_the_baseline_says(report: &Report) -> Vec<String> {
    let held = report.summary.held;
    let mut lines = Vec::new();
    match held.grown {
        0 => {}
        1 => lines.push("1 finding grew beyond the baseline".to_owned()),
        grown => lines.push(format!("{grown} findings grew beyond the baseline")),
    }
    match held.stale {
        0 => {}
        1 => lines.push("1 entry of the baseline matches nothing any more: write it anew".to_owned()),
        stale => lines.push(format!("{stale} entries of the baseline match nothing any more: write it anew")),
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
    let mut found = if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") };
    match report.not_proven() {
        0 => {}
        open => found = format!("{found}, {open} of them not proven"),
    }
    let suppressed = report.summary.suppressed;
    match (suppressed.findings, suppressed.without_reason) {
        (0, _) => {}
        (all, 0) => found = format!("{found}, {all} suppressed"),
        (all, without) => found = format!("{found}, {all} suppressed ({without} without a reason)"),
    }
    match report.summary.held.findings {
        0 => {}
        held => found = format!("{found}, {held} in the baseline"),
    }
    match report.findings.iter().filter(|finding| finding.fix.is_some()).count() {
        0 => found,
        mendable => format!("{found}; {mendable} to mend by `--fix`"),
    }
}
