//! From a destination in a route to the workloads that may get the request.

use super::decision::{Cause, CauseKind};
use super::host_name;
use super::implied::compatible;
use super::workload_port::{WorkloadPort, target_port, workload_ports};
use super::workload_selector::selects;
use super::world::World;
use crate::model::{
    ClientTlsMode, Destination, DestinationRule, Labels, Resource, Service, ServicePort, Subset, Workload,
};
use crate::text::{Span, Spanned};

/// Where a request may end up.
#[derive(Debug, Clone)]
pub enum Target {
    /// A workload's port
    Workload {
        /// The workload
        workload: Box<Workload>,
        /// Its port
        port: WorkloadPort,
        /// How the client speaks to it
        client: ClientSide,
        /// Whether it is one of several that only may exist
        supposed: Option<Cause>,
    },
    /// Nowhere: no such cluster, or no endpoint
    Nowhere(String),
    /// Not known
    Unknown(Cause),
}

/// How a proxy speaks to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientSide {
    /// With the proxy's identity wherever the endpoint takes it
    Auto,
    /// In plaintext, by a `DestinationRule`
    Plaintext(Span),
    /// In some way that is not modelled
    Unknown(Cause),
}

/// What resolving a destination needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route<'a> {
    /// Namespace of the proxy that routes
    pub(crate) client_namespace: &'a str,
    /// Namespace of the virtual service, for short names
    pub(crate) namespace: &'a str,
    /// Port of the listener, where the destination names none
    pub(crate) listener_port: u16,
}

/// The workloads that a destination may mean.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `GetDestinationCluster`;
/// `pilot/pkg/xds/endpoints/endpoint_builder.go`.
pub(crate) fn targets(world: &World, destination: &Spanned<Destination>, route: Route<'_>) -> Vec<Target> {
    let span = destination.value.host.as_ref().map_or(destination.span, |host| host.span);
    let written = destination.value.host.as_ref().map_or("", |host| host.value.as_str());
    let host = host_name::resolve_short_name(written, route.namespace);
    let missing = |message: String| Cause { kind: CauseKind::MissingResource, message, span: Some(span) };
    let Some((name, namespace)) = host_name::parse_service_host(&host) else {
        let cause = if is_service_entry_host(world, &host) {
            Cause {
                kind: CauseKind::UnmodelledKind,
                message: format!("`{host}` belongs to a ServiceEntry, whose endpoints are not modelled yet"),
                span: Some(span),
            }
        } else {
            missing(format!("`{host}` is no service of the input"))
        };
        return vec![Target::Unknown(cause)];
    };
    let Some(service) = world.mesh.service(namespace, name) else {
        let cause = missing(format!(
            "the Service `{namespace}/{name}` is not in the input, so any workload of `{namespace}` may serve it"
        ));
        return unknown_service(world, namespace, &cause);
    };
    let number = destination.value.port_number();
    let single = match service.spec.ports() {
        [only] => only.value.port.and_then(|number| u16::try_from(number).ok()),
        _ => None,
    };
    let wanted = number.or(single).unwrap_or(route.listener_port);
    let port = service.spec.ports().iter().find(|port| port.value.port == Some(i64::from(wanted)));
    let Some(port) = port else {
        return vec![Target::Nowhere(format!("the Service `{namespace}/{name}` has no port {wanted}"))];
    };
    if service.spec.service_type.as_ref().is_some_and(|kind| kind.value == "ExternalName") {
        return vec![Target::Unknown(Cause {
            kind: CauseKind::UnmodelledKind,
            message: format!("the Service `{namespace}/{name}` is an ExternalName, which is not modelled yet"),
            span: Some(service.name_span),
        })];
    }
    let subset = match destination.value.subset.as_ref() {
        None => None,
        Some(subset) => match find_subset(world, &host, subset) {
            Ok(found) => Some(found),
            Err(target) => return vec![*target],
        },
    };
    let labels = subset.and_then(|subset| subset.labels.as_ref());
    let client = client_side(world, route.client_namespace, namespace, &host, wanted, subset);
    service_targets(world, service, &port.value, labels, &client)
}

/// The workloads behind a Service's port.
pub fn service_targets(
    world: &World,
    service: &Resource<Service>,
    port: &ServicePort,
    subset: Option<&Labels>,
    client: &ClientSide,
) -> Vec<Target> {
    let namespace = service.id.namespace.as_str();
    let Some(selector) = service.spec.selector.as_ref().filter(|selector| !selector.is_empty()) else {
        return vec![Target::Unknown(Cause {
            kind: CauseKind::MissingResource,
            message: format!(
                "the Service `{}` has no selector, and its endpoints are not in the input",
                service.id.path()
            ),
            span: Some(service.name_span),
        })];
    };
    let mut found = Vec::new();
    for workload in world.workloads_in(namespace) {
        let picks = |labels: &Labels| {
            if workload.implied {
                compatible(labels, &workload.labels)
            } else {
                selects(Some(labels), &workload.labels)
            }
        };
        if !picks(selector) || !subset.is_none_or(picks) {
            continue;
        }
        let Some(number) = target_port(port, workload) else {
            continue;
        };
        let known = workload_ports(world, workload).into_iter().find(|port| port.number == number);
        let Some(port) = known else {
            continue;
        };
        let supposed = workload.implied.then(|| Cause {
            kind: CauseKind::MissingResource,
            message: format!("no workload behind the Service `{}` is in the input", service.id.path()),
            span: Some(service.name_span),
        });
        found.push(Target::Workload { workload: Box::new(workload.clone()), port, client: client.clone(), supposed });
    }
    if found.is_empty() {
        found.push(Target::Nowhere(format!("no workload of the input is behind the Service `{}`", service.id.path())));
    }
    found
}

/// Every workload of a namespace, on every port, when the Service is not in the input.
fn unknown_service(world: &World, namespace: &str, cause: &Cause) -> Vec<Target> {
    let mut found = Vec::new();
    let implied;
    let workloads = match world.workloads_in(namespace) {
        [] => {
            implied = super::implied::implied_workloads(&world.mesh, namespace);
            implied.as_slice()
        }
        workloads => workloads,
    };
    for workload in workloads {
        for port in workload_ports(world, workload) {
            found.push(Target::Workload {
                workload: Box::new(workload.clone()),
                port,
                client: ClientSide::Auto,
                supposed: Some(cause.clone()),
            });
        }
    }
    if found.is_empty() {
        found.push(Target::Unknown(cause.clone()));
    }
    found
}

/// Whether a service entry of the input serves the host.
fn is_service_entry_host(world: &World, host: &str) -> bool {
    world.mesh.service_entries.iter().any(|entry| {
        let hosts = entry.spec.hosts.iter().flat_map(|hosts| &hosts.value);
        hosts.into_iter().any(|known| host_name::is_subset(host, &known.value))
    })
}

/// The destination rules for a host that are in the input.
fn rules_for<'a>(world: &'a World, host: &'a str) -> impl Iterator<Item = &'a Resource<DestinationRule>> {
    world.mesh.destination_rules.iter().filter(move |rule| {
        rule.spec.host.as_ref().is_some_and(|written| {
            let full = host_name::resolve_short_name(&written.value, &rule.id.namespace);
            host_name::is_subset(host, &full)
        })
    })
}

/// The subset of a host, or where a route to it ends.
fn find_subset<'a>(world: &'a World, host: &'a str, name: &Spanned<String>) -> Result<&'a Subset, Box<Target>> {
    let mut any = false;
    for rule in rules_for(world, host) {
        any = true;
        let subsets = rule.spec.subsets.iter().flat_map(|subsets| &subsets.value);
        for subset in subsets {
            if subset.value.name.as_ref().is_some_and(|known| known.value == name.value) {
                return Ok(&subset.value);
            }
        }
    }
    Err(Box::new(if any {
        Target::Nowhere(format!("no DestinationRule of `{host}` has a subset `{}`", name.value))
    } else {
        Target::Unknown(Cause {
            kind: CauseKind::MissingResource,
            message: format!("no DestinationRule in the input tells what subset `{}` of `{host}` is", name.value),
            span: Some(name.span),
        })
    }))
}

/// How a proxy of a namespace speaks to a host's port.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/cluster_tls.go`, `buildUpstreamTLSSettings`;
/// `pilot/pkg/model/push_context.go`, `destinationRule` (look-up order).
pub(crate) fn client_side(
    world: &World,
    client: &str,
    server: &str,
    host: &str,
    port: u16,
    subset: Option<&Subset>,
) -> ClientSide {
    let root = world.mesh.settings.root_namespace();
    let mut rules: Vec<_> = rules_for(world, host)
        .filter(|rule| [client, server, root].contains(&rule.id.namespace.as_str()))
        .filter(|rule| rule.spec.workload_selector.is_none())
        .collect();
    rules.sort_by_key(|rule| {
        let rank = [client, server, root].iter().position(|namespace| *namespace == rule.id.namespace);
        let wild = rule.spec.host.as_ref().is_some_and(|host| host.value.starts_with('*'));
        (rank, wild, rule.age_key())
    });
    let by_itself = || {
        if world.mesh.settings.config.enable_auto_mtls != Some(false) {
            return ClientSide::Auto;
        }
        ClientSide::Unknown(Cause {
            kind: CauseKind::UnmodelledCondition,
            message: "automatic mTLS is switched off, and no DestinationRule says how this host is spoken to"
                .to_owned(),
            span: None,
        })
    };
    let Some(rule) = rules.first() else {
        return by_itself();
    };
    let policies = [subset.and_then(|subset| subset.traffic_policy.as_ref()), rule.spec.traffic_policy.as_ref()];
    for policy in policies.into_iter().flatten() {
        let ports = policy.value.port_level_settings.iter().flatten();
        let by_port = ports.into_iter().find(|settings| {
            let number = settings.port.as_ref().and_then(|port| port.number.as_ref());
            number.is_some_and(|number| number.value == i64::from(port))
        });
        let tls = by_port.map_or(policy.value.tls.as_ref(), |settings| settings.tls.as_ref());
        let Some(mode) = tls.and_then(|tls| tls.value.mode.as_ref()) else {
            continue;
        };
        return match mode.value {
            ClientTlsMode::IstioMutual => ClientSide::Auto,
            ClientTlsMode::Disable => ClientSide::Plaintext(mode.span),
            ClientTlsMode::Simple | ClientTlsMode::Mutual => ClientSide::Unknown(Cause {
                kind: CauseKind::UnmodelledKind,
                message: format!("{} makes clients speak TLS of their own, which is not modelled yet", rule.id),
                span: Some(mode.span),
            }),
        };
    }
    by_itself()
}
