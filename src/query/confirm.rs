//! Every witness is held against the answer that `eval` gives before it is shown.

use super::eval::Evaluator;
use crate::rule::{Note, Report, Status};
use crate::semantics::{Decision, World};

/// Holds every witness against the answer that `eval` gives: what is shown must go through.
pub fn confirm(world: &World, report: &mut Report) {
    let evaluator = Evaluator::new(world);
    for finding in &mut report.findings {
        let Some(witness) = &finding.witness else {
            continue;
        };
        let wanted = match finding.status {
            Status::Broken => Decision::Allowed,
            Status::NotProven => Decision::Undetermined,
        };
        let answer = evaluator.answer(witness);
        if !answer.as_ref().is_ok_and(|answer| answer.outcome.decision == wanted) {
            report.notes.push(Note {
                message: format!(
                    "internal error, please report it: the witness of `{}` for `{}` is not confirmed ({})",
                    finding.rule,
                    finding.workload.as_deref().unwrap_or_default(),
                    match &answer {
                        Ok(answer) => format!("{:?}", answer.outcome.decision),
                        Err(error) => format!("{error:?}"),
                    }
                ),
                span: None,
            });
            finding.witness = None;
        }
    }
}
