//! The own part of each object, read into the mesh.

use serde::de::DeserializeOwned;

use super::cluster::{ConfigMap, Controller, NoSpec, PodSpec, PodTemplate, Service};
use super::entry::Entry;
use super::kind::Kind;
use super::load::Loader;
use super::mesh_settings::{MeshSettings, SettingsOrigin};
use super::object::Resource;
use super::placeholder;
use super::problem::{Problem, ProblemKind};
use super::surprise;
use super::unknown_field;
use super::workload::Workload;
use crate::config::MeshConfig;
use crate::text::{Span, Spanned};
use crate::yaml::{self, Node, NodeKind};

impl Loader<'_> {
    /// Reads one object into the mesh.
    pub(super) fn object(&mut self, node: Node<'_>, entry: Entry) {
        if entry.kind == Kind::Kustomization {
            self.loaded.counts.kustomizations += 1;
        } else {
            *self.loaded.counts.resources.entry(entry.id.kind.to_string()).or_default() += 1;
        }
        macro_rules! into {
            ($list:ident) => {
                if let Some(resource) = self.resource(node, entry) {
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
            Kind::Service => {
                let labels = entry.transformation.as_ref().map(|made| made.labels.clone());
                if let Some(mut service) = self.resource::<Service>(node, entry) {
                    if let Some(selector) = service.spec.selector.as_mut().filter(|selector| !selector.is_empty()) {
                        selector.extend(labels.into_iter().flatten());
                    }
                    self.loaded.mesh.services.push(service);
                }
            }
            Kind::Ingress => into!(ingresses),
            Kind::ServiceAccount => self.loaded.mesh.service_accounts.push(entry.with(node, NoSpec {})),
            Kind::Unmodelled => {
                // Another API's object: what it says beside this is not judged, nor whether it says it rightly.
                let spec = node.get("spec").and_then(|node| yaml::from_node(node).value.ok());
                self.loaded.mesh.unmodelled.push(entry.with(node, spec.unwrap_or_default()));
            }
            Kind::Namespace => {
                let name = entry.id.name.clone();
                self.loaded.mesh.namespaces.insert(name, entry.with(node, NoSpec {}));
            }
            Kind::WorkloadEntry => {
                if let Some(resource) = self.resource(node, entry) {
                    self.loaded.mesh.workloads.push(Workload::from_entry(&resource).into());
                    self.loaded.mesh.workload_entries.push(resource);
                }
            }
            Kind::Pod => {
                if let Some(spec) = self.typed::<PodSpec>(node, &entry, "spec") {
                    let span = node.pointer(&["metadata", "labels"]).map_or_else(|| entry.name_span(), Node::span);
                    let template = PodTemplate { metadata: entry.metadata.clone(), spec: Some(spec) };
                    self.workload(node, entry, Spanned { value: template, span });
                }
            }
            Kind::Controller => self.controller(node, entry),
            Kind::ConfigMap => self.config_map(node, &entry),
            Kind::IstioOperator => self.mesh_settings(node.pointer(&["spec", "meshConfig"])),
            Kind::SailIstio => self.mesh_settings(node.pointer(&["spec", "values", "meshConfig"])),
            Kind::NetworkPolicy => self.loaded.counts.network_policies += 1,
            Kind::Harmless | Kind::Kustomization | Kind::Other => {}
        }
    }

    /// Reads an object whose own part stands under `spec`.
    fn resource<T: DeserializeOwned + Default>(&mut self, node: Node<'_>, entry: Entry) -> Option<Resource<T>> {
        self.unknown_top_level(node, &entry);
        let spec = self.typed(node, &entry, "spec")?;
        Some(entry.with(node, spec))
    }

    /// Reads one part of an object; its type errors and unknown fields are problems.
    fn typed<T: DeserializeOwned + Default>(&mut self, node: Node<'_>, entry: &Entry, part: &str) -> Option<T> {
        // The API server drops a field that is null, as if it were absent.
        let Some(node) = node.get(part).filter(|node| node.kind() != NodeKind::Null) else {
            return Some(T::default());
        };
        let typed = yaml::from_node::<T>(node);
        let odd = !node.is_in_plain_document() && !entry.context;
        if odd && (entry.kind.is_istio_api() || entry.kind == Kind::Service) {
            self.loaded.problems.extend(surprise::problems(node, self.files, &entry.id));
        }
        if entry.kind.is_istio_api() && !entry.context {
            for unread in &typed.unread {
                let problem = unknown_field::problem(unread, &entry.id, part);
                self.loaded.problems.push(problem);
            }
            if odd {
                self.placeholders(node, entry);
            }
        }
        match typed.value {
            Ok(value) => Some(value),
            Err(error) => {
                let path =
                    if error.field_path.is_empty() { part.to_owned() } else { format!("{part}.{}", error.field_path) };
                let message = format!("{} does not act: `{path}` {}", entry.id, error.message);
                let span = self.files.visible(error.span);
                self.loaded.problems.push(Problem::new(ProblemKind::Misfit, span, message).of(&entry.id));
                None
            }
        }
    }

    /// Values that are filled in later: the answers are those of the text as it stands.
    fn placeholders(&mut self, node: Node<'_>, entry: &Entry) {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            if node.as_str().is_some_and(placeholder::is_explicit) {
                let message = format!("{} holds a value that is filled in later", entry.id);
                self.loaded.problems.push(Problem::new(ProblemKind::Template, node.span(), message).of(&entry.id));
                return;
            }
            pending.extend(node.entries().map(|(_, _, value)| value).rev());
            pending.extend(node.items().rev());
        }
    }

    /// Keys beside `spec` that no object has.
    fn unknown_top_level(&mut self, node: Node<'_>, entry: &Entry) {
        if !entry.kind.is_istio_api() || entry.context {
            return;
        }
        for (key, key_span, _) in node.entries() {
            if !matches!(key, "apiVersion" | "kind" | "metadata" | "spec" | "status") {
                let problem = unknown_field::top_level(key, key_span, &entry.id);
                self.loaded.problems.push(problem);
            }
        }
    }

    /// Reads whatever has a pod template.
    fn controller(&mut self, node: Node<'_>, entry: Entry) {
        let Some(controller) = self.typed::<Controller>(node, &entry, "spec") else {
            return;
        };
        let job = || controller.job_template.and_then(|job| job.spec);
        if let Some(template) = controller.template.or_else(|| job().and_then(|job| job.template)) {
            let labels = ["spec", "template", "metadata", "labels"];
            let span = node.pointer(&labels).map_or_else(|| entry.name_span(), Node::span);
            self.workload(node, entry, Spanned { value: template, span });
        }
    }

    /// Adds a workload.
    fn workload(&mut self, node: Node<'_>, mut entry: Entry, template: Spanned<PodTemplate>) {
        let transformation = entry.transformation.take();
        let mut workload = Workload::from_template(entry.with(node, ()), template);
        if let Some(made) = transformation {
            if self.accounts.contains(&(made.directory.clone(), workload.service_account.clone())) {
                workload.service_account = made.rename(&workload.service_account);
            }
            workload.labels.extend(made.labels);
        }
        self.loaded.mesh.workloads.push(workload.into());
    }

    /// A `ConfigMap` named `istio` or `istio-REVISION` holds the mesh settings.
    fn config_map(&mut self, node: Node<'_>, entry: &Entry) {
        if entry.id.name != "istio" && !entry.id.name.starts_with("istio-") {
            return;
        }
        let typed = yaml::from_node::<ConfigMap>(node);
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
