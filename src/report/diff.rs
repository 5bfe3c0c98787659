//! What changes from one side to another, for people, programs and pull requests.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::json::{position, witness};
use super::quote::quote;
use super::request::{decision_word, place, request_line};
use crate::query::{ChangeKind, Diff, Fate, Group, Side};
use crate::semantics::ISTIO_RELEASE;
use crate::text::Files;

/// Entrypoints that are named; of more the number is said.
const MOST_NAMED: usize = 6;

/// What a group comes to, in words.
fn title(group: &Group) -> &'static str {
    match (group.kind, group.now.decision) {
        (ChangeKind::Allowed, _) => "newly allowed",
        (ChangeKind::Denied, _) => "newly denied",
        (ChangeKind::Undetermined, _) => "newly undetermined",
        (ChangeKind::Settled, crate::semantics::Decision::Allowed) => "settled: allowed",
        (ChangeKind::Settled, _) => "settled: denied",
    }
}

/// What happens on a side, with its place.
fn fate(files: &Files, fate: &Fate) -> String {
    let at = fate.span.map_or_else(String::new, |span| format!(" ({})", place(files, files.visible(span))));
    format!("{}: {}{at}", decision_word(fate.decision), fate.text)
}

/// Entrypoints as a list, not without end.
fn named(entrypoints: &[String]) -> String {
    let mut shown: Vec<String> = entrypoints.iter().take(MOST_NAMED).cloned().collect();
    if entrypoints.len() > MOST_NAMED {
        shown.push(format!("{} more", entrypoints.len() - MOST_NAMED));
    }
    shown.join(", ")
}

/// The changes for people.
pub fn diff_text(files: &Files, diff: &Diff) -> String {
    let mut text = String::new();
    for group in &diff.groups {
        let side = if group.culprit.side == Side::Old { "- " } else { "+ " };
        let _ = writeln!(text, "{}\n  {side}{}", title(group), group.culprit.text);
        if let Some(span) = group.culprit.span {
            text.push_str(&quote(files, span, "      "));
        }
        let seen = group.seen_path.as_ref().map_or_else(String::new, |path| format!("; the workload sees {path}"));
        let _ = writeln!(text, "    for example {}{seen}", request_line(&group.witness));
        let _ = writeln!(text, "      was {}", fate(files, &group.before));
        let _ = writeln!(text, "      is  {}", fate(files, &group.now));
        if group.entrypoints.len() > 1 {
            let _ = writeln!(text, "    at {} entrypoints: {}", group.entrypoints.len(), named(&group.entrypoints));
        }
        text.push('\n');
    }
    for unsettled in &diff.unsettled {
        let at = unsettled.span.map_or_else(String::new, |span| format!(" ({})", place(files, span)));
        let _ = writeln!(text, "cannot be told\n  {}: {}{at}\n", unsettled.entrypoint, unsettled.message);
    }
    for (sign, names) in [('+', &diff.appeared), ('-', &diff.disappeared)] {
        for name in names {
            let _ = writeln!(text, "{sign} {name}");
        }
    }
    text
}

/// How much changes, in a line.
pub fn diff_summary(diff: &Diff) -> String {
    if diff.is_empty() {
        return "no answer to any request changes\n".to_owned();
    }
    let kinds = [
        (ChangeKind::Allowed, "newly allowed"),
        (ChangeKind::Undetermined, "newly undetermined"),
        (ChangeKind::Settled, "settled"),
        (ChangeKind::Denied, "newly denied"),
    ];
    let counts = kinds.into_iter().filter_map(|(kind, word)| {
        let count = diff.groups.iter().filter(|group| group.kind == kind).count();
        (count > 0).then(|| format!("{count} {word}"))
    });
    let open = (!diff.unsettled.is_empty()).then(|| format!("{} that cannot be told", diff.unsettled.len()));
    format!("{}\n", counts.chain(open).collect::<Vec<_>>().join(", "))
}

/// The changes as one line of JSON.
pub fn diff_json(files: &Files, diff: &Diff) -> String {
    let fate = |fate: &Fate| {
        json!({
            "decision": fate.decision,
            "by": fate.by,
            "message": fate.text,
            "policy": fate.rule.as_ref().map(|rule| rule.policy.path()),
            "place": position(files, fate.span),
        })
    };
    let group = |group: &Group| {
        json!({
            "kind": group.kind,
            "cause": {
                "side": group.culprit.side,
                "message": group.culprit.text,
                "place": position(files, group.culprit.span),
            },
            "before": fate(&group.before),
            "now": fate(&group.now),
            "witness": witness(&group.witness),
            "seen_path": group.seen_path,
            "entrypoints": group.entrypoints,
        })
    };
    let unsettled = |unsettled: &crate::query::Unsettled| {
        json!({
            "entrypoint": unsettled.entrypoint,
            "message": unsettled.message,
            "place": position(files, unsettled.span),
        })
    };
    let document = json!({
        "version": 1,
        "istio": ISTIO_RELEASE,
        "new_access": diff.has_new_access(),
        "changes": diff.groups.iter().map(group).collect::<Vec<Value>>(),
        "unsettled": diff.unsettled.iter().map(unsettled).collect::<Vec<Value>>(),
        "appeared": diff.appeared,
        "disappeared": diff.disappeared,
    });
    format!("{document}\n")
}

/// A text as code of Markdown, whatever it holds.
fn code(text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let flat: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let edge = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    // A bar would end a cell of a table, even within code.
    format!("{fence}{edge}{}{edge}{fence}", flat.replace('|', "\\|"))
}

/// The changes for a pull request.
pub fn diff_markdown(files: &Files, diff: &Diff) -> String {
    let mut text = "### Who can reach what: what changes\n\n".to_owned();
    if diff.is_empty() {
        text.push_str("No answer to any request changes.\n");
    } else {
        text.push_str("| | cause | for example | was | is |\n| --- | --- | --- | --- | --- |\n");
    }
    for group in &diff.groups {
        let sign = if group.culprit.side == Side::Old { "gone" } else { "new" };
        let at = group
            .culprit
            .span
            .map_or_else(String::new, |span| format!("<br>{} ({sign})", code(&place(files, files.visible(span)))));
        let more = match group.entrypoints.len() {
            0 | 1 => String::new(),
            several => format!("<br>at {several} entrypoints"),
        };
        let said = |fate: &Fate| format!("{}: {}", decision_word(fate.decision), code(&fate.text));
        let _ = writeln!(
            text,
            "| **{}** | {}{at} | {}{more} | {} | {} |",
            title(group),
            code(&group.culprit.text),
            code(&request_line(&group.witness).replace('`', "")),
            said(&group.before),
            said(&group.now),
        );
    }
    if !diff.unsettled.is_empty() {
        text.push_str("\nOf these it cannot be told whether something changes:\n\n");
        for unsettled in &diff.unsettled {
            let _ = writeln!(text, "- {}: {}", code(&unsettled.entrypoint), code(&unsettled.message));
        }
    }
    for (title, names) in [("New", &diff.appeared), ("Gone", &diff.disappeared)] {
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| code(name)).collect();
            let _ = writeln!(text, "\n{title}: {}.", names.join(", "));
        }
    }
    text
}
