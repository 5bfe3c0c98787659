//! `Mesh`: everything that was read, by kind, in path order. No judgement.

use std::collections::BTreeMap;

use super::cluster::{Ingress, NoSpec, Service};
use super::extension::{EnvoyFilter, ProxyConfig, ProxyExtension};
use super::gateway::Gateway;
use super::mesh_settings::MeshSettings;
use super::object::{ObjectId, Resource};
use super::security::{AuthorizationPolicy, PeerAuthentication, RequestAuthentication};
use super::traffic::{DestinationRule, ServiceEntry, Sidecar, WorkloadEntry};
use super::virtual_service::VirtualService;
use super::workload::Workload;

/// The objects of a mesh, as written. Lists are in path order.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are named after the kinds they hold")]
pub struct Mesh {
    pub settings: MeshSettings,
    pub gateways: Vec<Resource<Gateway>>,
    pub virtual_services: Vec<Resource<VirtualService>>,
    pub destination_rules: Vec<Resource<DestinationRule>>,
    pub service_entries: Vec<Resource<ServiceEntry>>,
    pub sidecars: Vec<Resource<Sidecar>>,
    pub workload_entries: Vec<Resource<WorkloadEntry>>,
    pub authorization_policies: Vec<Resource<AuthorizationPolicy>>,
    pub peer_authentications: Vec<Resource<PeerAuthentication>>,
    pub request_authentications: Vec<Resource<RequestAuthentication>>,
    pub envoy_filters: Vec<Resource<EnvoyFilter>>,
    /// `WasmPlugin` and `TrafficExtension`
    pub proxy_extensions: Vec<Resource<ProxyExtension>>,
    pub proxy_configs: Vec<Resource<ProxyConfig>>,
    pub services: Vec<Resource<Service>>,
    pub ingresses: Vec<Resource<Ingress>>,
    /// Namespace objects by name
    pub namespaces: BTreeMap<String, Resource<NoSpec>>,
    /// Pods, what makes pods, and workload entries
    pub workloads: Vec<Workload>,
    pub service_accounts: Vec<Resource<NoSpec>>,
    /// Kinds that are recognised and not modelled yet: Gateway API and the like
    pub unmodelled: Vec<Resource<NoSpec>>,
}

impl Mesh {
    /// The authorization policy of this namespace and name.
    pub fn authorization_policy(&self, id: &ObjectId) -> Option<&Resource<AuthorizationPolicy>> {
        self.authorization_policies.iter().find(|policy| policy.id == *id)
    }

    /// The gateway of this namespace and name.
    pub fn gateway(&self, namespace: &str, name: &str) -> Option<&Resource<Gateway>> {
        self.gateways.iter().find(|gateway| gateway.id.namespace == namespace && gateway.id.name == name)
    }

    /// The service of this namespace and name.
    pub fn service(&self, namespace: &str, name: &str) -> Option<&Resource<Service>> {
        self.services.iter().find(|service| service.id.namespace == namespace && service.id.name == name)
    }

    /// The workloads of a namespace that are in the input.
    pub fn workloads_in<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Workload> {
        self.workloads.iter().filter(move |workload| workload.id.namespace == namespace)
    }

    /// Whether an object belongs to somebody else.
    pub fn is_context(&self, id: &ObjectId) -> bool {
        let policies = self.authorization_policies.iter().any(|object| object.id == *id && object.context);
        let peers = self.peer_authentications.iter().any(|object| object.id == *id && object.context);
        let requests = self.request_authentications.iter().any(|object| object.id == *id && object.context);
        let gateways = self.gateways.iter().any(|object| object.id == *id && object.context);
        let services = self.virtual_services.iter().any(|object| object.id == *id && object.context);
        policies || peers || requests || gateways || services
    }

    /// Drops the objects that do not act.
    pub fn retain(&mut self, acts: impl Fn(&ObjectId) -> bool) {
        self.gateways.retain(|object| acts(&object.id));
        self.virtual_services.retain(|object| acts(&object.id));
        self.destination_rules.retain(|object| acts(&object.id));
        self.service_entries.retain(|object| acts(&object.id));
        self.sidecars.retain(|object| acts(&object.id));
        self.workload_entries.retain(|object| acts(&object.id));
        self.authorization_policies.retain(|object| acts(&object.id));
        self.peer_authentications.retain(|object| acts(&object.id));
        self.request_authentications.retain(|object| acts(&object.id));
        self.envoy_filters.retain(|object| acts(&object.id));
        self.workloads.retain(|workload| acts(&workload.id));
    }
}
