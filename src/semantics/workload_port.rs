//! Which ports a workload listens on, and what they speak.

use std::collections::{BTreeMap, BTreeSet};

use super::authorization_policy::Chain;
use super::decision::{Cause, CauseKind};
use super::protocol::{Protocol, declared, service_port_protocol};
use super::world::World;
use crate::model::{Resource, Service, ServicePort, Workload};
use crate::space::Normalization;
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
    let mut services: Vec<_> = world.services_of(workload).collect();
    services.sort_by_key(|service| service.age_key());
    for service in services {
        for port in service.spec.ports() {
            let Some(number) = target_port(&port.value, workload) else {
                continue;
            };
            let protocol = service_port_protocol(&port.value);
            if protocol != Protocol::Udp {
                ports.entry(number).or_insert(WorkloadPort { number, protocol, by_service: true });
            }
        }
    }
    service_entry_ports(world, workload, &mut ports);
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

/// Why it cannot be told what a port speaks, if only the age of Services tells: they declare it differently.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/listener_inbound.go`, `reportInboundConflict`; `pilot/pkg/model/context.go`,
/// `SetServiceTargets` (oldest first).
pub(crate) fn order_cause(world: &World, workload: &Workload, number: u16) -> Option<Cause> {
    let declared = |service: &Resource<Service>| {
        let mut ports = service.spec.ports().iter();
        let port = ports.find(|port| target_port(&port.value, workload) == Some(number))?;
        Some(service_port_protocol(&port.value)).filter(|protocol| *protocol != Protocol::Udp)
    };
    let services = world.services_of(workload);
    let mut known: Vec<_> = services.filter_map(|service| declared(service).map(|kind| (service, kind))).collect();
    known.sort_by_key(|(service, _)| service.age_key());
    let ((oldest, protocol), others) = known.split_first()?;
    let (rival, _) = others
        .iter()
        .find(|(other, kind)| kind != protocol && (oldest.created.is_none() || other.created.is_none()))?;
    Some(Cause {
        kind: CauseKind::CreationOrder,
        message: format!(
            "`{}` and `{}` declare port {number} differently, and only the older one counts",
            oldest.id.path(),
            rival.id.path()
        ),
        span: Some(rival.name_span),
    })
}

/// Ports of service entries that select the workload.
fn service_entry_ports(world: &World, workload: &Workload, ports: &mut BTreeMap<u16, WorkloadPort>) {
    for entry in &world.mesh.service_entries {
        let selector = entry.spec.workload_selector.as_ref().and_then(|selector| selector.labels.as_ref());
        let picks = selector.is_some_and(|selector| {
            !selector.is_empty() && super::workload_selector::selects(Some(selector), &workload.labels)
        });
        if !picks || entry.id.namespace != workload.id.namespace {
            continue;
        }
        for port in entry.spec.ports.iter().flatten() {
            let number = port.target_port.or(port.number).and_then(|number| u16::try_from(number).ok());
            let protocol = declared("TCP", None, port.protocol.as_deref().unwrap_or_default(), number.unwrap_or(0));
            if let Some(number) = number.filter(|_| protocol != Protocol::Udp) {
                ports.entry(number).or_insert(WorkloadPort { number, protocol, by_service: true });
            }
        }
    }
}

/// The port of the pod that a Service port leads to. `None` if the pod has no port of that name.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/serviceregistry/kube/controller/util.go`, `FindPort`.
pub(crate) fn target_port(port: &ServicePort, workload: &Workload) -> Option<u16> {
    let own = port.port.and_then(|number| u16::try_from(number).ok());
    match &port.target_port {
        None | Some(IntOrString::Int(0)) => own,
        Some(IntOrString::Int(number)) => u16::try_from(*number).ok(),
        Some(IntOrString::String(name)) if name.is_empty() => own,
        Some(IntOrString::String(name)) => match name.parse::<u16>() {
            Ok(number) => Some(number),
            // What an implied pod calls its ports is unknown: the Service's own number stands for it.
            Err(_) if workload.implied => own,
            Err(_) => workload
                .ports
                .iter()
                .find(|port| port.value.name.as_deref() == Some(name))
                .and_then(|port| u16::try_from(port.value.container_port?).ok()),
        },
    }
}

/// Ports that policies name for a workload of the namespace.
fn named_ports(world: &World, workload: &Workload) -> BTreeSet<u16> {
    let mesh = &world.mesh;
    let mut named = BTreeSet::new();
    let here = |namespace: &str| namespace == workload.id.namespace || namespace == mesh.settings.root_namespace();
    for policy in mesh.authorization_policies.iter().filter(|policy| here(&policy.id.namespace)) {
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
    for policy in mesh.peer_authentications.iter().filter(|policy| here(&policy.id.namespace)) {
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
