//! The matrix as a table.

use comfy_table::{ContentArrangement, Table, presets};

use super::request::ending;
use crate::matrix::Row;

/// The rows of a matrix, at most this wide.
pub fn matrix_table(rows: &[Row], width: u16) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(["entrypoint", "source", "path", "conditions", "decision", "by"]);
    for row in rows {
        table.add_row([
            row.entrypoint.clone(),
            row.source.clone(),
            row.path.clone(),
            row.conditions.clone(),
            ending(row.decision, row.by),
            row.detail.clone(),
        ]);
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    let mut text = lines.collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}
