//! The matrix as a table.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};

use super::request::ending;
use crate::matrix::Row;

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
