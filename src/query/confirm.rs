//! Every witness is held against the answer that `eval` gives before it is shown.

use rayon::prelude::*;

use super::eval::Evaluator;
use crate::rule::{Note, Report, Status};
use crate::semantics::{Decision, World};

/// Holds every witness against the answer that `eval` gives: what is shown must go through. Notes what the workload
/// sees of it.
pub fn confirm(world: &World, report: &mut Report) {
    let doubts = report.findings.par_iter_mut().filter_map(|finding| {
        let witness = finding.witness.as_ref()?;
        let wanted = match finding.status {
            Status::Broken => Decision::Allowed,
            Status::NotProven => Decision::Undetermined,
        };
        // The symbolic reading found it; the other one, step by step, must say the same.
        let answer = Evaluator::step_by_step(world).answer(witness);
        let seen = answer.as_ref().ok().and_then(|answer| answer.outcome.path.clone());
        finding.seen_path = seen.filter(|seen| *seen != witness.path);
        if answer.as_ref().is_ok_and(|answer| answer.outcome.decision == wanted) {
            return None;
        }
        finding.witness = None;
        let workload = finding.workload.as_deref().unwrap_or_default();
        let instead = match &answer {
            Ok(answer) => format!("{:?}", answer.outcome.decision),
            Err(error) => format!("{error:?}"),
        };
        let message = format!(
            "internal error, please report it: the witness of `{}` for `{workload}` is not confirmed ({instead})",
            finding.rule,
        );
        Some(Note { message, span: None })
    });
    let doubts: Vec<Note> = doubts.collect();
    report.notes.extend(doubts);
}
