//! The access table: which paths workloads serve, and who may reach them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use compact_str::CompactString;
use litemap::LiteMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::path_glob::PathGlob;
use super::problem::nearest;
use crate::text::{Span, Spanned};

/// A row: what of some workloads may be reached, and by whom. Rows that select one workload add up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AccessRow {
    /// Which workloads
    pub workloads: WorkloadsOf,
    /// Which paths, as the workload sees them; without them every request, and every connection of a port that speaks TCP
    #[serde(default)]
    pub paths: Option<Vec<Spanned<PathGlob>>>,
    /// Which methods; without them every one
    #[serde(default)]
    pub methods: Option<Vec<Spanned<String>>>,
    /// Which ports of the pod; without them every one
    #[serde(default)]
    pub ports: Option<Vec<Spanned<u16>>>,
    /// Who may reach them; an empty list: nobody
    pub allow: Vec<Spanned<Allow>>,
    /// Whether it takes a token that verifies
    #[serde(default)]
    pub jwt: Option<Jwt>,
}

impl AccessRow {
    /// Whether it says anything about what arrives at a port: requests, or connections, which have no path, no method
    /// and no token.
    pub fn speaks_of(&self, port: u16, connections: bool) -> bool {
        let at = self.ports.as_ref().is_none_or(|ports| ports.iter().any(|known| known.value == port));
        at && !(connections && (self.paths.is_some() || self.methods.is_some() || self.jwt.is_some()))
    }
}

/// Workloads of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WorkloadsOf {
    /// Their namespace
    pub namespace: Spanned<String>,
    /// Labels that their pods have; without them every workload of the namespace
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>", extend("default" = {}))]
    pub labels: LiteMap<CompactString, CompactString>,
}

/// What a row asks of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Jwt {
    /// One that a `RequestAuthentication` verifies
    Required,
}

/// What holds for workloads that no row selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccessDefault {
    /// The built-in rules
    #[default]
    Rules,
    /// They are closed: whatever gets in is beyond the table
    Closed,
}

/// Who may reach something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Allow {
    /// `ingress`: the identities of the ingress
    Ingress,
    /// `{ingress: NS/NAME}`: the identities of the workload behind one Gateway
    IngressOf(Named),
    /// `outside`: callers without an identity of the mesh, through the ingress or straight at an open port
    Outside,
    /// `same-namespace`: accounts of the workload's own namespace, the ingress left out
    SameNamespace,
    /// `{namespace: N}`: accounts of a namespace
    Namespace(String),
    /// `{service-account: N/SA}`: one account
    ServiceAccount(Named),
    /// `mesh`: any identity that the mesh accepts
    Mesh,
    /// `anyone`: whoever reaches the port
    Anyone,
}

/// `NAMESPACE/NAME`
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    /// The namespace
    pub namespace: String,
    /// The name
    pub name: String,
}

impl Named {
    /// Reads `NAMESPACE/NAME`.
    fn parse(text: &str) -> Option<Self> {
        let (namespace, name) = text.split_once('/')?;
        let both = !namespace.is_empty() && !name.is_empty() && !name.contains('/');
        both.then(|| Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Allow {
    /// The Gateway behind which it means, if it means one.
    pub fn gateway(&self) -> Option<&Named> {
        if let Self::IngressOf(gateway) = self { Some(gateway) } else { None }
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ingress => f.write_str("ingress"),
            Self::IngressOf(gateway) => write!(f, "ingress: {gateway}"),
            Self::Outside => f.write_str("outside"),
            Self::SameNamespace => f.write_str("same-namespace"),
            Self::Namespace(namespace) => write!(f, "namespace: {namespace}"),
            Self::ServiceAccount(account) => write!(f, "service-account: {account}"),
            Self::Mesh => f.write_str("mesh"),
            Self::Anyone => f.write_str("anyone"),
        }
    }
}

/// The words of [`Allow`] that stand alone.
const WORDS: [(&str, Allow); 5] = [
    ("ingress", Allow::Ingress),
    ("outside", Allow::Outside),
    ("same-namespace", Allow::SameNamespace),
    ("mesh", Allow::Mesh),
    ("anyone", Allow::Anyone),
];

/// The keys of [`Allow`] that take a value.
const KEYS: [&str; 3] = ["ingress", "namespace", "service-account"];

impl<'de> Deserialize<'de> for Allow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AllowVisitor)
    }
}

impl JsonSchema for Allow {
    fn schema_name() -> Cow<'static, str> {
        "Allow".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
        let key = |key: &str| json!({"type": "object", "properties": {key: {"type": "string"}}, "required": [key]});
        let keys = KEYS.map(key);
        let any: Vec<Value> = [json!({"enum": words})].into_iter().chain(keys).collect();
        json_schema!({"description": "Who may reach something", "anyOf": any})
    }
}

/// Reads a word, or a mapping of one key.
struct AllowVisitor;

impl<'de> Visitor<'de> for AllowVisitor {
    type Value = Allow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = WORDS.iter().map(|(word, _)| format!("`{word}`")).collect();
        write!(
            f,
            "{}, {{ingress: NAMESPACE/GATEWAY}}, {{namespace: NAME}} or {{service-account: NAMESPACE/NAME}}",
            words.join(", ")
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Allow, E> {
        let known = WORDS.iter().find(|(word, _)| *word == text);
        known.map(|(_, allow)| allow.clone()).ok_or_else(|| {
            let words = WORDS.iter().map(|(word, _)| *word).chain(KEYS);
            E::custom(format!(
                "says `{text}`, which names nobody; the nearest word is `{}`",
                nearest(text, words).unwrap_or_default()
            ))
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Allow, A::Error> {
        let Some((key, value)) = map.next_entry::<String, String>()? else {
            return Err(A::Error::custom("is empty: it names nobody"));
        };
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::custom("has two keys: give each an entry of its own"));
        }
        let named = |what: &str| {
            Named::parse(&value)
                .ok_or_else(|| A::Error::custom(format!("says `{value}`, which is no `NAMESPACE/{what}`")))
        };
        match key.as_str() {
            "ingress" => named("GATEWAY").map(Allow::IngressOf),
            "service-account" => named("NAME").map(Allow::ServiceAccount),
            "namespace" if value.is_empty() || value.contains(['/', '*']) => {
                Err(A::Error::custom(format!("says `{value}`, which is no name of a namespace")))
            }
            "namespace" => Ok(Allow::Namespace(value)),
            other => {
                let key = nearest(other, KEYS).unwrap_or_default();
                Err(A::Error::custom(format!("has the key `{other}`, which is none; the nearest is `{key}`")))
            }
        }
    }
}

/// What fits its type in a row and still cannot be meant: where, what is true, and what was probably meant.
pub(super) fn judge(row: &Spanned<AccessRow>) -> Vec<(Span, String, Option<String>)> {
    let mut wrong = Vec::new();
    let lists = [
        ("paths", row.value.paths.as_ref().map(Vec::len)),
        ("methods", row.value.methods.as_ref().map(Vec::len)),
        ("ports", row.value.ports.as_ref().map(Vec::len)),
    ];
    for (key, _) in lists.into_iter().filter(|(_, length)| *length == Some(0)) {
        let message = format!("`{key}` is an empty list: the row is about nothing");
        wrong.push((row.span, message, Some(format!("leave `{key}` out where it does not matter"))));
    }
    for method in row.value.methods.iter().flatten() {
        let upper = method.value.to_ascii_uppercase();
        if method.value.is_empty() || !upper.bytes().all(|byte| byte.is_ascii_uppercase()) || upper != method.value {
            let message = format!("`{}` is no method: methods are upper-case letters", method.value);
            wrong.push((method.span, message, Some(format!("the nearest is `{upper}`")).filter(|_| !upper.is_empty())));
        }
    }
    let namespace = &row.value.workloads.namespace;
    if namespace.value.is_empty() || namespace.value.contains(['/', '*']) {
        let message = format!("`{}` is no name of a namespace", namespace.value);
        wrong.push((namespace.span, message, None));
    }
    wrong
}
