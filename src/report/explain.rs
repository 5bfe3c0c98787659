//! Rules in words.

use std::fmt::Write as _;

use crate::rule::{RuleFile, RuleSet};

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
    for (heading, words) in [("Why", &rule.why), ("What to do", &rule.help)] {
        if !words.is_empty() {
            part(heading, words);
        }
    }
    for (heading, manifests) in [("Before", &rule.before), ("After", &rule.after)] {
        if let Some(manifests) = manifests {
            part(heading, manifests);
        }
    }
    if !rule.references.is_empty() {
        part("More", &rule.references.join("\n"));
    }
    text
}

/// One line for each rule.
pub fn list_rules(rules: &RuleSet) -> String {
    let all = rules.all();
    let width = all.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let line = |rule: &&RuleFile| {
        let pedantic = if rule.pedantic { " (pedantic)" } else { "" };
        format!("{:width$}  {:7}  {}{pedantic}\n", rule.id, rule.severity.word(), rule.title)
    };
    all.iter().map(line).collect()
}
