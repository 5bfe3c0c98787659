//! Rules in words.

use std::fmt::Write as _;

use super::markdown::{fenced, inline};
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
    if let Some(fix) = &rule.fix {
        part("By `check --fix`", fix);
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

/// Everything that a rule file says, as Markdown: of what to do, the words up to the first empty line, and what follows as
/// it is.
pub(super) fn help_markdown(rule: &RuleFile) -> String {
    let help = rule.help.trim_end();
    let is_code = help.starts_with('#');
    let (words, code) = if is_code { ("", help) } else { help.split_once("\n\n").unwrap_or((help, "")) };
    let mut parts = vec![inline(&rule.title)];
    parts.extend(rule.why.trim_end().split("\n\n").chain([words]).filter(|words| !words.is_empty()).map(inline));
    let manifests = [("", Some(code)), ("before:\n\n", rule.before.as_deref()), ("after:\n\n", rule.after.as_deref())];
    let manifests =
        manifests.into_iter().filter_map(|(heading, code)| Some((heading, code.filter(|code| !code.is_empty())?)));
    parts.extend(manifests.map(|(heading, code)| format!("{heading}{}", fenced("yaml", code))));
    let references: Vec<String> = rule.references.iter().map(|reference| format!("- <{reference}>")).collect();
    parts.extend((!references.is_empty()).then(|| references.join("\n")));
    parts.join("\n\n")
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
