//! Lines of manifests under what is said of them.

use std::fmt::Write as _;

use super::request::place;
use crate::text::{Files, Span};

/// Lines of a span that are quoted.
const MOST_LINES: usize = 3;
/// Characters of a line that are quoted.
const MOST_CHARACTERS: usize = 100;

/// The place of a span, and its first lines with their numbers, each line behind an indent.
pub(super) fn quote(files: &Files, span: Span, indent: &str) -> String {
    let span = files.visible(span);
    let mut text = format!("{indent}{}\n", place(files, span));
    let first = files.position(span.file, span.start).line;
    let lines: Vec<(u32, String)> = (first..).zip(lines(files, span)).collect();
    let shown = lines.iter().take(MOST_LINES);
    let margin = shown.clone().filter_map(|(_, line)| line.find(|c: char| c != ' ')).min().unwrap_or(0);
    let width = lines.last().map_or(1, |(number, _)| number.to_string().len());
    for (number, line) in shown {
        let _ = writeln!(text, "{indent}{number:>width$} │ {}", line.get(margin..).unwrap_or_default());
    }
    if lines.len() > MOST_LINES {
        let _ = writeln!(text, "{indent}{:>width$} │ …", "");
    }
    text
}

/// The lines of a span from the start of its first, without what a terminal obeys.
fn lines(files: &Files, span: Span) -> Vec<String> {
    let text = files.text(span.file);
    let (start, end) = (span.start as usize, span.end as usize);
    let begin = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let rest = text.get(end..).unwrap_or_default();
    let stop = rest.find('\n').map_or(text.len(), |newline| end + newline);
    // A span that ends behind a line feed is done with that line.
    let stop = if files.slice(span).ends_with('\n') { end.saturating_sub(1) } else { stop };
    let harmless = |character: char| if character.is_control() { ' ' } else { character };
    let line = |line: &str| {
        let mut shown: String = line.trim_end().chars().take(MOST_CHARACTERS).map(harmless).collect();
        if line.trim_end().chars().count() > MOST_CHARACTERS {
            shown.push('…');
        }
        shown
    };
    text.get(begin..stop).unwrap_or_default().lines().map(line).collect()
}
