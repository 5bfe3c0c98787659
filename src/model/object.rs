//! What every Kubernetes object has: kind, names, labels, annotations.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use compact_str::CompactString;
use litemap::LiteMap;
use serde::Deserialize;

use crate::text::{Span, Spanned};

/// Labels or annotations.
pub type Labels = LiteMap<CompactString, CompactString>;

/// `metadata` as written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metadata {
    /// `metadata.name`
    pub name: Option<Spanned<CompactString>>,
    /// `metadata.namespace`
    pub namespace: Option<Spanned<CompactString>>,
    /// `metadata.labels`
    pub labels: Option<Labels>,
    /// `metadata.annotations`
    pub annotations: Option<BTreeMap<CompactString, Spanned<CompactString>>>,
    /// `metadata.creationTimestamp`, RFC 3339, compared as text
    pub creation_timestamp: Option<CompactString>,
}

/// Kind, namespace and name: what tells one object from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// The kind, as in `kind:`
    pub kind: CompactString,
    /// The namespace in force, not necessarily written
    pub namespace: CompactString,
    /// `metadata.name`
    pub name: CompactString,
}

impl ObjectId {
    /// `NS/NAME`, the form in which people and the `eval` contract name objects.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// An object of one kind, with what is needed to point at it.
#[derive(Debug, Clone)]
pub struct Resource<T> {
    /// Who it is
    pub id: Arc<ObjectId>,
    /// `metadata.labels`
    pub labels: Labels,
    /// `metadata.annotations`, values with their spans
    pub annotations: BTreeMap<CompactString, Spanned<CompactString>>,
    /// `metadata.creationTimestamp`, where present
    pub created: Option<CompactString>,
    /// The value of `metadata.name`
    pub name_span: Span,
    /// The whole document
    pub span: Span,
    /// The value of `spec`, else the name
    pub spec_span: Span,
    /// Manifests that are in force but belong to someone else: evaluated, never blamed
    pub context: bool,
    /// The kind's own part
    pub spec: T,
}

impl<T> Resource<T> {
    /// The annotation's value, as text.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(|value| value.value.as_str())
    }

    /// Istio's order by age: creation time where both have one, then name, then namespace.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/model/config.go`, `sortByCreationComparator`.
    pub fn age_key(&self) -> (&str, &str, &str) {
        (self.created.as_deref().unwrap_or(""), &self.id.name, &self.id.namespace)
    }
}
