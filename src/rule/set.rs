//! All rules of a run: the built-in ones and those of the user.

use super::file::{RuleFile, rules};
use super::written;
use crate::config::{Config, Problem, nearest};
use crate::text::{FileId, Span, Spanned};

/// All rules of a run.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    /// Those of the user, by id
    own: Vec<RuleFile>,
}

impl RuleSet {
    /// The built-in rules and those of rule files. `Err`: everything that is wrong with the files.
    pub fn read<'t>(files: impl IntoIterator<Item = (FileId, &'t str)>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut found: Vec<(Spanned<String>, RuleFile)> = Vec::new();
        for (file, text) in files {
            for (id, rule) in written::read(file, text, &mut problems) {
                if rules().iter().any(|known| known.id == rule.id) {
                    problems.push(Problem::new(id.span, format!("`{}` is a built-in rule", rule.id)));
                } else if found.iter().any(|(_, known)| known.id == rule.id) {
                    problems.push(Problem::new(id.span, format!("`{}` is another rule already", rule.id)));
                }
                found.push((id, rule));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut own: Vec<RuleFile> = found.into_iter().map(|(_, rule)| rule).collect();
        own.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Self { own })
    }

    /// Those of the user, by id.
    pub fn own(&self) -> &[RuleFile] {
        &self.own
    }

    /// All of them, by id.
    pub fn all(&self) -> Vec<&RuleFile> {
        let mut all: Vec<&RuleFile> = rules().iter().chain(&self.own).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// The rule of an id; `Err` with the nearest id.
    pub fn find(&self, id: &str) -> Result<&RuleFile, &str> {
        let all = || rules().iter().chain(&self.own);
        let known = all().find(|rule| rule.id == id);
        known.ok_or_else(|| nearest(id, all().map(|rule| rule.id.as_str())).unwrap_or_default())
    }

    /// What a configuration says of rules that there are not.
    pub fn judge(&self, config: &Config) -> Vec<Problem> {
        let severities = config.severity.keys();
        let overrides = config.overrides.iter().flat_map(|one| one.severity.keys().chain(&one.ignore));
        let suppressions = config.suppressions.iter().map(|one| &one.value.rule);
        let named = severities.chain(overrides).chain(suppressions);
        named.filter_map(|id| self.unknown(&id.value, id.span)).collect()
    }

    /// What to say of an id that no rule has.
    pub(super) fn unknown(&self, id: &str, at: Span) -> Option<Problem> {
        let meant = self.find(id).err()?;
        Some(Problem::new(at, format!("no rule is called `{id}`")).help(format!("the nearest is `{meant}`")))
    }
}
