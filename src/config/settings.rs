//! What the owner makes of findings: severities, overrides for some files, suppressions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::date::Date;
use crate::text::Spanned;

/// How bad a finding shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// An error
    Error,
    /// A warning
    Warning,
    /// Worth knowing
    Info,
    /// No finding at all
    Off,
}

/// Severities by the id of their rule.
pub type Severities = BTreeMap<Spanned<String>, Level>;

/// What holds for some files only. Of several that match a file the last counts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Override {
    /// Which files, as globs from the directory of the configuration
    pub files: Vec<Spanned<String>>,
    /// Rules that are not asked of them
    #[serde(default)]
    pub ignore: Vec<Spanned<String>>,
    /// How bad findings on them are, by the id of their rule
    #[serde(default)]
    pub severity: Severities,
}

/// Findings that are accepted: of one rule, on files that match, about one object.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Suppression {
    /// The rule
    pub rule: Spanned<String>,
    /// The files, as a glob from the directory of the configuration
    #[serde(default)]
    pub file: Option<Spanned<String>>,
    /// The object, `KIND NAMESPACE/NAME`; or the workload, `NAMESPACE/NAME`
    #[serde(default)]
    pub resource: Option<Spanned<String>>,
    /// Why
    pub reason: Spanned<String>,
    /// The last day on which it holds, compared with `--today`
    #[serde(default)]
    pub expires: Option<Spanned<Date>>,
}
