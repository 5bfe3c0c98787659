//! The configuration file.

use std::collections::BTreeMap;

use serde::Deserialize;

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
    problems
}
