//! Changes by their cause, each with a witness that both sides confirm step by step.

use std::collections::BTreeMap;

use super::change::{Change, ChangeKind, Unsettled};
use super::culprit::{Culprit, Side};
use super::fate::Fate;
use crate::query::eval::{EvalError, Evaluator};
use crate::semantics::{Answer, By, OWN_TOKEN, Request, World};

/// Changes of one kind and one cause.
#[derive(Debug, Clone)]
pub struct Group {
    /// What they come to
    pub kind: ChangeKind,
    /// What makes them
    pub culprit: Culprit,
    /// What happened to the witness before
    pub before: Fate,
    /// What happens to it now
    pub now: Fate,
    /// Where requests enter
    pub entrypoints: Vec<String>,
    /// One of the requests
    pub witness: Request,
    /// The path as the workload sees it, where that is another
    pub seen_path: Option<String>,
}

/// Groups changes by their cause. Witnesses that are not confirmed are our mistake, and are said.
pub(super) fn group(old: &World, new: &World, changes: Vec<Change>) -> (Vec<Group>, Vec<Unsettled>) {
    let mut by_cause: BTreeMap<(ChangeKind, Culprit), Vec<Change>> = BTreeMap::new();
    for change in changes {
        by_cause.entry((change.kind, change.culprit.clone())).or_default().push(change);
    }
    let judges = (Evaluator::step_by_step(old), Evaluator::step_by_step(new));
    let (mut groups, mut unconfirmed) = (Vec::new(), Vec::new());
    for ((kind, culprit), mut changes) in by_cause {
        changes.sort_by(|one, other| {
            // What a client's sidecar does is long to confirm, and says no more where something else shows it.
            let key = |change: &Change| {
                let entrypoint = change.witness.entrypoint.clone();
                (entrypoint.starts_with("service"), entrypoint, change.witness.path.len())
            };
            key(one).cmp(&key(other))
        });
        let mut entrypoints: Vec<String> = changes.iter().map(|change| change.witness.entrypoint.clone()).collect();
        entrypoints.sort();
        entrypoints.dedup();
        let both = |change: &Change| {
            let _ = confirm(&judges.0, change, Side::Old)?;
            confirm(&judges.1, change, Side::New)
        };
        let mut refusal = None;
        let confirmed = changes.iter().find_map(|change| match both(change) {
            Ok(answer) => Some((change, answer)),
            Err(unconfirmed) => {
                refusal = refusal.or(unconfirmed.why);
                None
            }
        });
        let Some((shown, answer)) = confirmed else {
            let doubt = changes.iter().find_map(|change| change.doubt);
            let why = refusal.or(doubt).unwrap_or("internal error, please report it: no request confirms");
            let message = format!("{why} that {}", culprit.text);
            let at = |entrypoint| Unsettled { entrypoint, message: message.clone(), span: culprit.span };
            unconfirmed.extend(entrypoints.into_iter().map(at));
            continue;
        };
        let seen_path = answer.and_then(|answer| answer.outcome.path).filter(|path| *path != shown.witness.path);
        let (before, now, witness) = (shown.before.clone(), shown.now.clone(), shown.witness.clone());
        groups.push(Group { kind, culprit, before, now, entrypoints, witness, seen_path });
    }
    (groups, unconfirmed)
}

/// That a side does not decide a witness as the change says.
struct Unconfirmed {
    /// Why it cannot, if so
    why: Option<&'static str>,
}

/// Why a witness is no use that holds what a filter takes for a token.
const OWN: &str = "requests that carry a token of their own cannot be verified, and no other is found that shows";

/// What a side answers to the witness of a change; nothing where the place is not there.
fn confirm(judge: &Evaluator<'_>, change: &Change, side: Side) -> Result<Option<Answer>, Unconfirmed> {
    let (fate, entrypoint) = match side {
        Side::Old => (&change.before, &change.old_entrypoint),
        Side::New => (&change.now, &change.new_entrypoint),
    };
    let Some(entrypoint) = entrypoint else {
        return match judge.answer(&change.witness) {
            Err(EvalError::Unanswerable(_)) => Ok(None),
            Ok(answer) if answer.outcome.by == Some(By::NoListener) => Ok(None),
            Ok(_) | Err(EvalError::Disagreement(_)) => Err(Unconfirmed { why: None }),
        };
    };
    let request = Request { entrypoint: entrypoint.clone(), ..change.witness.clone() };
    let answer = judge.answer(&request).map_err(|_| Unconfirmed { why: None })?;
    if answer.outcome.decision == fate.decision {
        return Ok(Some(answer));
    }
    let own = answer.outcome.cause.is_some_and(|cause| cause.message == OWN_TOKEN);
    Err(Unconfirmed { why: own.then_some(OWN) })
}
