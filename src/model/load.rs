//! From documents to a [`Mesh`]: which object each document is, in which namespace, and which of two acts.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use rayon::prelude::*;

use super::cluster::{ConfigMap, Controller, PodSpec, PodTemplate};
use super::entry::{Entry, bare, has_injection_label, name_span};
use super::kind::{self, Kind};
use super::kustomize::Kustomizations;
use super::mesh::Mesh;
use super::mesh_settings::{MeshSettings, SettingsOrigin};
use super::object::{Metadata, ObjectId, Resource};
use super::problem::{Problem, ProblemKind};
use super::unknown_field;
use super::workload::Workload;
use crate::config::MeshConfig;
use crate::text::{FileId, Files, Span, Spanned};
use crate::yaml::{self, Node, Stream};

/// A file to read.
#[derive(Debug, Clone, Copy)]
pub struct InputFile {
    /// Which one
    pub file: FileId,
    /// In force, but somebody else's: evaluated, never blamed
    pub context: bool,
}

/// What the manifests do not say themselves.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Namespace of objects that name none
    pub default_namespace: Option<String>,
    /// Mesh settings of the configuration file, in force where no manifest has any
    pub mesh: Option<MeshConfig>,
}

/// How much was read, and what was not.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Files
    pub files: usize,
    /// Documents that are not empty, items of lists included
    pub documents: usize,
    /// Objects that the model understands, by kind
    pub resources: BTreeMap<String, usize>,
    /// Objects of other kinds, by kind
    pub other: BTreeMap<String, usize>,
    /// Documents that could not be read or are no objects
    pub skipped: usize,
    /// Objects that make the input a mesh
    pub mesh_resources: usize,
    /// Files that a kustomization lists as patches only
    pub patches: usize,
    /// `NetworkPolicy` objects, which are not considered
    pub network_policies: usize,
    /// Kustomizations seen
    pub kustomizations: usize,
    /// Objects that name no namespace and that no kustomization gives one
    pub without_namespace: usize,
}

/// What loading gives.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The objects
    pub mesh: Mesh,
    /// What is wrong with the input
    pub problems: Vec<Problem>,
    /// How much was read
    pub counts: Counts,
}

/// Reads all files, in the order given, which should be path order.
pub fn load(files: &Files, inputs: &[InputFile], options: &LoadOptions) -> Loaded {
    let streams: Vec<(InputFile, Stream)> =
        inputs.par_iter().map(|input| (*input, yaml::read(input.file, files.text(input.file)))).collect();
    let mut loader = Loader { files, options, kustomizations: Kustomizations::default(), loaded: Loaded::default() };
    loader.loaded.counts.files = inputs.len();
    for (input, stream) in &streams {
        let name = files.name(input.file);
        if Kustomizations::is_kustomization(name) {
            for document in &stream.documents {
                loader.kustomizations.add(name, document.root());
            }
        }
    }
    let mut entries = Vec::new();
    for (input, stream) in &streams {
        loader.stream(*input, stream, &mut entries);
    }
    for entry in loader.without_duplicates(entries) {
        loader.object(&entry);
    }
    if !loader.loaded.mesh.settings.known()
        && let Some(mesh) = &options.mesh
    {
        loader.loaded.mesh.settings = MeshSettings { config: mesh.clone(), origin: SettingsOrigin::Configuration };
    }
    loader.loaded
}

/// The state of one load.
struct Loader<'a> {
    /// Names and texts
    files: &'a Files,
    /// What the manifests do not say
    options: &'a LoadOptions,
    /// What kustomizations say about files
    kustomizations: Kustomizations,
    /// The result so far
    loaded: Loaded,
}

impl Loader<'_> {
    /// Finds the objects of one file.
    fn stream<'d>(&mut self, input: InputFile, stream: &'d Stream, entries: &mut Vec<Entry<'d>>) {
        let name = self.files.name(input.file);
        if self.kustomizations.is_patch(name) {
            self.loaded.counts.patches += 1;
            return;
        }
        for problem in &stream.problems {
            self.loaded.problems.push(Problem::new(
                ProblemKind::from(problem.kind),
                problem.span,
                problem.message.clone(),
            ));
            if matches!(ProblemKind::from(problem.kind), ProblemKind::Syntax | ProblemKind::Template) {
                self.loaded.counts.skipped += 1;
                // What cannot be read may be a mesh resource, if the file speaks of any.
                let mesh = self.files.text(input.file).contains("istio.io");
                self.loaded.counts.mesh_resources += usize::from(mesh);
            }
        }
        for document in &stream.documents {
            self.document(input, document.root(), entries);
        }
    }

    /// Finds the objects of one document: itself, or the items of a list.
    fn document<'d>(&mut self, input: InputFile, node: Node<'d>, entries: &mut Vec<Entry<'d>>) {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            let kind = node.get("kind").and_then(Node::as_str).unwrap_or_default();
            let items = node.get("items").filter(|_| kind.ends_with("List"));
            if let Some(items) = items {
                let items: Vec<Node<'d>> = items.items().collect();
                pending.extend(items.into_iter().rev());
                continue;
            }
            self.loaded.counts.documents += 1;
            match self.entry(input, node) {
                Some(entry) => entries.push(entry),
                None => self.loaded.counts.skipped += 1,
            }
        }
    }

    /// Reads who an object is. `None`: no object.
    fn entry<'d>(&mut self, input: InputFile, node: Node<'d>) -> Option<Entry<'d>> {
        let kind_name = node.get("kind").and_then(Node::as_str)?;
        let api_version = node.get("apiVersion").and_then(Node::as_str)?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = Kind::of(group, kind_name);
        if kind == Kind::Kustomization {
            self.loaded.counts.kustomizations += 1;
            return Some(Entry {
                node,
                kind,
                group: group.to_owned(),
                metadata: Metadata::default(),
                id: ObjectId {
                    kind: kind_name.to_owned(),
                    namespace: String::new(),
                    name: self.files.name(input.file).to_owned(),
                },
                context: input.context,
            });
        }
        // An object that is refused further down is one all the same.
        if kind::is_mesh_group(group) {
            self.loaded.counts.mesh_resources += 1;
        }
        let metadata_node = node.get("metadata")?;
        let metadata = yaml::from_node::<Metadata>(metadata_node);
        let metadata = match metadata.value {
            Ok(metadata) => metadata,
            Err(error) => {
                if kind != Kind::Other {
                    self.loaded.problems.push(Problem::new(
                        ProblemKind::Rejected,
                        error.span,
                        format!("`metadata` of this {kind_name} does not fit: {}", error.message),
                    ));
                }
                return None;
            }
        };
        let name = metadata.name.as_ref().map(|name| name.value.clone()).filter(|name| !name.is_empty())?;
        let namespace =
            if kind.cluster_wide(kind_name) { String::new() } else { self.namespace(input, &metadata, kind) };
        if kind::is_removed(group, version) {
            let span = node.get("apiVersion").map_or_else(|| node.span(), Node::span);
            self.loaded.problems.push(Problem::new(
                ProblemKind::RemovedVersion,
                span,
                format!("no current release of Istio serves `{api_version}`"),
            ));
        }
        if !kind::is_mesh_group(group) && has_injection_label(node, &metadata) {
            self.loaded.counts.mesh_resources += 1;
        }
        Some(Entry {
            node,
            kind,
            group: group.to_owned(),
            metadata,
            id: ObjectId { kind: kind_name.to_owned(), namespace, name },
            context: input.context,
        })
    }

    /// The namespace in force for an object.
    fn namespace(&mut self, input: InputFile, metadata: &Metadata, kind: Kind) -> String {
        let written = metadata.namespace.as_ref().map(|namespace| namespace.value.as_str());
        let given = written
            .filter(|namespace| !namespace.is_empty())
            .or_else(|| self.kustomizations.namespace_of(self.files.name(input.file)));
        if let Some(namespace) = given {
            return namespace.to_owned();
        }
        self.loaded.counts.without_namespace += usize::from(kind.decides());
        self.options.default_namespace.as_deref().unwrap_or("default").to_owned()
    }

    /// Of each object the last one written; one that differs from an earlier one is a problem.
    fn without_duplicates<'d>(&mut self, entries: Vec<Entry<'d>>) -> Vec<Entry<'d>> {
        let mut last: BTreeMap<(String, ObjectId), usize> = BTreeMap::new();
        let mut kept: Vec<Option<Entry<'d>>> = Vec::new();
        let mut pairs: BTreeMap<(String, String), (Problem, usize)> = BTreeMap::new();
        for entry in entries {
            if entry.kind == Kind::Other {
                self.loaded.counts.other.entry(entry.id.kind.clone()).and_modify(|n| *n += 1).or_insert(1);
                continue;
            }
            let key = (entry.group.clone(), entry.id.clone());
            let earlier = last.get(&key).and_then(|index| kept.get_mut(*index));
            if let Some(slot) = earlier
                && let Some(before) = slot.take()
            {
                let own = before.context == entry.context;
                let equal = before.node.equals(entry.node);
                if !equal && own && !entry.context && entry.kind.decides() {
                    self.note_duplicate(&before, &entry, &mut pairs);
                }
                // A manifest of the input acts, whatever the context says about it.
                if equal || (entry.context && !before.context) {
                    *slot = Some(before);
                    continue;
                }
            }
            last.insert(key, kept.len());
            kept.push(Some(entry));
        }
        for (mut problem, more) in pairs.into_values() {
            if more > 0 {
                problem.message = format!("{} (and {more} more between these two directories)", problem.message);
            }
            self.loaded.problems.push(problem);
        }
        kept.into_iter().flatten().collect()
    }

    /// One problem for each pair of directories, however many objects they share.
    fn note_duplicate(
        &self,
        before: &Entry<'_>,
        entry: &Entry<'_>,
        pairs: &mut BTreeMap<(String, String), (Problem, usize)>,
    ) {
        let directory = |span: Span| {
            let name = self.files.name(span.file);
            name.rsplit_once('/').map_or(String::new(), |(directory, _)| directory.to_owned())
        };
        let place = |entry: &Entry<'_>| entry.metadata.name.as_ref().map_or(entry.node.span(), |name| name.span);
        let key = (directory(before.node.span()), directory(entry.node.span()));
        let problem = Problem {
            related: vec![(place(entry), "this one acts, as the last in path order".to_owned())],
            ..Problem::new(
                ProblemKind::Duplicate,
                place(before),
                format!("{} is written twice, with different contents", entry.id),
            )
        };
        pairs.entry(key).and_modify(|(_, more)| *more += 1).or_insert((problem.of(&entry.id), 0));
    }

    /// Reads one object into the mesh.
    fn object(&mut self, entry: &Entry<'_>) {
        if !matches!(entry.kind, Kind::Kustomization) {
            let count = self.loaded.counts.resources.entry(entry.id.kind.clone());
            count.and_modify(|n| *n += 1).or_insert(1);
        }
        macro_rules! into {
            ($list:ident) => {
                if let Some(resource) = self.resource(entry) {
                    self.loaded.mesh.$list.push(resource);
                }
            };
        }
        match entry.kind {
            Kind::Gateway => into!(gateways),
            Kind::VirtualService => into!(virtual_services),
            Kind::DestinationRule => into!(destination_rules),
            Kind::ServiceEntry => into!(service_entries),
            Kind::Sidecar => into!(sidecars),
            Kind::EnvoyFilter => into!(envoy_filters),
            Kind::ProxyConfig => into!(proxy_configs),
            Kind::ProxyExtension => into!(proxy_extensions),
            Kind::AuthorizationPolicy => into!(authorization_policies),
            Kind::PeerAuthentication => into!(peer_authentications),
            Kind::RequestAuthentication => into!(request_authentications),
            Kind::Service => into!(services),
            Kind::Ingress => into!(ingresses),
            Kind::ServiceAccount => self.loaded.mesh.service_accounts.push(bare(entry, super::cluster::NoSpec {})),
            Kind::Unmodelled => self.loaded.mesh.unmodelled.push(bare(entry, super::cluster::NoSpec {})),
            Kind::Namespace => {
                let namespace = bare(entry, super::cluster::NoSpec {});
                self.loaded.mesh.namespaces.insert(entry.id.name.clone(), namespace);
            }
            Kind::WorkloadEntry => {
                if let Some(resource) = self.resource(entry) {
                    self.loaded.mesh.workloads.push(Workload::from_entry(&resource));
                    self.loaded.mesh.workload_entries.push(resource);
                }
            }
            Kind::Pod => {
                if let Some(spec) = self.typed::<PodSpec>(entry, "spec") {
                    let span = entry.node.pointer(&["metadata", "labels"]).map_or_else(|| name_span(entry), Node::span);
                    let template = PodTemplate { metadata: entry.metadata.clone(), spec: Some(spec) };
                    self.workload(entry, &Spanned { value: template, span });
                }
            }
            Kind::Controller => self.controller(entry),
            Kind::ConfigMap => self.config_map(entry),
            Kind::IstioOperator => self.mesh_settings(entry.node.pointer(&["spec", "meshConfig"])),
            Kind::SailIstio => self.mesh_settings(entry.node.pointer(&["spec", "values", "meshConfig"])),
            Kind::NetworkPolicy => self.loaded.counts.network_policies += 1,
            Kind::Harmless | Kind::Kustomization | Kind::Other => {}
        }
    }

    /// Reads an object whose own part stands under `spec`.
    fn resource<T: DeserializeOwned + Default>(&mut self, entry: &Entry<'_>) -> Option<Resource<T>> {
        self.unknown_top_level(entry);
        let spec = self.typed(entry, "spec")?;
        Some(bare(entry, spec))
    }

    /// Reads one part of an object; its type errors and unknown fields are problems.
    fn typed<T: DeserializeOwned + Default>(&mut self, entry: &Entry<'_>, part: &str) -> Option<T> {
        let Some(node) = entry.node.get(part) else {
            return Some(T::default());
        };
        let typed = yaml::from_node::<T>(node);
        if entry.kind.is_istio_api() && !entry.context {
            for unread in &typed.unread {
                let problem = unknown_field::problem(unread, &entry.id, part);
                self.loaded.problems.push(problem);
            }
        }
        match typed.value {
            Ok(value) => Some(value),
            Err(error) => {
                let path =
                    if error.field_path.is_empty() { part.to_owned() } else { format!("{part}.{}", error.field_path) };
                let message = format!("{} does not act: `{path}` {}", entry.id, error.message);
                self.loaded.problems.push(Problem::new(ProblemKind::Rejected, error.span, message).of(&entry.id));
                None
            }
        }
    }

    /// Keys beside `spec` that no object has.
    fn unknown_top_level(&mut self, entry: &Entry<'_>) {
        if !entry.kind.is_istio_api() || entry.context {
            return;
        }
        for (key, key_span, _) in entry.node.entries() {
            if !matches!(key, "apiVersion" | "kind" | "metadata" | "spec" | "status") {
                let problem = unknown_field::top_level(key, key_span, &entry.id);
                self.loaded.problems.push(problem);
            }
        }
    }

    /// Reads whatever has a pod template.
    fn controller(&mut self, entry: &Entry<'_>) {
        let Some(controller) = self.typed::<Controller>(entry, "spec") else {
            return;
        };
        let job = controller.job_template.as_ref().and_then(|job| job.spec.as_ref());
        let template = controller.template.as_ref().or_else(|| job.and_then(|job| job.template.as_ref()));
        if let Some(template) = template {
            let labels = ["spec", "template", "metadata", "labels"];
            let span = entry.node.pointer(&labels).map_or_else(|| name_span(entry), Node::span);
            self.workload(entry, &Spanned { value: template.clone(), span });
        }
    }

    /// Adds a workload.
    fn workload(&mut self, entry: &Entry<'_>, template: &Spanned<PodTemplate>) {
        self.loaded.mesh.workloads.push(Workload::from_template(&bare(entry, ()), template));
    }

    /// A `ConfigMap` named `istio` or `istio-REVISION` holds the mesh settings.
    fn config_map(&mut self, entry: &Entry<'_>) {
        if entry.id.name != "istio" && !entry.id.name.starts_with("istio-") {
            return;
        }
        let typed = yaml::from_node::<ConfigMap>(entry.node);
        let Ok(ConfigMap { data: Some(data) }) = typed.value else {
            return;
        };
        let Some(text) = data.get("mesh") else {
            return;
        };
        let stream = yaml::read(text.span.file, &text.value);
        if let Some(document) = stream.documents.first() {
            self.set_mesh(yaml::from_node::<MeshConfig>(document.root()).value.ok(), text.span, true);
        }
    }

    /// Mesh settings that stand in an operator's object.
    fn mesh_settings(&mut self, node: Option<Node<'_>>) {
        if let Some(node) = node {
            self.set_mesh(yaml::from_node::<MeshConfig>(node).value.ok(), node.span(), false);
        }
    }

    /// Takes mesh settings in. Those inside a text have no spans of their own: they get the text's.
    fn set_mesh(&mut self, config: Option<MeshConfig>, span: Span, in_text: bool) {
        let Some(mut config) = config else {
            let message = "these mesh settings cannot be read; Istio's defaults are taken";
            self.loaded.problems.push(Problem::new(ProblemKind::Rejected, span, message));
            return;
        };
        if in_text {
            for provider in config.extension_providers.iter_mut().flatten() {
                provider.span = span;
            }
            if let Some(mode) = config.path_normalization.as_mut().and_then(|path| path.normalization.as_mut()) {
                mode.span = span;
            }
            if let Some(mode) = config.outbound_traffic_policy.as_mut().and_then(|policy| policy.mode.as_mut()) {
                mode.span = span;
            }
        }
        self.loaded.mesh.settings = MeshSettings { config, origin: SettingsOrigin::Manifest(span) };
    }
}
