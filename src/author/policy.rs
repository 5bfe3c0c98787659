//! Rows of the access table as `AuthorizationPolicies`.

use std::collections::BTreeSet;

use serde::Serialize;

use super::policy_path::policy_paths;
use crate::config::{AccessRow, Allow, Jwt, Problem};
use crate::model::Labels;
use crate::semantics::World;
use crate::text::Spanned;

/// An `AuthorizationPolicy` to write.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Policy {
    /// `security.istio.io/v1`
    api_version: &'static str,
    /// `AuthorizationPolicy`
    kind: &'static str,
    /// Its names
    pub(super) metadata: Metadata,
    /// What it says
    spec: Spec,
}

/// `metadata`
#[derive(Debug, Clone, Serialize)]
pub(super) struct Metadata {
    /// Name
    pub(super) name: String,
    /// Namespace
    pub(super) namespace: String,
}

/// `spec`
#[derive(Debug, Clone, Default, Serialize)]
struct Spec {
    /// Which workloads; all of the namespace if absent
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<Selector>,
    /// Written where the policy admits something
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    /// What it admits
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<PolicyRule>,
}

/// `selector`
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    /// The labels
    match_labels: Labels,
}

/// An entry of `rules`
#[derive(Debug, Clone, Default, Serialize)]
struct PolicyRule {
    /// Who; everybody if empty
    #[serde(skip_serializing_if = "Vec::is_empty")]
    from: Vec<From>,
    /// What; everything if empty
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to: Vec<To>,
}

/// An entry of `from`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct From {
    /// Who
    source: Source,
}

/// `source`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    /// Identities
    #[serde(skip_serializing_if = "Vec::is_empty")]
    principals: Vec<String>,
    /// Identities that are not meant
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_principals: Vec<String>,
    /// Namespaces
    #[serde(skip_serializing_if = "Vec::is_empty")]
    namespaces: Vec<String>,
    /// Identities of tokens
    #[serde(skip_serializing_if = "Vec::is_empty")]
    request_principals: Vec<String>,
}

/// An entry of `to`
#[derive(Debug, Clone, Serialize)]
struct To {
    /// What
    operation: Operation,
}

/// `operation`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Operation {
    /// Methods
    #[serde(skip_serializing_if = "Vec::is_empty")]
    methods: Vec<String>,
    /// Paths
    #[serde(skip_serializing_if = "Vec::is_empty")]
    paths: Vec<String>,
    /// Ports
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<String>,
}

/// Names that are given away, and new ones beside them.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<(String, String)>);

impl Names {
    /// Keeps a name.
    pub(super) fn keep(&mut self, namespace: &str, name: &str) {
        self.0.insert((namespace.to_owned(), name.to_owned()));
    }

    /// A name, with a number if it is given away.
    fn free(&mut self, namespace: &str, wanted: &str) -> Metadata {
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        let taken = |name: &String| self.0.contains(&(namespace.to_owned(), name.clone()));
        let name = names.find(|name| !taken(name)).unwrap_or_default();
        self.keep(namespace, &name);
        Metadata { name, namespace: namespace.to_owned() }
    }
}

/// A policy that admits nothing, for a whole namespace.
pub(super) fn deny_all(names: &mut Names, namespace: &str) -> Policy {
    policy(names.free(namespace, "deny-all"), Spec::default())
}

/// The policy of a row. `None`: the row admits nobody, and what closes the namespace says so. `Err`: what of the row a
/// policy has no words for.
pub(super) fn of_row(
    world: &World,
    names: &mut Names,
    row: &Spanned<AccessRow>,
) -> Result<Option<Policy>, Vec<Problem>> {
    let namespace = row.value.workloads.namespace.value.as_str();
    let mut wrong = Vec::new();
    let mut say = |span, message: String, help: &str| {
        wrong.push(Problem { span, message, help: Some(help.to_owned()).filter(|help| !help.is_empty()) });
    };
    if namespace == world.mesh.settings.root_namespace() {
        let message = format!("policies of `{namespace}` are in force in the whole mesh: they cannot close it alone");
        say(row.value.workloads.namespace.span, message, "");
    }
    let mut paths = Vec::new();
    for glob in row.value.paths.iter().flatten() {
        match policy_paths(&glob.value) {
            Some(words) => paths.extend(words),
            None => say(
                glob.span,
                format!("an AuthorizationPolicy has no words for `{}`", glob.value),
                "let `*` be a whole segment, and `**` stand once",
            ),
        }
    }
    let mut from = Vec::new();
    for allow in &row.value.allow {
        let sources = sources(world, namespace, &allow.value);
        if sources.is_empty() {
            let message = format!("no identity is known for `{}`", allow.value);
            say(allow.span, message, "name the gateway's identity under `gateways` or `ingress`");
        }
        from.extend(sources);
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    if from.is_empty() {
        return Ok(None);
    }
    let everybody = from.contains(&Source::default());
    if everybody {
        from = vec![Source::default()];
    }
    if row.value.jwt == Some(Jwt::Required) {
        for source in &mut from {
            source.request_principals.push("*".to_owned());
        }
    }
    from.retain(|source| *source != Source::default());
    let operation = Operation {
        methods: row.value.methods.iter().flatten().map(|method| method.value.clone()).collect(),
        paths,
        ports: row.value.ports.iter().flatten().map(|port| port.value.to_string()).collect(),
    };
    let to = Some(To { operation }).filter(|to| to.operation != Operation::default());
    let rule =
        PolicyRule { from: from.into_iter().map(|source| From { source }).collect(), to: to.into_iter().collect() };
    let labels = &row.value.workloads.labels;
    let selector = Some(Selector { match_labels: labels.clone() }).filter(|_| !labels.is_empty());
    let metadata = names.free(namespace, &wanted_name(&row.value));
    Ok(Some(policy(metadata, Spec { selector, action: Some("ALLOW"), rules: vec![rule] })))
}

/// A policy of these names.
fn policy(metadata: Metadata, spec: Spec) -> Policy {
    Policy { api_version: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata, spec }
}

/// The sources that an item means; an empty source is everybody.
fn sources(world: &World, namespace: &str, allow: &Allow) -> Vec<Source> {
    let identity = |path: &str| world.identity(path);
    let principals = |principals: Vec<String>| {
        let source = Source { principals, ..Source::default() };
        Some(source).filter(|source| !source.principals.is_empty()).into_iter().collect::<Vec<_>>()
    };
    let ingress = || world.ingress.iter().map(|path| identity(path)).collect::<Vec<_>>();
    match allow {
        Allow::Anyone => vec![Source::default()],
        Allow::Mesh => principals(vec!["*".to_owned()]),
        Allow::Ingress => principals(ingress()),
        Allow::IngressOf(gateway) => {
            let behind = world.gateway_workloads.iter().filter(|workload| {
                let mut gateways = workload.gateways.iter();
                gateways.any(|id| id.namespace == gateway.namespace && id.name == gateway.name)
            });
            principals(behind.flat_map(|workload| workload.identities.iter().map(|path| identity(path))).collect())
        }
        Allow::Outside => {
            let nobody = Source { not_principals: vec!["*".to_owned()], ..Source::default() };
            principals(ingress()).into_iter().chain([nobody]).collect()
        }
        Allow::SameNamespace => {
            let here = format!("ns/{namespace}/");
            let ingress = world.ingress.iter().filter(|path| path.starts_with(&here)).map(|path| identity(path));
            vec![Source {
                namespaces: vec![namespace.to_owned()],
                not_principals: ingress.collect(),
                ..Source::default()
            }]
        }
        Allow::Namespace(namespace) => vec![Source { namespaces: vec![namespace.clone()], ..Source::default() }],
        Allow::ServiceAccount(account) => {
            principals(vec![identity(&format!("ns/{}/sa/{}", account.namespace, account.name))])
        }
    }
}

/// What a row's policy is best called: after its labels and its first path.
fn wanted_name(row: &AccessRow) -> String {
    let first = row.paths.iter().flatten().next();
    let stem = first.map_or(String::new(), |glob| glob.value.as_str().to_ascii_lowercase());
    let words =
        std::iter::once("allow".to_owned()).chain(row.workloads.labels.values().map(ToString::to_string)).chain([stem]);
    let kept = |word: String| {
        let plain = word.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' });
        plain.collect::<String>().split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    };
    let words: Vec<String> = words.map(kept).filter(|word| !word.is_empty()).collect();
    // Names of objects are at most 253 characters long; a number may follow.
    words.join("-").chars().take(240).collect::<String>().trim_end_matches('-').to_owned()
}
