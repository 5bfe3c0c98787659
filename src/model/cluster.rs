//! Kubernetes kinds as far as the mesh looks at them: Service, Namespace, pods and what makes pods.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::Deserialize;

use super::object::{Labels, Metadata};
use crate::text::Spanned;
use crate::yaml::IntOrString;

/// `spec` of a `Service`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Service {
    /// `ClusterIP` if absent
    #[serde(rename = "type")]
    pub service_type: Option<Spanned<CompactString>>,
    /// Labels of the pods; absent and empty select none
    pub selector: Option<Labels>,
    /// Ports
    pub ports: Option<Vec<Spanned<ServicePort>>>,
    /// `None` for a headless service
    #[serde(rename = "clusterIP")]
    pub cluster_ip: Option<CompactString>,
    /// Addresses that reach it from outside
    #[serde(rename = "externalIPs")]
    pub external_ips: Option<Spanned<Vec<CompactString>>>,
    /// Target of `ExternalName`
    pub external_name: Option<CompactString>,
    /// `Cluster` if absent: nodes pass connections on to others, under their own address
    pub external_traffic_policy: Option<CompactString>,
    /// Whether a load balancer opens node ports too
    pub allocate_load_balancer_node_ports: Option<bool>,
}

impl Service {
    /// The ports, none if absent.
    pub fn ports(&self) -> &[Spanned<ServicePort>] {
        self.ports.as_deref().unwrap_or(&[])
    }
}

/// A port of a `Service`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServicePort {
    /// Name, which may declare the protocol
    pub name: Option<CompactString>,
    /// Number
    pub port: Option<i64>,
    /// Number or name at the pod; the port's own number if absent
    pub target_port: Option<IntOrString>,
    /// TCP if absent
    pub protocol: Option<CompactString>,
    /// Declares the protocol, before the name
    pub app_protocol: Option<CompactString>,
    /// Port on every node
    pub node_port: Option<i64>,
}

/// A pod template, and the spec of a `Pod`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PodTemplate {
    /// Labels and annotations of the pods
    pub metadata: Metadata,
    /// The pod's own part
    pub spec: Option<PodSpec>,
}

/// `spec` of a pod.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodSpec {
    /// `default` if absent
    pub service_account_name: Option<Spanned<CompactString>>,
    /// The older name of `serviceAccountName`
    pub service_account: Option<Spanned<CompactString>>,
    /// Uses the node's network, past any sidecar
    pub host_network: Option<Spanned<bool>>,
    /// Containers
    pub containers: Option<Vec<Container>>,
    /// Containers that start first; those with `restartPolicy: Always` stay
    pub init_containers: Option<Vec<Container>>,
}

/// A container.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    /// Name; `istio-proxy` is the sidecar
    pub name: Option<CompactString>,
    /// Ports it says it listens on
    pub ports: Option<Vec<Spanned<ContainerPort>>>,
    /// `Always` makes an init container a sidecar
    pub restart_policy: Option<CompactString>,
}

/// A port of a container.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerPort {
    /// Name, which a service may name as its target
    pub name: Option<CompactString>,
    /// Number
    pub container_port: Option<i64>,
    /// TCP if absent
    pub protocol: Option<CompactString>,
    /// Port on the node
    pub host_port: Option<i64>,
}

/// `spec` of Deployment, `StatefulSet`, `DaemonSet`, `ReplicaSet`, Job, Rollout, `ReplicationController`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Controller {
    /// What its pods look like
    pub template: Option<PodTemplate>,
    /// The template of a `CronJob`'s jobs
    pub job_template: Option<JobTemplate>,
}

/// `jobTemplate` of a `CronJob`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct JobTemplate {
    /// The job's spec
    pub spec: Option<Box<Controller>>,
}

/// A Kubernetes `Ingress`, as far as it opens doors to services.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Ingress {
    /// Class by field
    pub ingress_class_name: Option<CompactString>,
    /// Backend of everything else
    pub default_backend: Option<IngressBackend>,
    /// Rules by host
    pub rules: Option<Vec<IngressRule>>,
}

impl Ingress {
    /// The hosts that it serves, `*` for every one.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        let hosts = self.rules.iter().flatten().map(|rule| rule.host.as_deref().filter(|host| !host.is_empty()));
        hosts.map(|host| host.unwrap_or("*")).chain(self.default_backend.as_ref().map(|_| "*"))
    }

    /// The services it sends requests to.
    pub fn backends(&self) -> impl Iterator<Item = &IngressService> {
        let rules = self.rules.iter().flatten();
        rules
            .filter_map(|rule| rule.http.as_ref())
            .flat_map(|http| http.paths.iter().flatten())
            .filter_map(|path| path.backend.as_ref())
            .chain(self.default_backend.as_ref())
            .filter_map(|backend| backend.service.as_ref())
    }
}

/// An entry of `rules`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct IngressRule {
    /// The host; every one if absent
    pub host: Option<CompactString>,
    /// Paths of one host
    pub http: Option<IngressHttp>,
}

/// `http` of an Ingress rule.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct IngressHttp {
    /// Paths
    pub paths: Option<Vec<IngressPath>>,
}

/// An entry of `paths`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct IngressPath {
    /// Where to
    pub backend: Option<IngressBackend>,
}

/// `backend`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct IngressBackend {
    /// The service
    pub service: Option<IngressService>,
}

/// `service` of an Ingress backend.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct IngressService {
    /// Its name
    pub name: Option<Spanned<CompactString>>,
}

/// A kind without a `spec` that matters: Namespace, `ServiceAccount`, Gateway API kinds …
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NoSpec {}

/// `spec` of a kind that is recognised and not modelled yet, as far as it says what it is about.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UnmodelledSpec {
    /// What a route of the Gateway API is attached to
    pub parent_refs: Option<Vec<ParentRef>>,
    /// Class of a Gateway API gateway
    pub gateway_class_name: Option<CompactString>,
}

/// An entry of `parentRefs`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ParentRef {
    /// `Gateway` if absent
    pub kind: Option<CompactString>,
    /// Its name
    pub name: Option<CompactString>,
    /// Its namespace; the route's own if absent
    pub namespace: Option<CompactString>,
}

/// `data` of a `ConfigMap`, as far as it can hold mesh settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct ConfigMap {
    /// Texts by key
    pub data: Option<BTreeMap<CompactString, Spanned<CompactString>>>,
}
