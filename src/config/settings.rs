//! What the owner makes of findings: severities, overrides for some files, suppressions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::date::Date;
use crate::text::Spanned;

/// How bad a finding shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// The words of [`Level`].
const LEVELS: [(&str, Level); 4] =
    [("error", Level::Error), ("warning", Level::Warning), ("info", Level::Info), ("off", Level::Off)];

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LevelVisitor)
    }
}

/// Reads a word. A plain `off` is the boolean `false` to Kubernetes, and so to this reader of YAML.
struct LevelVisitor;

impl Visitor<'_> for LevelVisitor {
    type Value = Level;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one of `error`, `warning`, `info`, `off`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Level, E> {
        let known = LEVELS.iter().find(|(word, _)| *word == text).map(|(_, level)| *level);
        known.ok_or_else(|| E::custom(format!("must be one of `error`, `warning`, `info`, `off`, not `{text}`")))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Level, E> {
        if truth { Err(E::invalid_type(Unexpected::Bool(truth), &self)) } else { Ok(Level::Off) }
    }
}

impl JsonSchema for Level {
    fn schema_name() -> Cow<'static, str> {
        "Level".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How bad a finding shall be; `off` is no finding at all",
            "enum": ["error", "warning", "info", "off", false],
        })
    }
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
