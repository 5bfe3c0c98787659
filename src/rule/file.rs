//! Rule files: the built-in set, embedded in the binary, with the texts that document it.

use std::sync::LazyLock;

use super::Severity;
use super::statement::Statement;
use super::written::WrittenRule;
use crate::config::nearest;
use crate::text::FileId;
use crate::yaml;

/// A rule: one file of `rules/`, or one document of a file of the user.
#[derive(Debug, Clone)]
pub struct RuleFile {
    /// Kebab-case; names the bad pattern
    pub id: String,
    /// How bad a finding is unless it says otherwise
    pub severity: Severity,
    /// One line
    pub title: String,
    /// Whether it is asked only where somebody asks for it
    pub pedantic: bool,
    /// What must hold of every request, for rules about the matrix
    pub statement: Option<String>,
    /// The check behind it, for rules about the text
    pub check: Option<String>,
    /// What must hold, for rules of the user
    pub cells: Option<Statement>,
    /// What a finding of a user's rule says
    pub message: Option<String>,
    /// What it says at the marked place
    pub label: Option<String>,
    /// What goes wrong otherwise
    pub why: String,
    /// What to write
    pub help: String,
    /// Manifests that break the rule
    pub before: Option<String>,
    /// The same, mended
    pub after: Option<String>,
    /// Further reading
    pub references: Vec<String>,
}

/// The texts of the built-in rules, by id.
const TEXTS: &[(&str, &str)] = &[
    ("access-beyond-table", include_str!("../../rules/access-beyond-table.yaml")),
    ("access-not-granted", include_str!("../../rules/access-not-granted.yaml")),
    ("access-row-matches-nothing", include_str!("../../rules/access-row-matches-nothing.yaml")),
    ("api-outside-ingress", include_str!("../../rules/api-outside-ingress.yaml")),
    ("duplicate-key", include_str!("../../rules/duplicate-key.yaml")),
    ("duplicate-resource", include_str!("../../rules/duplicate-resource.yaml")),
    ("ignored-tail", include_str!("../../rules/ignored-tail.yaml")),
    ("internal-outside-namespace", include_str!("../../rules/internal-outside-namespace.yaml")),
    ("missing-default-deny", include_str!("../../rules/missing-default-deny.yaml")),
    ("rejected-resource", include_str!("../../rules/rejected-resource.yaml")),
    ("removed-api-version", include_str!("../../rules/removed-api-version.yaml")),
    ("syntax-error", include_str!("../../rules/syntax-error.yaml")),
    ("unknown-field", include_str!("../../rules/unknown-field.yaml")),
    ("unrendered-template", include_str!("../../rules/unrendered-template.yaml")),
    ("unused-suppression", include_str!("../../rules/unused-suppression.yaml")),
];

/// The built-in rules, by id.
static RULES: LazyLock<Vec<RuleFile>> = LazyLock::new(|| TEXTS.iter().filter_map(|(_, text)| parse(text)).collect());

/// Reads one rule file.
fn parse(text: &str) -> Option<RuleFile> {
    let stream = yaml::read(FileId(u32::MAX), text);
    yaml::from_node::<WrittenRule>(stream.documents.first()?.root()).value.ok().map(RuleFile::from)
}

/// The built-in rules, sorted by id.
pub fn rules() -> &'static [RuleFile] {
    &RULES
}

/// The built-in rule of an id; `Err` with the nearest id.
pub fn rule(id: &str) -> Result<&'static RuleFile, &'static str> {
    let known = rules().iter().find(|rule| rule.id == id);
    known.ok_or_else(|| nearest(id, rules().iter().map(|rule| rule.id.as_str())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_file_reads_and_is_called_by_its_id() {
        assert_eq!(rules().len(), TEXTS.len());
        for (file, rule) in TEXTS.iter().zip(rules()) {
            assert_eq!(file.0, rule.id);
            assert!(rule.statement.is_some() != rule.check.is_some(), "{}: a statement or a check", rule.id);
            assert!(rule.title.starts_with(|first: char| first.is_lowercase() || first == 'A'), "{}", rule.title);
            assert!(!rule.title.ends_with('.') && !rule.references.is_empty(), "{}", rule.id);
        }
        assert!(rules().is_sorted_by_key(|rule| &rule.id));
    }

    #[test]
    fn an_unknown_id_gets_the_nearest_one() {
        assert_eq!(rule("missing-default-denny").err(), Some("missing-default-deny"));
    }
}
