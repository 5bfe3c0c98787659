//! Objects found in documents, before their own part is read.

use super::kind::Kind;
use super::object::{Labels, Metadata, ObjectId, Resource};
use crate::text::Span;
use crate::yaml::{self, Node};

/// One object found in a document.
pub(super) struct Entry<'d> {
    /// The object's mapping
    pub(super) node: Node<'d>,
    /// What it is
    pub(super) kind: Kind,
    /// API group
    pub(super) group: String,
    /// `metadata`
    pub(super) metadata: Metadata,
    /// Who it is
    pub(super) id: ObjectId,
    /// Somebody else's
    pub(super) context: bool,
}

/// The object without its own part read.
pub(super) fn bare<T>(entry: &Entry<'_>, spec: T) -> Resource<T> {
    let metadata = &entry.metadata;
    Resource {
        id: entry.id.clone(),
        labels: metadata.labels.clone().unwrap_or_default(),
        annotations: metadata.annotations.clone().unwrap_or_default(),
        created: metadata.creation_timestamp.clone(),
        name_span: name_span(entry),
        span: entry.node.span(),
        spec_span: entry.node.get("spec").map_or_else(|| name_span(entry), Node::span),
        context: entry.context,
        spec,
    }
}

/// Where the object's name stands.
pub(super) fn name_span(entry: &Entry<'_>) -> Span {
    entry.metadata.name.as_ref().map_or(entry.node.span(), |name| name.span)
}

/// Whether the object, or the pods it makes, bear a label that asks for a sidecar or refuses it.
pub(super) fn has_injection_label(node: Node<'_>, metadata: &Metadata) -> bool {
    let is_injection = |labels: &Labels| {
        labels.keys().any(|key| {
            matches!(
                key.as_str(),
                "istio-injection" | "istio.io/rev" | "sidecar.istio.io/inject" | "istio.io/dataplane-mode"
            )
        })
    };
    let template = node.pointer(&["spec", "template", "metadata", "labels"]);
    let template = template.and_then(|labels| yaml::from_node::<Labels>(labels).value.ok());
    metadata.labels.as_ref().is_some_and(is_injection) || template.as_ref().is_some_and(is_injection)
}
