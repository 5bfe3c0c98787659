//! One request from its entrypoint to its end, decided twice.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::entrypoint::{Entrypoint, parse_entrypoint};
use super::settle::{ended, settle};
use crate::semantics::{Answer, By, Chain, Ending, Judgement, Request, Seen, Step, Verdict, World};
use crate::space::{Budget, Cube, Partition, label_of, partition};

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvalError {
    /// It asks about something that is not there
    Unanswerable(String),
    /// The two readings disagree: a fault of this program
    Disagreement(String),
}

/// What partitions are kept by: the proxy and its chain.
pub(super) type ProxyKey = (String, u16, Chain);

/// Answers requests about one world.
#[derive(Debug)]
pub struct Evaluator<'w> {
    /// The world
    pub(super) world: &'w World,
    /// Whether the symbolic reading is asked too
    pub(super) symbolic: bool,
    /// Judgements with their partitions, made when first needed
    judgements: RefCell<HashMap<ProxyKey, Rc<(Judgement, Partition)>>>,
}

impl<'w> Evaluator<'w> {
    /// An evaluator of a world.
    pub fn new(world: &'w World) -> Self {
        Self { world, symbolic: true, judgements: RefCell::new(HashMap::new()) }
    }

    /// An evaluator for what the symbolic reading has said already: it asks the other one alone.
    pub fn step_by_step(world: &'w World) -> Self {
        Self { symbolic: false, ..Self::new(world) }
    }

    /// The answer to a request.
    pub fn answer(&self, request: &Request) -> Result<Answer, EvalError> {
        let entrypoint = parse_entrypoint(self.world, &request.entrypoint).map_err(EvalError::Unanswerable)?;
        let mut trace = Vec::new();
        let outcomes = match &entrypoint {
            Entrypoint::Workload { workload, port: Some(port) } => {
                vec![self.straight(request, workload, port, &mut trace)?]
            }
            Entrypoint::Workload { workload, port: None } => {
                let name = format!("workload {}", workload.display_name());
                trace.push(Step { at: name.clone(), what: "nothing listens on this port".to_owned(), span: None });
                vec![ended(&name, &Ending::denied(By::NoListener, None))]
            }
            Entrypoint::Gateway { gateway, port } => self.at_gateway(request, gateway, *port, &mut trace)?,
            Entrypoint::Unmodelled { at, cause } => {
                trace.push(Step { at: at.clone(), what: cause.message.clone(), span: cause.span });
                vec![ended(at, &Ending::undetermined(cause.clone()))]
            }
            Entrypoint::Service { service, port } => self.through_client(request, service, port, &mut trace)?,
        };
        Ok(settle(&outcomes, trace))
    }

    /// The symbolic verdict: by the partition that `check` uses, and rule by rule where the point lies outside of it.
    pub(super) fn symbolic(
        &self,
        key: &ProxyKey,
        seen: &Seen,
        judge: impl FnOnce() -> Judgement,
    ) -> Result<Option<Verdict>, EvalError> {
        let known = self.judgements.borrow().get(key).cloned();
        let judged = known.unwrap_or_else(|| {
            let judgement = judge();
            let partition = partition(&judgement.list, &Cube::default(), &judgement.universe, &Budget::default());
            let judged = Rc::new((judgement, partition));
            self.judgements.borrow_mut().insert(key.clone(), Rc::clone(&judged));
            judged
        });
        let (judgement, partition) = &*judged;
        let dimensions = judgement.list.dimensions();
        let point = seen.point(&dimensions);
        let by_list = label_of(&judgement.list, &point);
        match partition.label(&point) {
            Some(label) if label != by_list => Err(EvalError::Disagreement(format!(
                "at {}: the partition says {label:?}, the list {by_list:?}",
                key.0
            ))),
            _ => Ok(judgement.verdict(by_list).cloned()),
        }
    }
}
