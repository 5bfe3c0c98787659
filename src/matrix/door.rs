//! Doors: the chains of the ports of workloads, and what gets in through each.

use std::collections::BTreeMap;

use super::witness::inbound_witness;
use crate::model::Workload;
use crate::semantics::{
    Cause, CauseKind, Chain, Decision, Ending, Guard, Judgement, Request, Verdict, WorkloadPort, World, guard, inbound,
    workload_ports,
};
use crate::space::{Budget, Cube, Label, Search, partition};

/// One chain of one port of one workload.
#[derive(Debug, Clone)]
pub struct Door {
    /// The workload
    pub workload: Workload,
    /// The port
    pub port: WorkloadPort,
    /// The chain
    pub chain: Chain,
    /// What stands in front
    pub guard: Guard,
    /// What it decides
    pub judgement: Judgement,
}

/// What gets in through a door, of the requests that were asked about.
#[derive(Debug, Clone)]
pub struct Opening {
    /// How the requests end: allowed or undetermined
    pub ending: Ending,
    /// One of them
    pub witness: Option<Request>,
}

/// The doors of a workload.
pub fn doors(world: &World, workload: &Workload) -> Vec<Door> {
    let ports = workload_ports(world, workload);
    let chains = ports.iter().flat_map(|port| {
        let unguarded = !matches!(guard(world, workload, port.number), Guard::Sidecar);
        // Where no proxy looks, what is sent arrives, whatever the port is called.
        let chains: &[Chain] = if unguarded { &[Chain::Http] } else { port.chains() };
        chains.iter().map(move |chain| (port, *chain))
    });
    chains.map(|(port, chain)| Door::new(world, workload, port, chain)).collect()
}

impl Door {
    /// The door of a chain.
    pub fn new(world: &World, workload: &Workload, port: &WorkloadPort, chain: Chain) -> Self {
        Self {
            workload: workload.clone(),
            port: port.clone(),
            chain,
            guard: guard(world, workload, port.number),
            judgement: inbound(world, workload, port, chain),
        }
    }

    /// Everything within a cube that gets in or may get in, one opening for each way to end.
    pub fn openings(&self, within: &Cube) -> Vec<Opening> {
        let judgement = &self.judgement;
        let partition = partition(&judgement.list, within, &judgement.universe, &Budget::default());
        let labels: BTreeMap<Label, Search> = partition.labels();
        let mut openings = Vec::new();
        for (label, search) in labels {
            let Some(Verdict::End(ending)) = judgement.verdict(label) else {
                continue;
            };
            if ending.decision == Decision::Denied {
                continue;
            }
            match search {
                Search::Empty => {}
                Search::Found(point) => openings.push(Opening {
                    ending: ending.clone(),
                    witness: Some(inbound_witness(
                        &self.workload,
                        self.port.number,
                        self.chain,
                        judgement.universe.path,
                        &point,
                    )),
                }),
                Search::OutOfBudget { why } => openings.push(Opening {
                    ending: Ending::undetermined(Cause {
                        kind: CauseKind::Budget,
                        message: why,
                        span: ending.policy.as_ref().map(|rule| rule.span),
                    }),
                    witness: None,
                }),
            }
        }
        openings
    }
}
