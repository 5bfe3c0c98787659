//! Which rules a run is about.

use super::file::RuleFile;
use super::finding::Finding;
use super::set::RuleSet;
use crate::config::Config;

/// Which rules a run is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selection<'a> {
    /// Only these, if any
    pub select: &'a [String],
    /// Not these
    pub ignore: &'a [String],
    /// Also those that are pedantic
    pub pedantic: bool,
}

impl Selection<'_> {
    /// Keeps the findings that the run is about.
    pub(super) fn apply(self, rules: &RuleSet, config: &Config, findings: &mut Vec<Finding>) {
        findings.retain(|finding| self.wants(&finding.rule, rules.find(&finding.rule).ok(), config));
    }

    /// Whether the run is about a rule. A pedantic one has to be asked for: by name, or by a severity of its own.
    fn wants(self, id: &str, rule: Option<&RuleFile>, config: &Config) -> bool {
        let listed = |list: &[String]| list.iter().any(|known| known == id);
        let overrides = config.overrides.iter().map(|one| &one.severity);
        let asked =
            || overrides.chain([&config.severity]).any(|severities| severities.keys().any(|known| known.value == id));
        let pedantic = rule.is_some_and(|rule| rule.pedantic);
        let selected = if self.select.is_empty() { !pedantic || self.pedantic || asked() } else { listed(self.select) };
        selected && !listed(self.ignore)
    }
}
