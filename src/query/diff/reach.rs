//! On the way to which Services something can have changed, so that clients' sidecars are looked at for those alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::front::Touched;
use super::same;
use crate::model::{DestinationRule, Mesh, ObjectId, Objects, Placed as _, Resource, VirtualService, Workload};
use crate::semantics::{MESH, World, full_hosts, overlap, parse_service_host, resolve_short_name, service_host};

/// The part of both worlds in which clients' answers can have changed.
#[derive(Debug)]
pub(super) struct Reach {
    /// The Services, by `NS/NAME`; of all others nothing changes
    pub(super) services: BTreeSet<String>,
    /// The worlds, without what cannot matter on the way to these
    pub(super) worlds: Option<Box<[World; 2]>>,
}

/// What is asked about, as far as it is known.
struct Asked<'w> {
    /// Both sides
    sides: [&'w World; 2],
    /// Hosts of Services that are asked about
    hosts: BTreeSet<String>,
}

impl Reach {
    /// The reach of what differs between two worlds, and of doors at which something changes.
    pub(super) fn of(old: &World, new: &World, touched: &Touched<'_>) -> Self {
        let all = || {
            let services = old.mesh.services.iter().chain(&new.mesh.services);
            Self { services: services.map(|service| service.id.path()).collect(), worlds: None }
        };
        if !same::are_same_settings_of_clients(old, new) {
            return all();
        }
        let mut asked = Asked { sides: [old, new], hosts: BTreeSet::new() };
        let doors = touched.keys().filter_map(|door| door.strip_prefix("workload ")?.rsplit_once(':'));
        let doors: BTreeSet<&str> = doors.map(|(name, _)| name).collect();
        for (world, other) in [(old, new), (new, old)] {
            for workload in world.workloads.values().flatten() {
                let twin = same::twin(workload, other);
                // What a client is decides on all its ways.
                let is_other = |twin: &Workload| {
                    !same::is_same_workload(workload, twin) || world.is_gateway(workload) != other.is_gateway(twin)
                };
                if twin.is_some_and(is_other) {
                    return all();
                }
                if twin.is_none() || doors.contains(workload.display_name().as_str()) {
                    asked.hosts.extend(world.services_of(workload).map(|service| host(&service.id)));
                }
            }
        }
        asked.hosts.extend(changed(&old.mesh.services, &new.mesh.services).iter().map(|id| host(id)));
        let modes = changed(&old.mesh.peer_authentications, &new.mesh.peer_authentications);
        let routes = changed(&old.mesh.virtual_services, &new.mesh.virtual_services);
        let rules = changed(&old.mesh.destination_rules, &new.mesh.destination_rules);
        for mesh in [&old.mesh, &new.mesh] {
            let services = modes.iter().flat_map(|id| mesh.services.in_namespace(&id.namespace));
            asked.hosts.extend(services.map(|service| host(&service.id)));
            let services = for_clients(mesh).filter(|service| routes.contains(&service.id));
            asked.hosts.extend(services.flat_map(full_hosts));
            let rules = mesh.destination_rules.iter().filter(|rule| rules.contains(&rule.id));
            asked.hosts.extend(rules.filter_map(rule_host));
        }
        asked.follow_routes();
        asked.narrowed()
    }
}

impl Asked<'_> {
    /// Whether a host is asked about, or covers one that is.
    fn asks(&self, host: &str) -> bool {
        self.hosts.contains(host)
            || (host.starts_with('*') && self.hosts.iter().any(|known| overlap(known, host)))
            || self.hosts.iter().any(|known| known.starts_with('*') && overlap(known, host))
    }

    /// Asks about the hosts too whose routes lead to what is asked about.
    fn follow_routes(&mut self) {
        loop {
            let mut more: BTreeSet<String> = BTreeSet::new();
            for world in self.sides {
                for service in for_clients(&world.mesh).filter(|service| named(service).any(|host| self.asks(&host))) {
                    // What another one delegates to has no hosts: whoever delegates may lead there.
                    let delegates = full_hosts(service).is_empty();
                    let roots = for_clients(&world.mesh).filter(|root| delegates && delegates_some(root));
                    more.extend(roots.flat_map(full_hosts).chain(full_hosts(service)));
                }
            }
            let before = self.hosts.len();
            self.hosts.extend(more);
            if self.hosts.len() == before {
                return;
            }
        }
    }

    /// The Services that are asked about, and both worlds with what matters to them.
    fn narrowed(mut self) -> Reach {
        let registered: BTreeSet<String> =
            self.sides.iter().flat_map(|world| world.mesh.services.iter()).map(|service| host(&service.id)).collect();
        let wide = |host: &String| host.starts_with('*');
        let covered: Vec<String> = registered
            .iter()
            .filter(|known| self.hosts.iter().any(|host| wide(host) && overlap(known, host)))
            .cloned()
            .collect();
        self.hosts.extend(covered);
        if self.hosts.iter().any(|host| !registered.contains(host)) {
            // What is no Service's own is served on the way to all that have this port, and told of one of them.
            let services = self.sides.iter().flat_map(|world| world.mesh.services.iter());
            let mut web =
                services.filter(|service| service.spec.ports().iter().any(|port| port.value.port == Some(80)));
            self.hosts.extend(web.next().map(|service| host(&service.id)));
        }
        let matters = |service: &Resource<VirtualService>| {
            let hosts = full_hosts(service);
            hosts.is_empty() || hosts.iter().any(|host| self.asks(host) || !registered.contains(host))
        };
        let mut kept = self.hosts.clone();
        for world in self.sides {
            let services = for_clients(&world.mesh).filter(|service| matters(service));
            kept.extend(services.flat_map(named));
            // One that names several Services at once may be narrower or wider than another for each of them.
            let several = for_clients(&world.mesh).flat_map(full_hosts).filter(wide);
            for host in several {
                kept.extend(registered.iter().filter(|known| overlap(known, &host)).cloned());
            }
        }
        let narrow = |world: &World| {
            let mesh = &world.mesh;
            let services = mesh.services.iter().filter(|service| kept.contains(&host(&service.id)));
            let routes = for_clients(mesh).filter(|service| matters(service));
            let rules = mesh
                .destination_rules
                .iter()
                .filter(|rule| rule_host(rule).is_none_or(|host| kept.contains(&host) || !registered.contains(&host)));
            world.with_mesh(Mesh {
                settings: mesh.settings.clone(),
                services: services.cloned().collect(),
                virtual_services: routes.cloned().collect(),
                destination_rules: rules.cloned().collect(),
                service_entries: mesh.service_entries.clone(),
                sidecars: mesh.sidecars.clone(),
                workload_entries: mesh.workload_entries.clone(),
                peer_authentications: mesh.peer_authentications.clone(),
                envoy_filters: mesh.envoy_filters.clone(),
                proxy_extensions: mesh.proxy_extensions.clone(),
                proxy_configs: mesh.proxy_configs.clone(),
                namespaces: mesh.namespaces.clone(),
                workloads: mesh.workloads.clone(),
                unmodelled: mesh.unmodelled.clone(),
                ..Mesh::default()
            })
        };
        let path = |host: &String| parse_service_host(host).map(|(name, namespace)| format!("{namespace}/{name}"));
        let services = self.hosts.iter().filter_map(path).collect();
        let [old, new] = self.sides;
        let (old, new) = rayon::join(|| narrow(old), || narrow(new));
        Reach { services, worlds: Some(Box::new([old, new])) }
    }
}

/// The virtual services that clients go by, and those without hosts, which others delegate to.
fn for_clients(mesh: &Mesh) -> impl Iterator<Item = &Resource<VirtualService>> {
    mesh.virtual_services.iter().filter(|service| {
        let gateways = service.spec.gateways();
        gateways.is_empty() || gateways.iter().any(|gateway| gateway.value == MESH)
    })
}

/// The host of a Service.
fn host(id: &ObjectId) -> String {
    service_host(&id.name, &id.namespace)
}

/// The host of a destination rule.
fn rule_host(rule: &Resource<DestinationRule>) -> Option<String> {
    rule.spec.host.as_ref().map(|host| resolve_short_name(&host.value, &rule.id.namespace))
}

/// The hosts that a virtual service sends to, copies too.
fn named(service: &Resource<VirtualService>) -> impl Iterator<Item = String> {
    let hosts = service.spec.destinations().filter_map(|destination| destination.value.host.as_ref());
    hosts.map(|host| resolve_short_name(&host.value, &service.id.namespace))
}

/// Whether a virtual service leaves some of its routes to another.
fn delegates_some(service: &Resource<VirtualService>) -> bool {
    service.spec.http().iter().any(|route| route.value.delegate.is_some())
}

/// The objects that are not the same on both sides.
fn changed<T: PartialEq>(old: &Objects<Resource<T>>, new: &Objects<Resource<T>>) -> BTreeSet<Arc<ObjectId>> {
    let lone = |own: &Objects<Resource<T>>, other: &Objects<Resource<T>>| -> Vec<Arc<ObjectId>> {
        let twin = |object: &&Resource<T>| {
            let known = other.named(&object.id().namespace, &object.id().name);
            !known.is_some_and(|known| same::is_same(object, known))
        };
        own.iter().filter(twin).map(|object| object.id.clone()).collect()
    };
    lone(old, new).into_iter().chain(lone(new, old)).collect()
}
