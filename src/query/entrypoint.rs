//! Entrypoints as the `eval` contract writes them.

use std::sync::Arc;

use crate::model::{Gateway, Labels, Placed, Resource, Service, ServicePort, Workload};
use crate::semantics::{Cause, CauseKind, Protocol, WorkloadPort, World, implied_workload, workload_ports};

/// Where a request enters.
#[derive(Debug, Clone)]
pub enum Entrypoint<'w> {
    /// A Gateway's server
    Gateway {
        /// The resource
        gateway: &'w Resource<Gateway>,
        /// The server's port
        port: u16,
    },
    /// Straight to a workload's port; `None` where nothing listens
    Workload {
        /// The workload
        workload: Arc<Workload>,
        /// The port
        port: Option<WorkloadPort>,
    },
    /// At something that is recognised and not modelled yet
    Unmodelled {
        /// `gateway NS/NAME`
        at: String,
        /// What it is
        cause: Cause,
    },
    /// Through the caller's own sidecar
    Service {
        /// The Service
        service: &'w Resource<Service>,
        /// Its port
        port: &'w ServicePort,
    },
}

/// Reads `gateway NS/NAME:PORT`, `workload NS/NAME:PORT` or `service NS/NAME:PORT`. `Err`: why it means nothing here.
pub fn parse_entrypoint<'w>(world: &'w World, text: &str) -> Result<Entrypoint<'w>, String> {
    let form = || {
        format!(
            "`{text}` is no entrypoint: write `gateway NS/NAME:PORT`, `workload NS/NAME:PORT` or `service NS/NAME:PORT`"
        )
    };
    let (kind, rest) = text.split_once(' ').ok_or_else(form)?;
    let (path, port) = rest.rsplit_once(':').ok_or_else(form)?;
    let port: u16 = port.parse().map_err(|_| format!("`{port}` is no port"))?;
    let (namespace, name) = path.split_once('/').ok_or_else(form)?;
    match kind {
        "gateway" => {
            let api = world.mesh.unmodelled.iter().find(|object| {
                object.id.kind == "Gateway" && object.id.namespace == namespace && object.id.name == name
            });
            if let Some(api) = api.filter(|_| world.mesh.gateway(namespace, name).is_none()) {
                let cause = Cause {
                    kind: CauseKind::UnmodelledKind,
                    message: "gateways of the Gateway API are not modelled yet".to_owned(),
                    span: Some(api.name_span),
                };
                return Ok(Entrypoint::Unmodelled { at: format!("gateway {path}"), cause });
            }
            let gateway = world.mesh.gateway(namespace, name);
            let gateway = gateway.ok_or_else(|| missing("Gateway", path, &world.mesh.gateways))?;
            if !gateway.spec.servers().iter().any(|server| server.value.number() == port) {
                return Err(format!("the Gateway `{path}` has no server on port {port}"));
            }
            Ok(Entrypoint::Gateway { gateway, port })
        }
        "workload" => {
            let workload = find_workload(world, namespace, name)?;
            let known = workload_ports(world, &workload).into_iter().find(|known| known.number == port);
            let supposed =
                workload.implied.then_some(WorkloadPort { number: port, protocol: Protocol::Http, by_service: false });
            Ok(Entrypoint::Workload { port: known.or(supposed), workload })
        }
        "service" => {
            let service = world.mesh.service(namespace, name);
            let service = service.ok_or_else(|| missing("Service", path, &world.mesh.services))?;
            let port = service.spec.ports().iter().find(|known| known.value.port == Some(i64::from(port)));
            let port = port.ok_or_else(|| format!("the Service `{path}` has no such port"))?;
            Ok(Entrypoint::Service { service, port: &port.value })
        }
        _ => Err(form()),
    }
}

/// The workload `NAME`, `KIND/NAME` or `{k=v,…}` of a namespace.
pub fn find_workload(world: &World, namespace: &str, name: &str) -> Result<Arc<Workload>, String> {
    if let Some(labels) = name.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        let pairs = labels.split(',').filter(|pair| !pair.is_empty());
        let labels: Option<Labels> =
            pairs.map(|pair| pair.split_once('=').map(|(key, value)| (key.into(), value.into()))).collect();
        let labels = labels.ok_or_else(|| format!("`{name}` is no set of labels: write `{{key=value,…}}`"))?;
        return Ok(implied_workload(namespace, labels).into());
    }
    let (kind, name) = match name.split_once('/') {
        Some((kind, name)) => (Some(kind), name),
        None => (None, name),
    };
    let mut found = world.mesh.workloads.in_namespace(namespace).filter(|workload| {
        workload.id.name == name && kind.is_none_or(|kind| workload.id.kind.eq_ignore_ascii_case(kind))
    });
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(Arc::clone(only)),
        (Some(_), Some(_)) => {
            Err(format!("several workloads are called `{namespace}/{name}`: write `{namespace}/KIND/{name}`"))
        }
        (None, _) => Err(missing("workload", &format!("{namespace}/{name}"), &world.mesh.workloads)),
    }
}

/// That there is no such object, with the nearest that there is.
fn missing<T: Placed>(what: &str, path: &str, known: &[T]) -> String {
    let paths = known.iter().map(|object| object.id().path());
    let near = paths.map(|known| (strsim::jaro_winkler(&known, path), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    let near = near.map_or_else(String::new, |(_, known)| format!("; the nearest is `{known}`"));
    format!("no {what} `{path}` in the input{near}")
}
