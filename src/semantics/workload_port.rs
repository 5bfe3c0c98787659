//! Which ports a workload listens on, and what they speak.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::authorization_policy::Chain;
use super::decision::{Cause, CauseKind};
use super::host_name;
use super::protocol::{Protocol, declared, service_port_protocol};
use super::world::World;
use crate::model::{ContainerPort, ObjectId, Resource, Service, ServiceEntryPort, ServicePort, Workload};
use crate::space::Normalization;
use crate::text::Span;
use crate::yaml::IntOrString;

/// A port that a workload listens on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadPort {
    /// Port of the pod, not of a Service
    pub number: u16,
    /// What it speaks
    pub protocol: Protocol,
    /// Whether a Service names it
    pub by_service: bool,
}

impl WorkloadPort {
    /// The chains that a client can reach by what it speaks.
    pub fn chains(&self) -> &'static [Chain] {
        match self.protocol {
            Protocol::Http => &[Chain::Http],
            Protocol::Tcp => &[Chain::Tcp],
            Protocol::Sniffed => &[Chain::Http, Chain::Tcp],
            Protocol::Udp => &[],
        }
    }
}

/// The ports of a workload: the targets of Services that select it, what its containers declare, and
/// for an implied workload also what policies name and one port that nothing names.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/listener_inbound.go`, `getFilterChainsByServicePort`
/// (of several Services on one target port the oldest decides).
pub fn workload_ports(world: &World, workload: &Workload) -> Vec<WorkloadPort> {
    let mut ports: BTreeMap<u16, WorkloadPort> = BTreeMap::new();
    for declaration in declarations(world, workload) {
        let Declaration { number, protocol, .. } = declaration;
        ports.entry(number).or_insert(WorkloadPort { number, protocol, by_service: true });
    }
    for port in &workload.ports {
        let number = port.value.container_port.and_then(|number| u16::try_from(number).ok());
        let udp = port.value.protocol.as_deref().is_some_and(|protocol| protocol != "TCP");
        if let Some(number) = number.filter(|_| !udp) {
            ports.entry(number).or_insert(WorkloadPort { number, protocol: Protocol::Sniffed, by_service: false });
        }
    }
    if workload.implied {
        let named = named_ports(world, workload);
        let generic = [8080, 8000, 80, 3000, 9090, 5000]
            .into_iter()
            .find(|port| !named.contains(port) && !ports.contains_key(port));
        for number in named.into_iter().chain(generic) {
            ports.entry(number).or_insert(WorkloadPort { number, protocol: Protocol::Http, by_service: false });
        }
    }
    ports.into_values().collect()
}

/// What a service says of a port of a workload.
struct Declaration<'a> {
    /// When the service was made
    created: Option<&'a str>,
    /// The host that a service entry names; `None`: it is a Service, whose name is its host
    host: Option<&'a str>,
    /// The object
    id: &'a ObjectId,
    /// Its name in the text
    span: Span,
    /// The workload's port
    number: u16,
    /// What it speaks
    protocol: Protocol,
}

/// What Services and service entries say of a workload's ports, the oldest first; of the same age by host.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/context.go`, `SetServiceTargets`.
fn declarations<'a>(world: &'a World, workload: &'a Workload) -> Vec<Declaration<'a>> {
    let mut found: Vec<Declaration<'a>> = Vec::new();
    for service in world.services_of(workload).filter(|service| has_behind(service, workload)) {
        for port in service.spec.ports() {
            let protocol = service_port_protocol(&port.value);
            if let Some(number) = target_port(&port.value, workload) {
                found.push(Declaration { number, protocol, ..Declaration::of(service, None) });
            }
        }
    }
    for entry in &world.mesh.service_entries {
        let selector = entry.spec.workload_selector.as_ref().and_then(|selector| selector.labels.as_ref());
        let picks = selector.is_some_and(|selector| {
            !selector.is_empty() && super::workload_selector::selects(Some(selector), &workload.labels)
        });
        if !picks || entry.id.namespace != workload.id.namespace {
            continue;
        }
        let host = entry.spec.hosts.iter().flat_map(|hosts| &hosts.value).next();
        let host = host.map_or("", |host| host.value.as_str());
        for port in entry.spec.ports.iter().flatten() {
            let Some(number) = entry_port(port, workload) else {
                continue;
            };
            let protocol = declared("TCP", None, port.protocol.as_deref().unwrap_or_default(), number);
            found.push(Declaration { number, protocol, ..Declaration::of(entry, Some(host)) });
        }
    }
    found.retain(|declaration| declaration.protocol != Protocol::Udp);
    found.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.host().cmp(&b.host())));
    found
}

impl<'a> Declaration<'a> {
    /// A declaration by an object, of no port yet.
    fn of<T>(object: &'a Resource<T>, host: Option<&'a str>) -> Self {
        let created = object.created.as_deref();
        Self { created, host, id: &object.id, span: object.name_span, number: 0, protocol: Protocol::Udp }
    }

    /// The host of what declares.
    fn host(&self) -> Cow<'a, str> {
        match self.host {
            Some(host) => host.into(),
            None => host_name::service_host(&self.id.name, &self.id.namespace).into(),
        }
    }
}

/// Whether a Service has a workload behind it that its selector picks: a headless one has pods only.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/serviceregistry/kube/controller/controller.go`, `serviceInstancesFromWorkloadInstances`.
pub(crate) fn has_behind(service: &Resource<Service>, workload: &Workload) -> bool {
    workload.id.kind != "WorkloadEntry" || service.spec.cluster_ip.as_deref() != Some("None")
}

/// Why it cannot be told what a port speaks, if only the age of services tells: they declare it differently.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/listener_inbound.go`, `reportInboundConflict`; `pilot/pkg/model/context.go`,
/// `SetServiceTargets` (oldest first).
pub(crate) fn order_cause(world: &World, workload: &Workload, number: u16) -> Option<Cause> {
    let mut known = declarations(world, workload);
    known.retain(|declaration| declaration.number == number);
    let (oldest, others) = known.split_first()?;
    let rival = others
        .iter()
        .find(|other| other.protocol != oldest.protocol && (oldest.created.is_none() || other.created.is_none()))?;
    Some(Cause {
        kind: CauseKind::CreationOrder,
        message: format!(
            "`{}` and `{}` declare port {number} differently, and only the older one counts",
            oldest.id.path(),
            rival.id.path()
        ),
        span: Some(rival.span),
    })
}

/// The port of a workload that a service entry's port leads to: the workload's own of that name, else the
/// target port, else the number.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/serviceregistry/serviceentry/conversion.go`, `convertWorkloadInstanceToServiceInstance`.
pub(crate) fn entry_port(port: &ServiceEntryPort, workload: &Workload) -> Option<u16> {
    let own = port.name.as_deref().and_then(|name| named_port(workload, name, TCP));
    own.or_else(|| u16::try_from(port.target_port.or(port.number)?).ok())
}

/// The protocol of ports that name none.
const TCP: &str = "TCP";

/// The port of a protocol that a workload gives a name.
fn named_port(workload: &Workload, name: &str, protocol: &str) -> Option<u16> {
    let alike = |port: &ContainerPort| port.protocol.as_deref().unwrap_or(TCP) == protocol;
    let mut ports = workload.ports.iter().filter(|port| alike(&port.value));
    let port = ports.find(|port| port.value.name.as_deref() == Some(name))?;
    u16::try_from(port.value.container_port?).ok().filter(|number| *number != 0)
}

/// The port of the pod that a Service port leads to. `None` if the pod has no port of that name and protocol.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/serviceregistry/kube/controller/util.go`, `FindPort`; `controller.go`,
/// `serviceInstanceFromWorkloadInstance` (a workload entry's own port of the name goes before a number).
pub(crate) fn target_port(port: &ServicePort, workload: &Workload) -> Option<u16> {
    let own = port.port.and_then(|number| u16::try_from(number).ok());
    let by_name = port.name.as_deref().and_then(|name| named_port(workload, name, TCP));
    let numbered = !matches!(&port.target_port, Some(IntOrString::String(_)));
    if by_name.is_some() && numbered && workload.id.kind == "WorkloadEntry" {
        return by_name;
    }
    match &port.target_port {
        None | Some(IntOrString::Int(0)) => own,
        Some(IntOrString::Int(number)) => u16::try_from(*number).ok(),
        Some(IntOrString::String(name)) if name.is_empty() => own,
        Some(IntOrString::String(name)) => match name.parse::<u16>() {
            Ok(number) => Some(number),
            // What an implied pod calls its ports is unknown: the Service's own number stands for it.
            Err(_) if workload.implied => own,
            Err(_) => named_port(workload, name, port.protocol.as_deref().unwrap_or(TCP)),
        },
    }
}

/// Ports that policies name for a workload of the namespace.
fn named_ports(world: &World, workload: &Workload) -> BTreeSet<u16> {
    let mesh = &world.mesh;
    let mut named = BTreeSet::new();
    let (own, root) = (workload.id.namespace.as_str(), mesh.settings.root_namespace());
    let here = || [Some(own), Some(root).filter(|root| *root != own)].into_iter().flatten();
    for policy in here().flat_map(|namespace| mesh.authorization_policies.in_namespace(namespace)) {
        for rule in policy.spec.rules() {
            let operations = rule.value.to.iter().flat_map(|to| &to.value);
            let operations = operations.filter_map(|to| to.value.operation.as_ref());
            let ports = operations.flat_map(|operation| {
                let operation = &operation.value;
                operation.ports.iter().chain(&operation.not_ports).flat_map(|list| &list.value)
            });
            let conditions =
                rule.value.when.iter().flat_map(|when| &when.value).filter(|condition| {
                    condition.value.key.as_ref().is_some_and(|key| key.value == "destination.port")
                });
            let values = conditions.flat_map(|condition| {
                condition.value.values.iter().chain(&condition.value.not_values).flat_map(|list| &list.value)
            });
            named.extend(ports.chain(values).filter_map(|port| port.value.trim().parse::<u16>().ok()));
        }
    }
    for policy in here().flat_map(|namespace| mesh.peer_authentications.in_namespace(namespace)) {
        let ports = policy.spec.port_level_mtls.iter().flat_map(|ports| ports.value.keys());
        named.extend(ports.filter_map(|port| port.value.parse::<u16>().ok()));
    }
    named
}

/// How every proxy of the mesh normalises paths.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/listener_builder.go`, `buildHTTPConnectionManager`.
pub fn path_normalization(world: &World) -> Normalization {
    let settings = world.mesh.settings.config.path_normalization.as_ref();
    let mode = settings.and_then(|settings| settings.normalization.as_ref());
    match mode.map(|mode| mode.value.as_str()) {
        Some("NONE") => Normalization::None,
        Some("MERGE_SLASHES") => Normalization::MergeSlashes,
        Some("DECODE_AND_MERGE_SLASHES") => Normalization::DecodeAndMergeSlashes,
        _ => Normalization::Base,
    }
}
