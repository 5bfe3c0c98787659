//! The matrix: a table for people, rows for programs, a graph for pages.

use std::fmt::Write as _;

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::request::{decision_word, ending};
use crate::matrix::Row;
use crate::semantics::{Decision, ISTIO_RELEASE};

/// The rows of a matrix, a table for each entrypoint, at most this wide.
pub fn matrix_table(rows: &[Row], width: u16) -> String {
    let mut text = String::new();
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let end = rest.iter().position(|row| row.entrypoint != first.entrypoint).unwrap_or(rest.len());
        let (here, after) = rest.split_at(end);
        rest = after;
        let conditional = here.iter().any(|row| !row.conditions.is_empty());
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        let mut header = vec!["  path", "source", "decision", "by"];
        if conditional {
            header.insert(2, "conditions");
        }
        table.set_header(header);
        for row in here {
            let mut cells =
                vec![format!("  {}", row.path), row.source.clone(), ending(row.decision, row.by), row.detail.clone()];
            if conditional {
                cells.insert(2, row.conditions.clone());
            }
            table.add_row(cells);
        }
        let lines = table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        let _ = write!(text, "{}\n{}\n\n", first.entrypoint, lines.join("\n"));
    }
    text
}

/// The rows of a matrix as one line of JSON.
pub fn matrix_json(rows: &[Row]) -> String {
    let row = |row: &Row| {
        json!({
            "entrypoint": row.entrypoint,
            "sources": row.source.lines().collect::<Vec<_>>(),
            "path": row.path,
            "conditions": row.conditions,
            "decision": row.decision,
            "by": row.by,
            "detail": row.detail,
        })
    };
    let rows: Vec<Value> = rows.iter().map(row).collect();
    format!("{}\n", json!({"version": 1, "istio": ISTIO_RELEASE, "rows": rows}))
}

/// The rows of a matrix as CSV; sources are separated by line feeds within their field.
pub fn matrix_csv(rows: &[Row]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record(["entrypoint", "source", "path", "conditions", "decision", "by", "detail"]);
    for row in rows {
        let by = row.by.and_then(|by| serde_json::to_value(by).ok());
        let by = by.as_ref().and_then(Value::as_str).unwrap_or_default();
        let decision = decision_word(row.decision);
        let fields = [&row.entrypoint, &row.source, &row.path, &row.conditions, decision, by, &row.detail];
        let _ = writer.write_record(fields);
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// Who gets in where, as a graph of Mermaid: what is undetermined is dotted, what is denied has no edge.
pub fn matrix_mermaid(rows: &[Row]) -> String {
    let mut edges: BTreeMap<(&str, &str, Decision), BTreeSet<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.decision != Decision::Denied) {
        for source in row.source.lines() {
            edges.entry((source, &row.entrypoint, row.decision)).or_default().insert(&row.path);
        }
    }
    let mut names: Vec<&str> = Vec::new();
    let mut text = "graph LR\n".to_owned();
    for (source, entrypoint, _) in edges.keys() {
        for name in [source, entrypoint] {
            if !names.contains(name) {
                let _ = writeln!(text, "  n{}[\"{}\"]", names.len(), escaped(name));
                names.push(name);
            }
        }
    }
    let number = |name: &str| names.iter().position(|known| *known == name).unwrap_or_default();
    for ((source, entrypoint, decision), paths) in &edges {
        let arrow = if *decision == Decision::Allowed { "-->" } else { "-.->" };
        let paths: Vec<String> = paths.iter().map(|path| escaped(path)).collect();
        let (from, to) = (number(source), number(entrypoint));
        let _ = writeln!(text, "  n{from} {arrow}|\"{}\"| n{to}", paths.join("<br>"));
    }
    text
}

/// A text within quotes of Mermaid, where entities stand for what would end it.
fn escaped(text: &str) -> String {
    let entity = |character: char| match character {
        '"' | '<' | '>' | '&' | '#' | '`' | '|' | ';' => format!("#{};", u32::from(character)),
        other if other.is_control() => " ".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(entity).collect()
}
