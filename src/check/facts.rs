//! What all checks see: who stands where, which policies are attached there, and what decides at each door. Worked
//! out once, namespace by namespace.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Ground;
use super::observation::Observation;
use super::spot::{Listener, Spot};
use crate::matrix::{Door, Fronts, Lock, shared_listeners};
use crate::model::{AuthorizationPolicy, ObjectId, Resource, Workload};
use crate::semantics::{
    AttachedPolicies, GatewayWorkload, JwtFilter, Proxy, RoutingProxy, World, attached_policies, jwt_filter, selects,
};

/// Who a proxy belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owner<'w> {
    /// A workload with or without a sidecar
    Workload(&'w Workload),
    /// A gateway
    Gateway(&'w GatewayWorkload),
}

/// A place where policies act, if a proxy stands there.
#[derive(Debug)]
pub(super) struct Site<'w> {
    /// Whose
    pub(super) owner: Owner<'w>,
    /// The policies attached
    pub(super) attached: AttachedPolicies<'w>,
    /// The tokens that are verified
    pub(super) jwt: JwtFilter,
    /// The doors of a workload; none for a gateway
    pub(super) doors: &'w [Door<'w>],
    /// The listeners of a gateway, once somebody asks
    listeners: OnceLock<Vec<Listener<'w>>>,
}

/// Everything that checks look at.
#[derive(Debug)]
pub(super) struct Facts<'w> {
    /// The world and the texts
    pub(super) ground: Ground<'w>,
    /// All sites: workloads by namespace, then gateways
    pub(super) sites: Vec<Site<'w>>,
    /// Namespaces in which anything lives
    pub(super) namespaces: BTreeSet<String>,
    /// The workloads that they lead to, once somebody asks
    led_to: OnceLock<FxHashSet<Arc<ObjectId>>>,
    /// Places in `sites` where a policy is attached
    attached: FxHashMap<&'w ObjectId, Vec<usize>>,
    /// Places in `sites` of workloads, by name, once somebody asks
    workloads: OnceLock<FxHashMap<String, usize>>,
}

impl<'w> Facts<'w> {
    /// Looks at the world once.
    pub(super) fn of(ground: Ground<'w>) -> Self {
        let world = ground.world;
        let namespaces: Vec<(&'w String, &'w Vec<Arc<Workload>>)> = world.workloads.iter().collect();
        let sites: Vec<Vec<Site<'w>>> =
            namespaces.par_iter().map(|(namespace, workloads)| workload_sites(ground, namespace, workloads)).collect();
        let gateways = world.gateway_workloads.iter().map(|gateway| {
            let proxy = Proxy { namespace: &gateway.namespace, labels: &gateway.labels };
            let (attached, jwt) = (attached_policies(&world.mesh, proxy), jwt_filter(&world.mesh, proxy));
            Site { owner: Owner::Gateway(gateway), attached, jwt, doors: &[], listeners: OnceLock::new() }
        });
        let sites: Vec<Site<'w>> = sites.into_iter().flatten().chain(gateways).collect();
        let mut attached: FxHashMap<&'w ObjectId, Vec<usize>> = FxHashMap::default();
        for (place, site) in sites.iter().enumerate() {
            let policies = &site.attached;
            let all = [&policies.custom, &policies.deny, &policies.allow, &policies.idle];
            for policy in all.into_iter().flatten() {
                attached.entry(&policy.id).or_default().push(place);
            }
        }
        let namespaces = lived_in(world);
        let (led_to, workloads) = (OnceLock::new(), OnceLock::new());
        Self { ground, sites, namespaces, led_to, attached, workloads }
    }

    /// The world.
    pub(super) fn world(&self) -> &'w World {
        self.ground.world
    }

    /// What the gateways that let requests in lead to.
    pub(super) fn fronts(&self) -> &'w Fronts<'w> {
        self.ground.fronts
    }

    /// Whether such a gateway has a route to a workload.
    pub(super) fn is_led_to(&self, workload: &ObjectId) -> bool {
        let all = || self.fronts().led_to().into_iter().cloned().collect();
        self.led_to.get_or_init(all).contains(workload)
    }

    /// The authorization policies that may be blamed.
    pub(super) fn own_policies(&self) -> impl Iterator<Item = &'w Resource<AuthorizationPolicy>> + use<'w> {
        self.ground.own_policies()
    }

    /// What is seen at each of them by itself, side by side: a check that takes longer than others would keep one thread
    /// busy and all others waiting.
    pub(super) fn at_policies(
        &self,
        look: impl Fn(&'w Resource<AuthorizationPolicy>, &mut Vec<Observation>) + Sync,
    ) -> Vec<Observation> {
        /// Policies that one thread looks at in a row.
        const IN_A_ROW: usize = 64;
        let policies: Vec<&'w Resource<AuthorizationPolicy>> = self.own_policies().collect();
        let some = |policies: &[&'w Resource<AuthorizationPolicy>]| {
            let mut seen = Vec::new();
            for policy in policies {
                look(policy, &mut seen);
            }
            seen
        };
        policies.par_chunks(IN_A_ROW).flat_map_iter(some).collect()
    }

    /// Where a workload stands. None for gateways and Istio's own.
    pub(super) fn site_of(&self, workload: &Workload) -> Option<&Site<'w>> {
        let places = self.workloads.get_or_init(|| {
            let sites = self.sites.iter().enumerate();
            sites.filter_map(|(place, site)| Some((site.workload()?.display_name(), place))).collect()
        });
        self.sites.get(*places.get(&workload.display_name())?)
    }

    /// Where a policy is attached.
    pub(super) fn sites_of(&self, policy: &ObjectId) -> impl Iterator<Item = &Site<'w>> {
        let places = self.attached.get(policy).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|place| self.sites.get(*place))
    }

    /// What decides where a policy is attached; doors that decide alike once.
    pub(super) fn spots_of(&self, policy: &ObjectId) -> Vec<Spot<'_, 'w>> {
        let mut locks: FxHashSet<*const Lock> = FxHashSet::default();
        let spots = self.sites_of(policy).flat_map(|site| self.spots_at(site));
        spots.filter(|spot| spot.door().is_none_or(|door| locks.insert(Arc::as_ptr(&door.lock)))).collect()
    }

    /// What decides at a site.
    pub(super) fn spots_at<'f>(&'f self, site: &'f Site<'w>) -> Vec<Spot<'f, 'w>> {
        let judge = |gateway| {
            if let Some(chains) = self.fronts().chains_of(gateway) {
                let listener = |(entrypoint, proxy): (&str, &'w RoutingProxy)| {
                    Listener::of(self.world(), entrypoint.to_owned(), Cow::Borrowed(proxy))
                };
                return chains.map(listener).collect();
            }
            let listeners = shared_listeners(self.world(), gateway).into_iter();
            let chains = listeners.flat_map(|(entrypoints, listener)| {
                let entrypoint = entrypoints.into_iter().next().unwrap_or_default();
                listener.chains.into_iter().map(move |proxy| (entrypoint.clone(), proxy))
            });
            chains.map(|(entrypoint, proxy)| Listener::of(self.world(), entrypoint, Cow::Owned(proxy))).collect()
        };
        let listeners = site.gateway().map(|gateway| site.listeners.get_or_init(|| judge(gateway)));
        let listeners = listeners.into_iter().flatten().map(Spot::Listener);
        site.doors.iter().map(Spot::Door).chain(listeners).collect()
    }
}

impl<'w> Site<'w> {
    /// What messages call it.
    pub(super) fn name(&self) -> String {
        match self.owner {
            Owner::Workload(workload) => workload.display_name(),
            Owner::Gateway(gateway) => match (&gateway.object, gateway.gateways.first()) {
                (Some(object), _) => object.path(),
                (None, Some(gateway)) => format!("the gateway behind {}", gateway.path()),
                (None, None) => "the ingress gateway".to_owned(),
            },
        }
    }

    /// The workload, where it is no gateway.
    pub(super) fn workload(&self) -> Option<&'w Workload> {
        match self.owner {
            Owner::Workload(workload) => Some(workload),
            Owner::Gateway(_) => None,
        }
    }

    /// The gateway, where it is one.
    pub(super) fn gateway(&self) -> Option<&'w GatewayWorkload> {
        match self.owner {
            Owner::Workload(_) => None,
            Owner::Gateway(gateway) => Some(gateway),
        }
    }
}

/// The sites of the workloads of a namespace that are neither gateways nor Istio's own.
fn workload_sites<'w>(ground: Ground<'w>, namespace: &str, workloads: &'w [Arc<Workload>]) -> Vec<Site<'w>> {
    let world = ground.world;
    let judged = |workload: &&Workload| {
        !world.is_gateway(workload) && !World::is_control_plane(workload) && !is_gateway_guess(world, workload)
    };
    let of_one = |one: &Door<'_>, other: &Door<'_>| std::ptr::eq(one.workload, other.workload);
    let doors = ground.judged.in_namespace(namespace).chunk_by(of_one);
    let doors: FxHashMap<*const Workload, &'w [Door<'w>]> =
        doors.filter_map(|doors| Some((std::ptr::from_ref(doors.first()?.workload), doors))).collect();
    let site = |workload: &'w Workload| {
        let proxy = Proxy { namespace: &workload.id.namespace, labels: &workload.labels };
        let (attached, jwt) = (attached_policies(&world.mesh, proxy), jwt_filter(&world.mesh, proxy));
        let doors = doors.get(&std::ptr::from_ref(workload)).copied().unwrap_or_default();
        Site { owner: Owner::Workload(workload), attached, jwt, doors, listeners: OnceLock::new() }
    };
    workloads.iter().map(AsRef::as_ref).filter(judged).map(site).collect()
}

/// The namespaces in which anything of the input lives.
fn lived_in(world: &World) -> BTreeSet<String> {
    let mesh = &world.mesh;
    let mut found = world.namespaces();
    found.extend(mesh.service_accounts.namespaces().map(str::to_owned));
    found.extend(mesh.gateways.namespaces().map(str::to_owned));
    found.extend(mesh.destination_rules.namespaces().map(str::to_owned));
    found
}

/// Whether a workload that is only implied is more likely a gateway, or nothing at all: installers put no others into
/// the root namespace.
fn is_gateway_guess(world: &World, workload: &Workload) -> bool {
    let mut selectors = world.mesh.gateways.iter().filter_map(|gateway| gateway.spec.selector.as_ref());
    let named = || workload.labels.values().any(|value| value.replace('-', "").ends_with("gateway"));
    workload.implied
        && (workload.id.namespace == world.mesh.settings.root_namespace()
            || named()
            || selectors.any(|labels| !labels.value.is_empty() && selects(Some(&labels.value), &workload.labels)))
}
