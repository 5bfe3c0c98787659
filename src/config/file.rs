//! The configuration file.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::access::{self, AccessDefault, AccessRow};
use super::mesh_config::MeshConfig;
use crate::text::{FileId, Span, Spanned};
use crate::yaml;

/// Whether namespaces hold only the workloads of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
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

/// How bad a finding is that is not proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NotProven {
    /// As bad as the rule says
    Error,
    /// A warning
    Warning,
}

/// An object that the owner vouches for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Trusted {
    /// `KIND NS/NAME`
    pub resource: Option<Spanned<String>>,
    /// Why
    pub reason: Option<Spanned<String>>,
}

/// The configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Config {
    /// Whether namespaces hold only the workloads of the input
    pub world: WorldSetting,
    /// Identities `NS/SA` of gateway workloads, by `NS/NAME` of the Gateway
    pub gateways: BTreeMap<String, Vec<Spanned<String>>>,
    /// Identities `NS/SA` of the ingress
    pub ingress: Vec<Spanned<String>>,
    /// The paths of the two path rules
    pub convention: Convention,
    /// Whether a workload counts as having a sidecar where nothing says so; true if absent
    pub assume_injected: Option<bool>,
    /// Objects that the owner vouches for
    pub trusted: Vec<Spanned<Trusted>>,
    /// Severity of findings that are not proven
    pub not_proven: Option<NotProven>,
    /// Mesh settings, where no manifest has any
    pub mesh: Option<MeshConfig>,
    /// Manifests that are in force but belong to someone else
    pub context: Vec<String>,
    /// Namespace of objects that name none
    pub namespace: Option<String>,
    /// The access table: the paths that workloads serve, and who may reach them
    pub access: Vec<Spanned<AccessRow>>,
    /// What holds for workloads that no row of the table selects
    pub access_default: Option<Spanned<AccessDefault>>,
}

/// Something wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where
    pub span: Span,
    /// What is true, lower-case, without full stop
    pub message: String,
    /// What was probably meant
    pub help: Option<String>,
}

/// Reads a configuration file. `Err`: everything that is wrong with it.
pub fn read(file: FileId, text: &str) -> Result<Config, Vec<Problem>> {
    let stream = yaml::read(file, text);
    let mut problems: Vec<Problem> = stream
        .problems
        .iter()
        .map(|problem| Problem { span: problem.span, message: problem.message.clone(), help: None })
        .collect();
    let Some(document) = stream.documents.first() else {
        return if problems.is_empty() { Ok(Config::default()) } else { Err(problems) };
    };
    let typed = yaml::from_node::<Config>(document.root());
    for unread in &typed.unread {
        let nearest = unread
            .known
            .iter()
            .map(|known| (strsim::jaro_winkler(known, &unread.key), *known))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        problems.push(Problem {
            span: unread.key_span,
            message: format!("the configuration has no key `{}`", unread.key),
            help: nearest.map(|(_, known)| format!("the nearest key is `{known}`")),
        });
    }
    match typed.value {
        Err(error) => {
            let message = format!("`{}` {}", error.field_path, error.message);
            problems.push(Problem { span: error.span, message, help: None });
            Err(problems)
        }
        Ok(config) => {
            problems.extend(judge(&config));
            if problems.is_empty() { Ok(config) } else { Err(problems) }
        }
    }
}

/// What fits its type and still cannot be meant.
fn judge(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    for identity in config.gateways.values().flatten().chain(&config.ingress) {
        let parts = identity.value.split('/').filter(|part| !part.is_empty()).count();
        if parts != 2 || identity.value.matches('/').count() != 1 {
            problems.push(Problem {
                span: identity.span,
                message: format!("`{}` is no `NAMESPACE/SERVICE-ACCOUNT`", identity.value),
                help: None,
            });
        }
    }
    for trusted in &config.trusted {
        let named = trusted.value.resource.as_ref().is_some_and(|resource| {
            resource.value.split_once(' ').is_some_and(|(_, path)| path.split_once('/').is_some())
        });
        if !named {
            problems.push(Problem {
                span: trusted.span,
                message: "an entry of `trusted` needs a `resource` of the form `KIND NAMESPACE/NAME`".to_owned(),
                help: None,
            });
        }
        if trusted.value.reason.as_ref().is_none_or(|reason| reason.value.trim().is_empty()) {
            problems.push(Problem {
                span: trusted.span,
                message: "an entry of `trusted` needs a `reason`".to_owned(),
                help: None,
            });
        }
    }
    for path in [&config.convention.api, &config.convention.internal] {
        if !path.starts_with('/') || path.len() < 2 || path.ends_with('/') {
            let span = Span { file: FileId(0), start: 0, end: 0 };
            problems.push(Problem {
                span: config.trusted.first().map_or(span, |trusted| trusted.span),
                message: format!("`{path}` is no path prefix: it begins with `/` and does not end with one"),
                help: None,
            });
        }
    }
    let rows = config.access.iter().flat_map(access::judge);
    problems.extend(rows.map(|(span, message, help)| Problem { span, message, help }));
    problems
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
