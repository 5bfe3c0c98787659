//! Objects found in documents, before their own part is read: who they are, and in which namespace.

use std::sync::Arc;

use compact_str::CompactString;

use super::counts::LeftOut;
use super::kind::{self, Kind};
use super::kustomize::Transformation;
use super::load::{InputFile, Loader};
use super::object::{Labels, Metadata, ObjectId, Resource};
use super::placeholder;
use super::problem::{Problem, ProblemKind};
use crate::text::{Span, Spanned};
use crate::yaml::{self, Node, NodeId};

/// One object found in a document.
pub(super) struct Entry {
    /// The object's mapping
    pub(super) place: NodeId,
    /// From its first to its last byte
    pub(super) span: Span,
    /// What it is
    pub(super) kind: Kind,
    /// API group
    pub(super) group: String,
    /// `metadata`
    pub(super) metadata: Metadata,
    /// Who it is
    pub(super) id: Arc<ObjectId>,
    /// Somebody else's
    pub(super) context: bool,
    /// What a kustomization makes of it
    pub(super) transformation: Option<Transformation>,
}

impl Entry {
    /// Where the object's name stands.
    pub(super) fn name_span(&self) -> Span {
        self.metadata.name.as_ref().map_or(self.span, |name| name.span)
    }

    /// The object with its own part.
    pub(super) fn with<T>(self, node: Node<'_>, spec: T) -> Resource<T> {
        let name_span = self.name_span();
        Resource {
            id: self.id,
            labels: self.metadata.labels.unwrap_or_default(),
            annotations: self.metadata.annotations.unwrap_or_default(),
            created: self.metadata.creation_timestamp,
            name_span,
            span: self.span,
            spec_span: node.get("spec").map_or(name_span, Node::span),
            context: self.context,
            spec,
        }
    }
}

/// Whether the object, or the pods it makes, bear a label that asks for a sidecar or refuses it.
fn has_injection_label(node: Node<'_>, metadata: &Metadata) -> bool {
    let is_injection = |key: &str| {
        matches!(key, "istio-injection" | "istio.io/rev" | "sidecar.istio.io/inject" | "istio.io/dataplane-mode")
    };
    let template = node.pointer(&["spec", "template", "metadata", "labels"]);
    metadata.labels.iter().flat_map(Labels::keys).any(|key| is_injection(key))
        || template.is_some_and(|labels| labels.entries().any(|(key, ..)| is_injection(key)))
}

/// Whether an object that makes pods is only a part of one, as patches are: neither labels nor an image.
fn is_partial(node: Node<'_>, transformation: Option<&Transformation>) -> bool {
    let Some(template) = node.pointer(&["spec", "template"]) else {
        return node.pointer(&["spec", "jobTemplate"]).is_none();
    };
    let labelled = template.pointer(&["metadata", "labels"]).is_some_and(|labels| labels.entries().next().is_some());
    let containers = template.pointer(&["spec", "containers"]);
    let has_image = containers.is_some_and(|list| list.items().any(|item| item.get("image").is_some()));
    !labelled && !has_image && transformation.is_none_or(|transformation| transformation.labels.is_empty())
}

impl Loader<'_> {
    /// Reads who an object is, or why it is none.
    pub(super) fn entry(&mut self, input: InputFile, node: Node<'_>) -> Result<Entry, LeftOut> {
        let (place, span, context) = (node.id(), node.span(), input.context);
        let kind_name = node.get("kind").and_then(Node::as_str);
        let api_version = node.get("apiVersion").and_then(Node::as_str);
        let (Some(kind_name), Some(api_version)) = (kind_name, api_version) else {
            return Err(self.nameless(node, kind_name, api_version));
        };
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = Kind::of(group, kind_name);
        if kind == Kind::Kustomization {
            let id = ObjectId {
                kind: kind_name.into(),
                namespace: CompactString::default(),
                name: self.files.name(input.file).into(),
            };
            let metadata = Metadata::default();
            let group = group.to_owned();
            return Ok(Entry { place, span, kind, group, metadata, id: id.into(), context, transformation: None });
        }
        // An object that is refused further down is one all the same.
        if kind::is_mesh_group(group) {
            self.loaded.counts.mesh_resources += 1;
        }
        let metadata = self.metadata(node, kind, kind_name)?;
        let Some(name) = metadata.name.as_ref().filter(|name| !name.value.is_empty()) else {
            return Err(self.nameless(node, Some(kind_name), Some(api_version)));
        };
        if !kind::is_mesh_group(group) && has_injection_label(node, &metadata) {
            self.loaded.counts.mesh_resources += 1;
        }
        if kind::is_removed(group, kind_name, version) {
            let span = node.get("apiVersion").map_or_else(|| node.span(), Node::span);
            let message = format!("no current release of Istio serves {kind_name} in `{api_version}`: it does not act");
            self.loaded.problems.push(Problem::new(ProblemKind::RemovedVersion, span, message));
            return Err(LeftOut::NotServed);
        }
        for part in [Some(name), metadata.namespace.as_ref()].into_iter().flatten() {
            if kind != Kind::Other && placeholder::is_explicit(&part.value) {
                self.loaded.problems.push(unnamed(kind_name, part));
                return Err(LeftOut::Placeholder);
            }
        }
        let file = self.files.name(input.file);
        let transformation = self.kustomizations.transformation_of(file).filter(|_| kind != Kind::Namespace);
        if kind == Kind::Controller && is_partial(node, transformation.as_ref()) {
            return Err(LeftOut::Partial);
        }
        let applied = transformation.as_ref().map_or_else(|| name.value.clone(), |made| made.rename(&name.value));
        if let Some(made) = transformation.as_ref().filter(|_| kind == Kind::ServiceAccount) {
            self.accounts.insert((made.directory.clone(), name.value.clone()));
        }
        let over = self.kustomizations.namespace_over(file);
        let applied = if kind == Kind::Namespace { over.map_or(applied, CompactString::from) } else { applied };
        let namespace = if kind.cluster_wide(kind_name) {
            CompactString::default()
        } else {
            self.namespace(input, &metadata, kind)
        };
        let id = ObjectId { kind: kind_name.into(), namespace, name: applied };
        if let Some(written) = metadata.namespace.as_ref().filter(|_| kind == Kind::Gateway)
            && !written.value.is_empty()
            && written.value != id.namespace
        {
            let written = ObjectId { namespace: written.value.clone(), name: name.value.clone(), ..id.clone() };
            self.loaded.mesh.moved_gateways.insert(written, id.clone());
        }
        Ok(Entry { place, span, kind, group: group.to_owned(), metadata, id: id.into(), context, transformation })
    }

    /// Why a document without kind, version or name is no object; where it was meant for Istio that is a problem.
    fn nameless(&mut self, node: Node<'_>, kind_name: Option<&str>, api_version: Option<&str>) -> LeftOut {
        let group = api_version.and_then(|version| Some(version.split_once('/')?.0));
        let (what, missing) = match (kind_name, group) {
            (Some(kind), None) if api_version.is_none() && kind::is_istio_kind(kind) => (kind, "apiVersion"),
            (None, Some(group)) if kind::is_mesh_group(group) => (group, "kind"),
            (Some(kind), Some(group)) if Kind::of(group, kind).is_istio_api() => (kind, "metadata.name"),
            _ => return LeftOut::NoObject,
        };
        self.loaded.counts.mesh_resources += usize::from(missing != "metadata.name");
        let named = node.get("kind").or_else(|| node.get("apiVersion")).unwrap_or(node);
        let message = format!("this {what} does not act: `{missing}` is missing");
        self.loaded.problems.push(Problem::new(ProblemKind::Misfit, self.files.visible(named.span()), message));
        LeftOut::Misfit
    }

    /// Reads `metadata`; what does not fit there is a problem.
    fn metadata(&mut self, node: Node<'_>, kind: Kind, kind_name: &str) -> Result<Metadata, LeftOut> {
        let Some(written) = node.get("metadata") else {
            return Ok(Metadata::default());
        };
        yaml::from_node::<Metadata>(written).value.map_err(|error| {
            if kind != Kind::Other {
                let way = if error.field_path.is_empty() { String::new() } else { format!(".{}", error.field_path) };
                let message = format!("this {kind_name} does not act: `metadata{way}` {}", error.message);
                let span = self.files.visible(error.span);
                self.loaded.problems.push(Problem::new(ProblemKind::Misfit, span, message));
            }
            LeftOut::Misfit
        })
    }

    /// The namespace in force for an object.
    fn namespace(&mut self, input: InputFile, metadata: &Metadata, kind: Kind) -> CompactString {
        let (file, all) = (self.files.name(input.file), self.kustomizations);
        let written = metadata.namespace.as_ref().map(|namespace| namespace.value.as_str());
        let written = written.filter(|namespace| !namespace.is_empty());
        // What binds to a Gateway names it as it is written, and does not find it where a build renames it.
        let apart = kind == Kind::Gateway && written.is_some() && all.is_renamed_further_out(file);
        let over = all.namespace_over(file).filter(|_| !apart);
        let given = over.or(written).or_else(|| all.namespace_of(file));
        if let Some(namespace) = given {
            return namespace.into();
        }
        self.loaded.counts.without_namespace += usize::from(kind.decides());
        self.options.default_namespace.as_deref().unwrap_or("default").into()
    }
}

/// The problem of an object that has no name or namespace yet.
fn unnamed(kind_name: &str, part: &Spanned<CompactString>) -> Problem {
    let message = format!("this {kind_name} is left out: `{}` is filled in later", part.value);
    Problem::new(ProblemKind::Template, part.span, message)
}
