//! `Mesh`: everything that was read, by kind, in path order. No judgement.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::cluster::{Ingress, NoSpec, Service, UnmodelledSpec};
use super::extension::{EnvoyFilter, ProxyConfig, ProxyExtension};
use super::gateway::Gateway;
use super::mesh_settings::MeshSettings;
use super::object::{ObjectId, Resource};
use super::objects::Objects;
use super::security::{AuthorizationPolicy, PeerAuthentication, RequestAuthentication};
use super::traffic::{DestinationRule, ServiceEntry, Sidecar, WorkloadEntry};
use super::virtual_service::VirtualService;
use super::workload::Workload;

/// The objects of a mesh, as written. Lists are in path order.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are named after the kinds they hold")]
pub struct Mesh {
    pub settings: MeshSettings,
    pub gateways: Objects<Resource<Gateway>>,
    pub virtual_services: Objects<Resource<VirtualService>>,
    pub destination_rules: Objects<Resource<DestinationRule>>,
    pub service_entries: Objects<Resource<ServiceEntry>>,
    pub sidecars: Objects<Resource<Sidecar>>,
    pub workload_entries: Objects<Resource<WorkloadEntry>>,
    pub authorization_policies: Objects<Resource<AuthorizationPolicy>>,
    pub peer_authentications: Objects<Resource<PeerAuthentication>>,
    pub request_authentications: Objects<Resource<RequestAuthentication>>,
    pub envoy_filters: Objects<Resource<EnvoyFilter>>,
    /// `WasmPlugin` and `TrafficExtension`
    pub proxy_extensions: Objects<Resource<ProxyExtension>>,
    pub proxy_configs: Objects<Resource<ProxyConfig>>,
    pub services: Objects<Resource<Service>>,
    pub ingresses: Objects<Resource<Ingress>>,
    /// Namespace objects by name
    pub namespaces: BTreeMap<CompactString, Resource<NoSpec>>,
    /// Pods, what makes pods, and workload entries
    pub workloads: Objects<Arc<Workload>>,
    pub service_accounts: Objects<Resource<NoSpec>>,
    /// Kinds that are recognised and not modelled yet: Gateway API and the like
    pub unmodelled: Objects<Resource<UnmodelledSpec>>,
    /// Gateways over whose namespace a kustomization writes another one: as they are written, and as they are applied
    pub moved_gateways: BTreeMap<ObjectId, ObjectId>,
}

impl Mesh {
    /// The authorization policy of this namespace and name.
    pub fn authorization_policy(&self, id: &ObjectId) -> Option<&Resource<AuthorizationPolicy>> {
        self.authorization_policies.named(&id.namespace, &id.name)
    }

    /// The gateway of this namespace and name.
    pub fn gateway(&self, namespace: &str, name: &str) -> Option<&Resource<Gateway>> {
        self.gateways.named(namespace, name)
    }

    /// The service of this namespace and name.
    pub fn service(&self, namespace: &str, name: &str) -> Option<&Resource<Service>> {
        self.services.named(namespace, name)
    }

    /// The workloads of a namespace that are in the input.
    pub fn workloads_in<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Workload> + use<'a> {
        self.workloads.in_namespace(namespace).map(AsRef::as_ref)
    }

    /// Whether an object belongs to somebody else.
    pub fn is_context(&self, id: &ObjectId) -> bool {
        let policies =
            self.authorization_policies.in_namespace(&id.namespace).any(|object| *object.id == *id && object.context);
        let peers =
            self.peer_authentications.in_namespace(&id.namespace).any(|object| *object.id == *id && object.context);
        let requests =
            self.request_authentications.in_namespace(&id.namespace).any(|object| *object.id == *id && object.context);
        let gateways = self.gateways.in_namespace(&id.namespace).any(|object| *object.id == *id && object.context);
        let services =
            self.virtual_services.in_namespace(&id.namespace).any(|object| *object.id == *id && object.context);
        policies || peers || requests || gateways || services
    }

    /// Adds the objects that were read behind these. Of mesh settings the last ones are in force.
    pub(super) fn append(&mut self, more: Self) {
        let Self {
            settings,
            gateways,
            virtual_services,
            destination_rules,
            service_entries,
            sidecars,
            workload_entries,
            authorization_policies,
            peer_authentications,
            request_authentications,
            envoy_filters,
            proxy_extensions,
            proxy_configs,
            services,
            ingresses,
            namespaces,
            workloads,
            service_accounts,
            unmodelled,
            moved_gateways,
        } = more;
        if settings.known() {
            self.settings = settings;
        }
        self.gateways.append(gateways);
        self.virtual_services.append(virtual_services);
        self.destination_rules.append(destination_rules);
        self.service_entries.append(service_entries);
        self.sidecars.append(sidecars);
        self.workload_entries.append(workload_entries);
        self.authorization_policies.append(authorization_policies);
        self.peer_authentications.append(peer_authentications);
        self.request_authentications.append(request_authentications);
        self.envoy_filters.append(envoy_filters);
        self.proxy_extensions.append(proxy_extensions);
        self.proxy_configs.append(proxy_configs);
        self.services.append(services);
        self.ingresses.append(ingresses);
        self.namespaces.extend(namespaces);
        self.workloads.append(workloads);
        self.service_accounts.append(service_accounts);
        self.unmodelled.append(unmodelled);
        self.moved_gateways.extend(moved_gateways);
    }

    /// Drops the objects that do not act.
    pub fn retain(&mut self, acts: impl Fn(&ObjectId) -> bool) {
        self.gateways.retain(&acts);
        self.virtual_services.retain(&acts);
        self.destination_rules.retain(&acts);
        self.service_entries.retain(&acts);
        self.sidecars.retain(&acts);
        self.workload_entries.retain(&acts);
        self.authorization_policies.retain(&acts);
        self.peer_authentications.retain(&acts);
        self.request_authentications.retain(&acts);
        self.envoy_filters.retain(&acts);
        self.workloads.retain(&acts);
    }
}
