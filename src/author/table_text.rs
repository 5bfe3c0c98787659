//! An access table as text, in the form in which people review it.

use std::collections::BTreeSet;

use super::row::Row;
use crate::config::Allow;
use crate::model::Labels;

/// The rows of one namespace.
#[derive(Debug, Clone)]
pub(super) struct Section {
    /// The namespace
    pub(super) namespace: String,
    /// What is odd there
    pub(super) odd: BTreeSet<String>,
    /// Its blocks
    pub(super) blocks: Vec<Block>,
}

/// The rows of workloads that are said alike.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// The labels that select them
    pub(super) labels: Labels,
    /// The rows
    pub(super) rows: Vec<Row>,
    /// Why they are comments, if they are
    pub(super) reason: Option<String>,
    /// What is odd about the workloads
    pub(super) odd: BTreeSet<String>,
    /// Names of the workloads
    pub(super) members: Vec<String>,
}

/// How many workloads a comment names.
const NAMED: usize = 4;

/// The text of a table.
pub(super) fn text(sections: &[Section]) -> String {
    let mut lines = vec![
        "# Who reaches what today, derived from the manifests: narrow it to what is meant.".to_owned(),
        "# Rows add up; a workload with rows is closed for every path that none of them names.".to_owned(),
    ];
    let in_force = sections.iter().flat_map(|section| &section.blocks).any(|block| block.reason.is_none());
    lines.push(if in_force { "access:" } else { "access: []" }.to_owned());
    for section in sections {
        lines.push(String::new());
        lines.push(format!("  # namespace {}", one_line(&section.namespace)));
        lines.extend(section.odd.iter().map(|odd| format!("  # {}", one_line(odd))));
        if section.blocks.is_empty() {
            lines.push("  # nothing gets in".to_owned());
        }
        for block in &section.blocks {
            lines.extend(block_lines(&section.namespace, block));
        }
    }
    lines.join("\n") + "\n"
}

/// The lines of a block.
fn block_lines(namespace: &str, block: &Block) -> Vec<String> {
    let mut names = block.members.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if block.members.len() > NAMED {
        names = format!("{names} and {} more", block.members.len() - NAMED);
    }
    let mut lines = vec![format!("  # {}", one_line(&names))];
    lines.extend(block.odd.iter().map(|odd| format!("  #   {}", one_line(odd))));
    lines.extend(block.reason.iter().map(|reason| format!("  #   no row yet: {}", one_line(reason))));
    let margin = if block.reason.is_some() { "  # " } else { "  " };
    for row in &block.rows {
        lines.extend(row_lines(namespace, &block.labels, row).into_iter().map(|line| format!("{margin}{line}")));
    }
    lines
}

/// The lines of a row.
fn row_lines(namespace: &str, labels: &Labels, row: &Row) -> Vec<String> {
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{}: {}", scalar(key), scalar(value))).collect();
    let labels = if pairs.is_empty() { String::new() } else { format!(", labels: {{ {} }}", pairs.join(", ")) };
    let mut lines = vec![format!("- workloads: {{ namespace: {}{labels} }}", scalar(namespace))];
    let list = |values: Vec<String>| values.join(", ");
    if let Some(paths) = &row.paths {
        lines.push(format!("  paths: [{}]", list(paths.iter().map(|path| quoted(path.as_str())).collect())));
    }
    if let Some(methods) = &row.methods {
        lines.push(format!("  methods: [{}]", list(methods.iter().map(|method| scalar(method)).collect())));
    }
    if let Some(ports) = &row.ports {
        lines.push(format!("  ports: [{}]", list(ports.iter().map(u16::to_string).collect())));
    }
    lines.push(format!("  allow: [{}]", list(row.allow.iter().map(entry).collect())));
    if row.jwt {
        lines.push("  jwt: required".to_owned());
    }
    lines
}

/// An entry of `allow`.
fn entry(allow: &Allow) -> String {
    match allow {
        Allow::Ingress | Allow::Outside | Allow::SameNamespace | Allow::Mesh | Allow::Anyone => allow.to_string(),
        Allow::IngressOf(gateway) => format!("{{ ingress: {} }}", scalar(&gateway.to_string())),
        Allow::Namespace(namespace) => format!("{{ namespace: {} }}", scalar(namespace)),
        Allow::ServiceAccount(account) => format!("{{ service-account: {} }}", scalar(&account.to_string())),
    }
}

/// A text as a scalar within brackets: plain where that says the same, else quoted.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | '_');
    let block = serde_yaml::to_string(text).unwrap_or_default();
    let block = block.trim_end();
    if block == text && !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quoted(text) }
}

/// A text in double quotes, as JSON and YAML have them alike.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

/// A text that stays on its line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
