//! Rules in words.

use std::fmt::Write as _;

use crate::rule::{RuleFile, rules};

/// Everything that a rule file says.
pub fn explain(rule: &RuleFile) -> String {
    let mut text = format!("{}: {} ({})\n", rule.id, rule.title, rule.severity.word());
    let mut part = |heading: &str, body: &str| {
        let _ = write!(text, "\n{heading}\n");
        for line in body.trim_end().lines() {
            let _ = writeln!(text, "{}", format!("  {line}").trim_end());
        }
    };
    if let Some(statement) = &rule.statement {
        part("What must hold", statement);
    }
    part("Why", &rule.why);
    part("What to do", &rule.help);
    part("More", &rule.references.join("\n"));
    text
}

/// One line for each rule.
pub fn list_rules() -> String {
    let width = rules().iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let lines = rules().iter().map(|rule| format!("{:width$}  {:7}  {}\n", rule.id, rule.severity.word(), rule.title));
    lines.collect()
}
