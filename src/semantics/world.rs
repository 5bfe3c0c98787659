//! The world that answers are about: what is in the input, what it implies, and what that rests on.

#![expect(clippy::wildcard_enum_match_arm, reason = "what is not assumed is kept")]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use compact_str::CompactString;

use super::decision::Assumption;
use super::gateway_workload::{self, GatewayWorkload};
use super::implied;
use super::inbound;
use super::membership::{Membership, membership};
use super::validation::rejections;
use super::world_options::WorldOptions;
use crate::config::WorldSetting;
use crate::model::{AuthorizationPolicy, Mesh, ObjectId, Problem, Resource, Service, SettingsOrigin, Workload};
use crate::space::Universe;

/// The mesh with what it implies. Everything below answers questions about it.
#[derive(Debug, Clone)]
pub struct World {
    /// The objects in force
    pub mesh: Mesh,
    /// What the owner says
    pub options: WorldOptions,
    /// Workloads by namespace: those of the input, then those that it implies
    pub workloads: BTreeMap<String, Vec<Arc<Workload>>>,
    /// Workloads that serve Gateways
    pub gateway_workloads: Vec<GatewayWorkload>,
    /// Objects whose pods serve Gateways
    gateway_objects: HashSet<Arc<ObjectId>>,
    /// Identities of the ingress, without their trust domain: `ns/NS/sa/SA`
    pub ingress: BTreeSet<String>,
    /// What the answers rest on
    pub assumptions: Vec<Assumption>,
    /// Authorization policies that were refused and do not act
    pub refused: Vec<Resource<AuthorizationPolicy>>,
    /// What can occur in a request to any sidecar, once somebody asks
    http_universe: OnceLock<Universe>,
    /// Identities of each namespace to name in witnesses, once somebody asks
    peers: OnceLock<HashMap<String, Vec<Arc<str>>>>,
}

impl World {
    /// Works out what the input implies, without the objects that are refused; those are given back as problems.
    pub fn admit(mut mesh: Mesh, options: WorldOptions) -> (Self, Vec<Problem>) {
        let mut problems = rejections(&mesh);
        let refused: BTreeSet<ObjectId> = problems.iter().filter_map(|problem| problem.object.clone()).collect();
        let own = |id: &ObjectId| !mesh.is_context(id);
        problems.retain(|problem| problem.object.as_ref().is_none_or(own));
        let policies = mesh.authorization_policies.iter().filter(|policy| refused.contains(&policy.id));
        let policies: Vec<Resource<AuthorizationPolicy>> = policies.cloned().collect();
        if !refused.is_empty() {
            mesh.retain(|id| !refused.contains(id));
        }
        (Self { refused: policies, ..Self::new(mesh, options) }, problems)
    }

    /// Works out what the input implies.
    pub fn new(mesh: Mesh, options: WorldOptions) -> Self {
        let mut world = Self {
            mesh,
            options,
            workloads: BTreeMap::new(),
            gateway_workloads: Vec::new(),
            gateway_objects: HashSet::new(),
            ingress: BTreeSet::new(),
            assumptions: Vec::new(),
            refused: Vec::new(),
            http_universe: OnceLock::new(),
            peers: OnceLock::new(),
        };
        world.gateway_workloads = gateway_workload::gateway_workloads(&world.mesh, &world.options);
        world.gateway_objects = world.gateway_workloads.iter().filter_map(|gateway| gateway.object.clone()).collect();
        world.ingress = gateway_workload::ingress_identities(&world.mesh, &world.options, &world.gateway_workloads);
        for namespace in world.namespaces() {
            let mut workloads: Vec<Arc<Workload>> = world.mesh.workloads.in_namespace(&namespace).cloned().collect();
            if world.is_open(&namespace) {
                workloads.extend(implied::implied_workloads(&world.mesh, &namespace));
            }
            world.workloads.insert(namespace, workloads);
        }
        world.note_assumptions();
        world
    }

    /// Every namespace that something of the input lives in or points at.
    pub fn namespaces(&self) -> BTreeSet<String> {
        let mesh = &self.mesh;
        let mut found: BTreeSet<String> = mesh.namespaces.keys().map(ToString::to_string).collect();
        let lived_in = mesh
            .authorization_policies
            .namespaces()
            .chain(mesh.peer_authentications.namespaces())
            .chain(mesh.request_authentications.namespaces())
            .chain(mesh.virtual_services.namespaces())
            .chain(mesh.services.namespaces())
            .chain(mesh.workloads.namespaces());
        found.extend(lived_in.map(str::to_owned));
        found
    }

    /// Whether a namespace may hold workloads that are not in the input.
    pub fn is_open(&self, namespace: &str) -> bool {
        match self.options.world {
            WorldSetting::Open => true,
            WorldSetting::Closed => false,
            WorldSetting::Auto => self.mesh.workloads_in(namespace).next().is_none(),
        }
    }

    /// The workloads of a namespace, implied ones last.
    pub fn workloads_in(&self, namespace: &str) -> &[Arc<Workload>] {
        self.workloads.get(namespace).map_or(&[], Vec::as_slice)
    }

    /// Whether the workload has a sidecar, assumptions made.
    pub fn membership(&self, workload: &Workload) -> Membership {
        match membership(&self.mesh, workload) {
            Membership::Assumed if !self.options.assume_injected => Membership::Out {
                reason: "nothing says that it has a sidecar, and `assume-injected` is off".to_owned(),
                span: workload.name_span,
            },
            other => other,
        }
    }

    /// The same world with a part of its mesh, for questions that the rest has no part in.
    #[must_use]
    pub fn with_mesh(&self, mesh: Mesh) -> Self {
        Self {
            mesh,
            options: self.options.clone(),
            workloads: self.workloads.clone(),
            gateway_workloads: self.gateway_workloads.clone(),
            gateway_objects: self.gateway_objects.clone(),
            ingress: self.ingress.clone(),
            assumptions: Vec::new(),
            refused: Vec::new(),
            http_universe: OnceLock::new(),
            peers: OnceLock::new(),
        }
    }

    /// Whether the owner vouches for an object.
    pub fn is_trusted(&self, id: &ObjectId) -> bool {
        self.options.trusted.contains_key(&id.to_string())
    }

    /// The values that can occur in an HTTP request to any sidecar, identities aside.
    pub(super) fn http_universe(&self) -> &Universe {
        self.http_universe.get_or_init(|| inbound::any_http_universe(self))
    }

    /// Identities of a namespace to name in witnesses: of a workload, and of another account. Kept once for all policies
    /// that name the namespace. `None` where nothing lives there.
    pub(super) fn peers_of(&self, namespace: &str) -> Option<&[Arc<str>]> {
        let peers = |(namespace, workloads): (&String, &Vec<Arc<Workload>>)| {
            let first = workloads.iter().find(|workload| !workload.implied).map(|workload| workload.identity_path());
            let paths = first.into_iter().chain([format!("ns/{namespace}/sa/default")]);
            (namespace.clone(), paths.map(|path| self.identity(&path).into()).collect())
        };
        let all = || self.workloads.iter().map(peers).collect();
        self.peers.get_or_init(all).get(namespace).map(Vec::as_slice)
    }

    /// An identity of the mesh's own trust domain.
    pub fn identity(&self, path: &str) -> String {
        format!("{}/{path}", self.mesh.settings.trust_domain())
    }

    /// Whether a workload serves Gateways itself.
    pub fn is_gateway(&self, workload: &Workload) -> bool {
        self.gateway_objects.contains(&workload.id)
    }

    /// Whether a workload belongs to Istio itself: the control plane, node agents, and what it makes for gateways and
    /// waypoints of the Gateway API.
    pub fn is_control_plane(workload: &Workload) -> bool {
        let named = |key: &str| workload.labels.get(key).map(CompactString::as_str);
        let agents = ["istiod", "ztunnel", "istio-cni", "istio-cni-node"];
        let by_name = [named("app"), named("k8s-app"), named("app.kubernetes.io/name")];
        by_name.into_iter().flatten().any(|name| agents.contains(&name))
            || ["operator.istio.io/component", "gateway.networking.k8s.io/gateway-name", "gateway.istio.io/managed"]
                .into_iter()
                .any(|label| workload.labels.contains_key(label))
    }

    /// The Services that select a workload.
    pub fn services_of<'a>(&'a self, workload: &'a Workload) -> impl Iterator<Item = &'a Resource<Service>> {
        self.mesh.services.in_namespace(&workload.id.namespace).filter(move |service| {
            service.spec.selector.as_ref().filter(|selector| !selector.is_empty()).is_some_and(|selector| {
                if workload.implied {
                    implied::compatible(selector, &workload.labels)
                } else {
                    super::workload_selector::selects(Some(selector), &workload.labels)
                }
            })
        })
    }

    /// The words of the assumption that workloads of a namespace have sidecars.
    pub(crate) fn assumed_membership(namespace: &str) -> String {
        format!("workloads of `{namespace}` have a sidecar")
    }

    /// Writes down what the answers rest on.
    fn note_assumptions(&mut self) {
        let mut assumptions = Vec::new();
        for (namespace, workloads) in &self.workloads {
            let assumed = workloads
                .iter()
                .find(|workload| !self.is_gateway(workload) && membership(&self.mesh, workload) == Membership::Assumed);
            if let Some(workload) = assumed.filter(|_| self.options.assume_injected) {
                assumptions.push(Assumption {
                    kind: "membership",
                    message: Self::assumed_membership(namespace),
                    span: Some(workload.name_span).filter(|_| !workload.implied),
                });
            }
        }
        assumptions.extend(self.gateway_workloads.iter().filter_map(GatewayWorkload::assumption));
        if self.mesh.settings.origin == SettingsOrigin::Defaults {
            assumptions.push(Assumption {
                kind: "mesh-settings",
                message: "the mesh has Istio's default settings (root namespace `istio-system`, trust domain \
                          `cluster.local`, paths normalised as BASE)"
                    .to_owned(),
                span: None,
            });
        }
        for (object, reason) in &self.options.trusted {
            assumptions.push(Assumption {
                kind: "trusted",
                message: format!("{object} changes no decision: {reason}"),
                span: None,
            });
        }
        assumptions.sort();
        assumptions.dedup();
        self.assumptions = assumptions;
    }
}
