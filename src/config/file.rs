//! The configuration file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::access::{AccessDefault, AccessRow};
use super::judge::judge;
use super::mesh_config::MeshConfig;
use super::problem::{Problem, read_as};
use super::settings::{Override, Severities, Suppression};
use crate::text::{FileId, Spanned};
use crate::yaml;

/// Whether namespaces hold only the workloads of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WorldSetting {
    /// A namespace is closed as soon as it holds a workload
    #[default]
    Auto,
    /// Every namespace is closed
    Closed,
    /// Every namespace is open
    Open,
}

/// Where the two path rules are asked in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ask {
    /// Where a route or a policy names such a path
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// The paths that the two path rules are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convention {
    /// What only the ingress may reach
    pub api: String,
    /// What only the own namespace may reach
    pub internal: String,
    /// Where the rules are asked in full
    pub ask: Ask,
}

impl Default for Convention {
    fn default() -> Self {
        Self { api: "/api".to_owned(), internal: "/internal".to_owned(), ask: Ask::Auto }
    }
}

/// `convention` as written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub struct WrittenConvention {
    /// What only the ingress may reach; `/api` if absent
    pub api: Option<Spanned<String>>,
    /// What only the own namespace may reach; `/internal` if absent
    pub internal: Option<Spanned<String>>,
    /// Where the two path rules are asked in full
    pub ask: Ask,
}

impl From<&WrittenConvention> for Convention {
    fn from(written: &WrittenConvention) -> Self {
        let path = |path: &Option<Spanned<String>>| path.as_ref().map(|path| path.value.clone());
        let usual = Self::default();
        Self {
            api: path(&written.api).unwrap_or(usual.api),
            internal: path(&written.internal).unwrap_or(usual.internal),
            ask: written.ask,
        }
    }
}

/// How bad a finding is that is not proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NotProven {
    /// As bad as the rule says
    Error,
    /// A warning
    Warning,
}

/// An object that the owner vouches for.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Trusted {
    /// `KIND NS/NAME`
    pub resource: Option<Spanned<String>>,
    /// Why
    pub reason: Option<Spanned<String>>,
}

/// The configuration.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub struct Config {
    /// Whether namespaces hold only the workloads of the input
    pub world: WorldSetting,
    /// Identities `NS/SA` of gateway workloads, by `NS/NAME` of the Gateway
    pub gateways: BTreeMap<String, Vec<Spanned<String>>>,
    /// Identities `NS/SA` of the ingress
    pub ingress: Vec<Spanned<String>>,
    /// The paths of the two path rules
    pub convention: WrittenConvention,
    /// Whether a workload counts as having a sidecar where nothing says so; true if absent
    pub assume_injected: Option<bool>,
    /// Objects that the owner vouches for
    pub trusted: Vec<Spanned<Trusted>>,
    /// Severity of findings that are not proven
    pub not_proven: Option<NotProven>,
    /// Mesh settings, where no manifest has any
    pub mesh: Option<MeshConfig>,
    /// Manifests that are in force but belong to someone else, from the directory of this file
    pub context: Vec<Spanned<String>>,
    /// Namespace of objects that name none
    pub namespace: Option<String>,
    /// Only files that match, as globs from the directory of this file
    pub include: Vec<Spanned<String>>,
    /// No files that match, as globs from the directory of this file
    pub exclude: Vec<Spanned<String>>,
    /// Sets of paths that are deployed apart, by name, from the directory of this file
    pub worlds: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    /// Rule files, as paths or globs from the directory of this file
    pub rules: Vec<Spanned<String>>,
    /// Paths that are nobody's business outside, instead of the list that `sensitive-path-exposed` has of its own
    pub sensitive_paths: Option<Vec<Spanned<String>>>,
    /// How bad findings are, by the id of their rule
    pub severity: Severities,
    /// Other severities for some files
    pub overrides: Vec<Override>,
    /// Findings that are accepted
    pub suppressions: Vec<Spanned<Suppression>>,
    /// The access table: the paths that workloads serve, and who may reach them
    pub access: Vec<Spanned<AccessRow>>,
    /// What holds for workloads that no row of the table selects
    pub access_default: Option<Spanned<AccessDefault>>,
}

/// Reads a configuration file. `Err`: everything that is wrong with it.
pub fn read(file: FileId, text: &str) -> Result<Config, Vec<Problem>> {
    let stream = yaml::read(file, text);
    let mut problems: Vec<Problem> = stream.problems.iter().map(Problem::from).collect();
    let Some(document) = stream.documents.first() else {
        return if problems.is_empty() { Ok(Config::default()) } else { Err(problems) };
    };
    let config = read_as::<Config>("the configuration", document.root(), &mut problems);
    problems.extend(config.as_ref().map(judge).unwrap_or_default());
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        Some(_) | None => Err(problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Allow, Jwt, Named};

    /// What is wrong with a text, as its first line reads.
    fn wrong(text: &str) -> Vec<(String, String)> {
        let problems = read(FileId(0), text).expect_err("wrong");
        let place = |problem: &Problem| {
            let span = problem.span.start as usize..problem.span.end as usize;
            (text.get(span).expect("within").to_owned(), problem.message.clone())
        };
        problems.iter().map(place).collect()
    }

    #[test]
    fn an_access_row_says_who_may_reach_what() {
        let text = "access:\n- workloads: {namespace: shop, labels: {app: cart}}\n  paths: [\"/api/**\"]\n  methods: [GET]\n  \
                    ports: [8080]\n  allow: [ingress, {namespace: web}, {service-account: a/b}, {ingress: shop/gw}]\n  jwt: required\n\
                    access-default: closed\n";
        let config = read(FileId(0), text).expect("a configuration");
        let row = &config.access.first().expect("a row").value;
        let named = |namespace: &str, name: &str| Named { namespace: namespace.to_owned(), name: name.to_owned() };
        let allow: Vec<Allow> = row.allow.iter().map(|allow| allow.value.clone()).collect();
        assert_eq!(
            allow,
            [
                Allow::Ingress,
                Allow::Namespace("web".to_owned()),
                Allow::ServiceAccount(named("a", "b")),
                Allow::IngressOf(named("shop", "gw")),
            ]
        );
        assert_eq!(row.jwt, Some(Jwt::Required));
        assert!(row.speaks_of(8080, false) && !row.speaks_of(8080, true) && !row.speaks_of(8081, false));
        assert_eq!(config.access_default.map(|default| default.value), Some(AccessDefault::Closed));
    }

    #[test]
    fn a_wrong_row_is_told_with_its_place_and_the_nearest_word() {
        let row = |rest: &str| format!("access: [{{workloads: {{namespace: shop}}, {rest}}}]");
        let cases = [
            ("allow: [same-namspace]", "same-namspace", "the nearest word is `same-namespace`"),
            ("allow: [{namespaces: a}]", "namespaces: a", "the nearest is `namespace`"),
            ("allow: [{service-account: sa}]", "service-account: sa", "no `NAMESPACE/NAME`"),
            ("allow: [], paths: [api]", "api", "paths begin with `/`"),
            ("allow: [], paths: [/a**]", "/a**", "`**` is a whole segment"),
            ("allow: [], paths: [/a?b]", "/a?b", "neither query nor fragment"),
            ("allow: [], methods: [get]", "get", "methods are upper-case"),
            ("allow: [], ports: [70000]", "70000", "access[0].ports[0]"),
            ("alow: []", "alow", "no key `alow`"),
        ];
        for (rest, place, words) in cases {
            let found = wrong(&row(rest));
            let told = found.iter().any(|(text, message)| text.contains(place) && message.contains(words));
            assert!(told, "{rest}: {found:?}");
        }
    }
}
