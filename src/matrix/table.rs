//! The matrix as rows that people read.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a dimension without words or values of its own is treated as any other"
)]

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use rayon::prelude::*;

use super::client::outbound;
use super::door::{Lock, doors};
use super::front::listeners;
use crate::model::Workload;
use crate::semantics::{
    By, Chain, Decision, Guard, Judgement, NamespaceReader, RoutingProxy, Target, Verdict, World, client_classes,
};
use crate::space::{AtomSet, Budget, Cell, Cube, Dimension, partition};

/// A row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Where requests enter
    pub entrypoint: String,
    /// Who sends them
    pub source: String,
    /// Which paths
    pub path: String,
    /// What else must hold
    pub conditions: String,
    /// What happens
    pub decision: Decision,
    /// How they end
    pub by: Option<By>,
    /// Who decided, or where they go on to
    pub detail: String,
}

/// Which part of the matrix is asked for.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// Only requests that enter there; at gateways and straight at workloads if absent
    pub entrypoint: Option<EntrypointKind>,
    /// Only the workload `NS/NAME`, or those of the namespace `NS`
    pub workload: Option<String>,
    /// Only requests of this cube, as the proxy at the entrypoint sees them
    pub within: Cube,
}

/// A kind of entrypoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntrypointKind {
    /// A server of a Gateway
    Gateway,
    /// A Service's port, through the sidecar of a client
    Service,
    /// A workload's port
    Workload,
}

impl Part {
    /// Whether entrypoints of a kind belong to it.
    fn has(&self, kind: EntrypointKind) -> bool {
        match self.entrypoint {
            Some(only) => only == kind && (self.workload.is_none() || kind != EntrypointKind::Gateway),
            None => kind == EntrypointKind::Workload || (kind == EntrypointKind::Gateway && self.workload.is_none()),
        }
    }

    /// Whether some route of a proxy leads to a workload that belongs to it.
    fn is_led_to(&self, proxy: &RoutingProxy) -> bool {
        let forwards = (0..proxy.table.routes.len()).filter_map(|route| proxy.forward(route));
        let mut targets = forwards.flat_map(|(_, forward)| &forward.legs).map(|leg| &leg.target);
        self.workload.is_none()
            || targets.any(|target| matches!(target, Target::Workload { workload, .. } if self.has_workload(workload)))
    }

    /// Whether a workload belongs to it.
    fn has_workload(&self, workload: &Workload) -> bool {
        self.workload.as_ref().is_none_or(|asked| *asked == workload.display_name() || *asked == workload.id.namespace)
    }
}

/// Every cell of a part of the matrix, by entrypoint: gateways first, then Services.
pub fn table(world: &World, part: &Part) -> Vec<Row> {
    let mut rows = Vec::new();
    if part.has(EntrypointKind::Gateway) {
        rows.extend(gateway_rows(world, part));
    }
    if part.has(EntrypointKind::Service) {
        rows.extend(service_rows(world, part));
    }
    if part.has(EntrypointKind::Workload) {
        let namespaces: Vec<(&String, &Vec<Arc<Workload>>)> = world.workloads.iter().collect();
        let behind =
            namespaces.par_iter().map(|(namespace, workloads)| workload_rows(world, namespace, workloads, part));
        rows.extend(behind.collect::<Vec<_>>().into_iter().flatten());
    }
    merge(rows)
}

/// The cells of the gateways' listeners.
fn gateway_rows(world: &World, part: &Part) -> Vec<Row> {
    let mut rows = Vec::new();
    for workload in &world.gateway_workloads {
        for (entrypoint, listener) in listeners(world, workload) {
            for proxy in &listener.chains {
                rows.extend(chain_rows(world, &entrypoint, proxy, part));
            }
        }
    }
    rows
}

/// The cells of clients' sidecars on the way to Services. Clients that are treated alike are one source.
fn service_rows(world: &World, part: &Part) -> Vec<Row> {
    let mut rows = Vec::new();
    for class in client_classes(world) {
        for service in &world.mesh.services {
            let ports = service.spec.ports().iter().flat_map(|port| outbound(world, &class, service, &port.value));
            for outbound in ports.filter(|outbound| part.is_led_to(&outbound.proxy)) {
                let (senders, within) = outbound.narrow(&part.within);
                if senders.is_empty() {
                    continue;
                }
                let bytes = if outbound.proxy.chain == Chain::Tcp { " (tcp)" } else { "" };
                let entrypoint = format!("{}{bytes}", outbound.entrypoint);
                let within = Part { within, ..part.clone() };
                let found = chain_rows(world, &entrypoint, &outbound.proxy, &within);
                let source = senders.into_iter().map(String::as_str).collect::<Vec<_>>().join("\n");
                rows.extend(found.into_iter().map(|row| Row { source: source.clone(), ..row }));
            }
        }
    }
    rows.sort_by(|a, b| a.entrypoint.cmp(&b.entrypoint));
    rows
}

/// The cells of a judgement within a cube.
fn cells(judgement: &Judgement, within: &Cube) -> Vec<Cell> {
    partition(&judgement.list, within, &judgement.universe, &Budget::default()).cells()
}

/// The cells of the workloads of a namespace. Doors that decide alike are split once.
fn workload_rows(world: &World, namespace: &str, workloads: &[Arc<Workload>], part: &Part) -> Vec<Row> {
    let judged = |workload: &&Workload| {
        !world.is_gateway(workload) && !World::is_control_plane(workload) && part.has_workload(workload)
    };
    let workloads: Vec<&Workload> = workloads.iter().map(AsRef::as_ref).filter(judged).collect();
    let mut split: HashMap<*const Lock, Rc<Vec<Cell>>> = HashMap::new();
    let mut rows = Vec::new();
    for door in doors(&NamespaceReader::new(world, namespace), &workloads, &[]) {
        let judgement = &door.lock.judgement;
        let known = split.entry(Arc::as_ptr(&door.lock)).or_insert_with(|| Rc::new(cells(judgement, &part.within)));
        let tcp = if door.chain == Chain::Tcp { " (tcp)" } else { "" };
        let bare = if door.lock.guard == Guard::Sidecar { "" } else { " (no proxy)" };
        let entrypoint = format!("workload {}:{}{tcp}{bare}", door.workload.display_name(), door.port.number);
        for cell in known.iter() {
            if let Some(verdict) = judgement.verdict(cell.label) {
                rows.push(row(entrypoint.clone(), cell, verdict));
            }
        }
    }
    rows
}

/// The rows of one chain of a gateway's listener.
fn chain_rows(world: &World, entrypoint: &str, proxy: &RoutingProxy, part: &Part) -> Vec<Row> {
    let judgement = proxy.judgement(world);
    let mut rows = Vec::new();
    for cell in cells(&judgement, &part.within) {
        let Some(verdict) = judgement.verdict(cell.label) else {
            continue;
        };
        let row = row(entrypoint.to_owned(), &cell, verdict);
        let outside = matches!(row.source.as_str(), "anyone" | "no identity");
        let source = if outside { "outside".to_owned() } else { row.source.clone() };
        let detail = match verdict {
            Verdict::Forward(index) => proxy.table.routes.get(*index).map(|route| match &route.virtual_service {
                Some(service) => format!("routed by {}", service.path()),
                None => "routed".to_owned(),
            }),
            Verdict::End(_) => None,
        };
        rows.push(Row { source, detail: detail.unwrap_or(row.detail.clone()), ..row });
    }
    rows
}

/// Rows that differ only in who sends are one.
fn merge(rows: Vec<Row>) -> Vec<Row> {
    let mut merged: Vec<Row> = Vec::new();
    for row in rows {
        let same = |known: &&mut Row| {
            let known = &**known;
            known.entrypoint == row.entrypoint
                && known.path == row.path
                && known.conditions == row.conditions
                && (known.decision, known.by, &known.detail) == (row.decision, row.by, &row.detail)
        };
        match merged.iter_mut().find(same) {
            // Chains of one listener that decide alike are one to whoever reads.
            Some(known) => {
                for source in row.source.lines() {
                    if !known.source.lines().any(|line| line == source) {
                        known.source = format!("{}\n{source}", known.source);
                    }
                }
            }
            None => merged.push(row),
        }
    }
    merged
}

/// One row.
fn row(entrypoint: String, cell: &Cell, verdict: &Verdict) -> Row {
    let mut source = "anyone".to_owned();
    let mut conditions = Vec::new();
    for (dimension, atoms) in &cell.constraints {
        if *dimension == Dimension::Peer {
            source = values(atoms, "no identity", "anyone else");
        } else if *dimension != Dimension::Scheme {
            conditions.push(format!("{} {}", name(dimension), values(atoms, "absent", "anything else")));
        }
    }
    let (decision, by, detail) = match verdict {
        Verdict::Forward(_) => (Decision::Allowed, None, String::new()),
        Verdict::End(ending) => {
            let detail = match (&ending.policy, &ending.cause) {
                (Some(rule), _) => format!("{} rules[{}]", rule.policy.path(), rule.rule),
                (None, Some(cause)) => cause.message.clone(),
                (None, None) if ending.by == Some(By::Policy) => "no ALLOW matches".to_owned(),
                (None, None) => String::new(),
            };
            (ending.decision, ending.by, detail)
        }
    };
    let path = cell.paths.join(", ");
    Row { entrypoint, source, path, conditions: conditions.join(", "), decision, by, detail }
}

/// The classes of a dimension, named by their representatives, with words for none and for all others.
fn values(atoms: &AtomSet, absent: &str, others: &str) -> String {
    let examples = atoms.examples();
    let mut named: Vec<String> = examples
        .iter()
        .take(4)
        .map(|values| if values.is_empty() { absent.to_owned() } else { values.join(" and ") })
        .collect();
    if examples.len() > 4 {
        named.push(format!("{} more", examples.len() - 4));
    }
    if atoms.has_others() {
        named.push(others.to_owned());
    } else if atoms.has_unnamed() && !examples.iter().any(Vec::is_empty) {
        named.push("the like".to_owned());
    }
    named.join("\n")
}

/// What a dimension is called.
fn name(dimension: &Dimension) -> String {
    match dimension {
        Dimension::Header(name) => format!("header {name}"),
        Dimension::Query(name) => format!("query {name}"),
        Dimension::Claim(names) => format!("claim {}", names.join(".")),
        Dimension::SourceIp => "source address".to_owned(),
        Dimension::RemoteIp => "client address".to_owned(),
        Dimension::Sni => "server name".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}
