//! Markdown for a comment on a pull request.

use std::fmt::Write as _;

use super::shown::{Shown, counted};
use crate::rule::Report;
use crate::text::Files;

/// Bytes of a comment; GitHub takes 65,536 characters.
const LONG_COMMENT: usize = 60_000;

/// A table of all findings, and each with its request and what to write.
pub fn markdown(files: &Files, report: &Report) -> String {
    let mut text = format!("## meshlint: {}\n\n", counted(&report.findings));
    for proven in &report.summary.proven {
        let _ = writeln!(text, "- proven: {}", inline(proven));
    }
    if report.findings.is_empty() {
        return text;
    }
    if !report.summary.proven.is_empty() {
        text.push('\n');
    }
    text.push_str("| finding | where | what |\n| --- | --- | --- |\n");
    let mut details = String::from("\n");
    let mut left = report.findings.len();
    for finding in &report.findings {
        let shown = Shown::of(files, finding);
        let (row, detail) = (row(&shown), detail(&shown));
        if text.len() + details.len() + row.len() + detail.len() > LONG_COMMENT {
            break;
        }
        text.push_str(&row);
        details.push_str(&detail);
        left -= 1;
    }
    text.push_str(&details);
    if left > 0 {
        let _ = writeln!(text, "\n{left} more are not shown here.");
    }
    text
}

/// A row of the table.
fn row(shown: &Shown<'_>) -> String {
    let place = format!("{}:{}", shown.place.file, shown.place.start.line);
    let cells = [code(&shown.code()), code(&place), inline(&shown.place.message)];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// What folds out.
fn detail(shown: &Shown<'_>) -> String {
    let place = format!("{}:{}", shown.place.file, shown.place.start.line);
    let mut parts = Vec::new();
    if let Some(request) = &shown.request {
        parts.push(format!("{}: {}", shown.gets_through(), inline(request)));
    }
    if let Some(curl) = &shown.curl {
        parts.push(fenced("sh", curl));
    }
    if let Some(cells) = shown.cells() {
        parts.push(format!("stands for {cells}"));
    }
    if let Some(help) = &shown.help {
        parts.push(format!("help: {}", inline(help)));
    }
    if let Some(snippet) = &shown.snippet {
        parts.push(fenced("yaml", snippet));
    }
    if parts.is_empty() {
        return String::new();
    }
    let summary = format!("{} at {}", html(&shown.code()), html(&place));
    format!("<details><summary>{summary}</summary>\n\n{}\n\n</details>\n", parts.join("\n\n"))
}

/// A text on one line: what stands in backticks is code, and the rest means nothing to Markdown.
pub(super) fn inline(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(text);
    }
    let parts = parts.iter().enumerate().map(|(index, part)| if index % 2 == 1 { code(part) } else { plain(part) });
    parts.collect()
}

/// A text as code, whatever is in it.
pub(super) fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let space = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Lines as a block of code.
pub(super) fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end())
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

/// A text that means nothing to Markdown and mentions nobody.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '@' => shown.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' => shown.extend(['\\', character]),
            other => shown.push(other),
        }
    }
    shown
}

/// A text within a tag.
fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_manifest_is_markdown() {
        assert_eq!(inline("`a|b` is *not* <b> @you"), r"`a|b` is \*not\* &lt;b&gt; &#64;you");
        assert_eq!(inline("one ` alone <i>"), r"one \` alone &lt;i&gt;");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(fenced("yaml", "a: |\n  ```\n"), "````yaml\na: |\n  ```\n````");
    }
}
