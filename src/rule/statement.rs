//! Statements over cells of the matrix, as rule files write them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::model::Labels;
use crate::text::Spanned;
use crate::yaml::OneOrMany;

/// What a rule says of the cells that get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The cells that it is about
    pub about: Cells,
    /// What each of them must be; `None`: there must be none
    pub must: Option<Cells>,
}

/// Conditions on cells; all of them hold at once, and of a list one item is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Cells {
    /// Where requests enter; `workload` if absent: whatever passes a gateway or a sidecar arrives there too
    pub entrypoint: Option<OneOrMany<Spanned<Entrypoint>>>,
    /// The workloads that get them; every one if absent
    pub workloads: Option<Workloads>,
    /// Who sends them: at a workload the peer that its own proxy sees, at a gateway the client
    pub source: Option<OneOrMany<Spanned<Source>>>,
    /// Who does not send them
    pub not_source: Option<OneOrMany<Spanned<Source>>>,
    /// The path as the workload sees it
    pub path: Option<OneOrMany<Spanned<Text>>>,
    /// What the path is not
    pub not_path: Option<OneOrMany<Spanned<Text>>>,
    /// The path as it was sent to a gateway
    pub request_path: Option<OneOrMany<Spanned<Text>>>,
    /// What that path is not
    pub not_request_path: Option<OneOrMany<Spanned<Text>>>,
    /// The method
    pub method: Option<OneOrMany<Spanned<String>>>,
    /// What the method is not
    pub not_method: Option<OneOrMany<Spanned<String>>>,
    /// The host that the request names, as it was sent and without its port
    pub host: Option<OneOrMany<Spanned<Text>>>,
    /// What the host is not
    pub not_host: Option<OneOrMany<Spanned<Text>>>,
    /// The port of the workload
    pub port: Option<OneOrMany<Spanned<u16>>>,
    /// Whether the workload's own proxy verified a client certificate
    pub mtls: Option<Spanned<bool>>,
    /// Whether a token came along that a `RequestAuthentication` verified
    pub jwt: Option<Spanned<Token>>,
    /// What happens to the requests; `allowed` if absent
    pub decision: Option<Spanned<Decision>>,
}

/// Where requests enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Entrypoint {
    /// At a server of a Gateway, and through its routes to the workload
    Gateway,
    /// At a port of a Service, through the sidecar of a client and its routes to the workload
    Service,
    /// Straight at a port of the workload
    Workload,
}

/// Workloads by namespace and labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Workloads {
    /// Their namespaces; every one if absent
    pub namespace: Option<OneOrMany<Spanned<String>>>,
    /// Labels that their pods have
    #[schemars(with = "BTreeMap<String, String>", extend("default" = {}))]
    pub labels: Labels,
}

/// Who sends, by one key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Source {
    /// `none`: without an identity of the mesh; `any`: with one; else the identity, `TRUSTDOMAIN/ns/NS/sa/SA`
    pub principal: Option<Text>,
    /// An account of this namespace
    pub namespace: Option<String>,
    /// An account of the workload's own namespace, the ingress left out
    pub same_namespace: Option<bool>,
    /// This account, `NAMESPACE/NAME`
    pub service_account: Option<String>,
    /// An identity of the ingress
    pub ingress: Option<bool>,
    /// Nobody of the mesh: at a gateway without a client certificate, at a workload without an identity, and there
    /// only through a port that a Service, a host port or an Ingress opens to the outside
    pub outside: Option<bool>,
}

/// A text, or one of the forms in which a text can be matched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// This text alone
    pub exact: Option<String>,
    /// Texts that begin so
    pub prefix: Option<String>,
    /// Texts that end so
    pub suffix: Option<String>,
    /// For paths: this one and everything below it
    pub below: Option<String>,
}

/// The keys of [`Text`].
const TEXT_KEYS: &[&str] = &["exact", "prefix", "suffix", "below"];

/// Whether a token came along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Token {
    /// One that verifies
    Valid,
    /// None
    None,
}

/// What happens to requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The workload gets them; where that cannot be told, the rule is not proven
    Allowed,
    /// The workload does not get them; where that cannot be told, the rule is not proven
    Denied,
}

/// The forms of [`Text`] as a mapping.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Forms {
    /// This text alone
    exact: Option<String>,
    /// Texts that begin so
    prefix: Option<String>,
    /// Texts that end so
    suffix: Option<String>,
    /// For paths: this one and everything below it
    below: Option<String>,
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Text", TEXT_KEYS, TextVisitor)
    }
}

/// Reads a text, or a mapping of its forms.
struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or one of `exact`, `prefix`, `suffix` and `below`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text { exact: Some(text.to_owned()), ..Text::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
        let Forms { exact, prefix, suffix, below } = Forms::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Text { exact, prefix, suffix, below })
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let forms = generator.subschema_for::<Forms>();
        json_schema!({
            "description": "A text, or one of the forms in which a text can be matched",
            "anyOf": [{"type": "string"}, forms],
        })
    }
}

impl Text {
    /// The one form that is written, with its key; `None` where there is none or more than one.
    pub fn form(&self) -> Option<(&'static str, &str)> {
        let forms = [&self.exact, &self.prefix, &self.suffix, &self.below];
        let mut written = TEXT_KEYS.iter().zip(forms).filter_map(|(key, form)| Some((*key, form.as_deref()?)));
        written.next().filter(|_| written.next().is_none())
    }
}

impl Cells {
    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it is about requests to an entrypoint.
    pub fn is_about(&self, entrypoint: Entrypoint) -> bool {
        match &self.entrypoint {
            Some(written) => written.0.iter().any(|one| one.value == entrypoint),
            None => entrypoint == Entrypoint::Workload,
        }
    }

    /// The alternatives of a condition; none where it is not written.
    pub fn alternatives<T>(condition: Option<&OneOrMany<T>>) -> &[T] {
        condition.map_or(&[], |list| list.0.as_slice())
    }
}
