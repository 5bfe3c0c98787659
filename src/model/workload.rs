//! Pods and virtual machines under one type, whatever made them.

use std::sync::Arc;

use compact_str::CompactString;

use super::cluster::{Container, ContainerPort, PodSpec, PodTemplate};
use super::object::{Labels, ObjectId, Resource};
use super::traffic::WorkloadEntry;
use crate::text::{Span, Spanned};

/// What a pod template, a Pod or a `WorkloadEntry` says about its pods.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// The object that makes it
    pub id: Arc<ObjectId>,
    /// Labels of the pods, not of the object that makes them
    pub labels: Labels,
    /// Annotations of the pods
    pub annotations: std::collections::BTreeMap<CompactString, Spanned<CompactString>>,
    /// `default` if nothing is written
    pub service_account: CompactString,
    /// Where the manifest names the service account
    pub account_span: Option<Span>,
    /// Ports that the containers declare
    pub ports: Vec<Spanned<ContainerPort>>,
    /// `hostNetwork: true`, with its place
    pub host_network: Option<Span>,
    /// Whether the manifest itself carries an `istio-proxy` container
    pub proxy_container: bool,
    /// The value of `metadata.name`
    pub name_span: Span,
    /// Where the pod's labels or, without any, the name stand
    pub template_span: Span,
    /// Belongs to someone else: evaluated, never blamed
    pub context: bool,
    /// Not in the input: implied by an open namespace
    pub implied: bool,
}

impl Workload {
    /// The workload of a pod template.
    pub fn from_template(object: Resource<()>, template: Spanned<PodTemplate>) -> Self {
        let Spanned { value: PodTemplate { metadata, spec }, span: template_span } = template;
        let PodSpec { service_account_name, service_account, host_network, containers, init_containers } =
            spec.unwrap_or_default();
        let (containers, init) = (containers.unwrap_or_default(), init_containers.unwrap_or_default());
        let proxy_container =
            containers.iter().chain(&init).any(|container| container.name.as_deref() == Some("istio-proxy"));
        let running = containers.into_iter().chain(init.into_iter().filter(stays));
        let account = service_account_name.or(service_account);
        Self {
            id: object.id,
            labels: metadata.labels.unwrap_or_default(),
            annotations: metadata.annotations.unwrap_or_default(),
            account_span: account.as_ref().map(|account| account.span),
            service_account: account
                .map(|account| account.value)
                .filter(|account| !account.is_empty())
                .unwrap_or(const { CompactString::const_new("default") }),
            ports: running.flat_map(|container| container.ports.unwrap_or_default()).collect(),
            host_network: host_network.filter(|host| host.value).map(|host| host.span),
            proxy_container,
            name_span: object.name_span,
            template_span,
            context: object.context,
            implied: false,
        }
    }

    /// The workload of a `WorkloadEntry`.
    pub fn from_entry(entry: &Resource<WorkloadEntry>) -> Self {
        let ports = entry.spec.ports.iter().flatten().map(|(name, number)| Spanned {
            span: entry.spec_span,
            value: ContainerPort {
                name: Some(name.clone()),
                container_port: Some(*number),
                ..ContainerPort::default()
            },
        });
        let account = entry.spec.service_account.as_ref().filter(|account| !account.value.is_empty());
        Self {
            id: entry.id.clone(),
            labels: entry.spec.labels.clone().or_else(|| Some(entry.labels.clone())).unwrap_or_default(),
            annotations: entry.annotations.clone(),
            service_account: account
                .map_or(const { CompactString::const_new("default") }, |account| account.value.clone()),
            account_span: account.map(|account| account.span),
            ports: ports.collect(),
            host_network: None,
            proxy_container: true,
            name_span: entry.name_span,
            template_span: entry.spec_span,
            context: entry.context,
            implied: false,
        }
    }

    /// `NS/NAME`, or `NS/{k=v,…}` for one that the input only implies.
    pub fn display_name(&self) -> String {
        self.id.path()
    }

    /// The identity without its trust domain: `ns/NS/sa/SA`.
    pub fn identity_path(&self) -> String {
        format!("ns/{}/sa/{}", self.id.namespace, self.service_account)
    }

    /// The annotation's value with its place.
    pub fn annotation(&self, key: &str) -> Option<&Spanned<CompactString>> {
        self.annotations.get(key)
    }
}

/// Whether an init container keeps running beside the others.
fn stays(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// What messages call a workload of a name: the one that is only implied and has no labels by where it is, for nobody
/// knows its name.
pub fn workload_in_words(name: &str) -> String {
    match name.strip_suffix("/{}") {
        Some(namespace) => format!("a workload of `{namespace}` that no selector picks"),
        None => format!("`{name}`"),
    }
}
