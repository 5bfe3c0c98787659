//! Running cases.

use super::file::{Case, CaseProblem};
use crate::query::eval::{EvalError, Evaluator};
use crate::semantics::{Answer, World};

/// A case and what came of it.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// The case
    pub case: Case,
    /// The answer
    pub answer: Answer,
    /// What is not as expected; nothing if the case passes
    pub mismatches: Vec<String>,
}

/// Answers every case, both readings asked. `Err`: the cases that ask about what is not there.
pub fn run_cases(world: &World, cases: Vec<Case>) -> Result<Vec<CaseResult>, Vec<CaseProblem>> {
    let evaluator = Evaluator::new(world);
    let mut problems = Vec::new();
    let mut results = Vec::new();
    for case in cases {
        match evaluator.answer(&case.request) {
            Ok(answer) => {
                let mismatches = case.expected.mismatches(&answer);
                results.push(CaseResult { case, answer, mismatches });
            }
            Err(EvalError::Unanswerable(why)) => problems.push(CaseProblem::new(case.entrypoint_span, why)),
            Err(EvalError::Disagreement(what)) => {
                let message = format!("internal error, please report it: the two readings disagree {what}");
                problems.push(CaseProblem::new(case.span, message));
            }
        }
    }
    // One request of a table is as wrong as the other.
    problems.dedup();
    if problems.is_empty() { Ok(results) } else { Err(problems) }
}
