//! What becomes of the requests of one policy rule where it is left out.

use std::collections::{BTreeSet, HashSet};

use super::effect::Placed;
use super::ground::WORK;
use super::spot::{Spot, Through, sample};
use crate::matrix::verifies;
use crate::model::Action;
use crate::semantics::{By, CauseKind, Decision, Ending, Judgement, PolicyRuleRef, Request, Verdict};
use crate::space::{Cube, DecisionList, Dimension, Label, Point, Rule, Search, label_of, partition};

/// Of how many alternatives of a rule it is proven that they do nothing.
const MANY_CUBES: usize = 8;

/// What a policy rule does at one place.
#[derive(Debug)]
pub(super) enum Standing {
    /// It is not asked there
    Absent,
    /// Some decision changes without it, or it cannot be told
    Needed,
    /// None does; how its requests end, and one that a policy refuses
    Idle(Vec<Ending>, Option<Box<Request>>),
}

/// What a policy rule does at a place, beside others that are dropped.
pub(super) fn standing(spot: &Spot<'_, '_>, placed: &Placed<'_>, dropped: &HashSet<PolicyRuleRef>) -> Standing {
    let judgement = spot.judgement();
    let allow = placed.policy.spec.action() == Action::Allow;
    // What a gateway admits goes on by a route, which does not tell the rule that admitted it.
    if is_opaque(judgement) || (allow && spot.door().is_none()) {
        return Standing::Needed;
    }
    let own = placed.reference();
    let cubes = spot.cubes_of(&own.policy, own.rule);
    if cubes.is_empty() {
        return if is_uncertain(judgement) { Standing::Needed } else { Standing::Absent };
    }
    // That no token is verified there, or that one rule takes everything, is said elsewhere.
    if cubes.iter().any(|cube| asks_for_token(cube)) && !verifies(judgement) {
        return Standing::Needed;
    }
    let list = without(judgement, &own, dropped, allow);
    if list.rules.iter().any(|rule| takes_everything(judgement, rule, allow)) {
        return Standing::Needed;
    }
    let changes = |label: Label| match judgement.verdict(label) {
        Some(Verdict::Forward(_)) => !allow,
        Some(Verdict::End(ending)) if allow => ending.decision == Decision::Denied && label == list.default,
        // What nobody admits yet a denial goes on refusing once somebody does.
        Some(Verdict::End(ending)) => ending.decision != Decision::Denied || admitted_by_none(ending),
        None => false,
    };
    let shown = |cube: &Cube| sample(cube, judgement).is_some_and(|point| changes(label_of(&list, &point)));
    if cubes.iter().any(|cube| shown(cube)) || cubes.len() > MANY_CUBES {
        return Standing::Needed;
    }
    let refused = |label: Label| match judgement.verdict(label) {
        Some(Verdict::End(ending)) => allow && ending.decision == Decision::Denied && ending.policy.is_some(),
        Some(Verdict::Forward(_)) | None => false,
    };
    let mut found: BTreeSet<Label> = BTreeSet::new();
    let mut example: Option<Box<Request>> = None;
    for within in cubes {
        for (label, search) in partition(&list, within, &judgement.universe, &WORK).labels() {
            match search {
                Search::Empty => {}
                Search::Found(_) if changes(label) => return Standing::Needed,
                Search::Found(point) => {
                    found.insert(label);
                    if refused(label) && example.is_none() {
                        example = Some(Box::new(spot.through(None, &point).request));
                    }
                }
                Search::OutOfBudget { .. } => return Standing::Needed,
            }
        }
    }
    let endings = found.into_iter().filter_map(|label| match judgement.verdict(label)? {
        Verdict::End(ending) => Some(ending.clone()),
        Verdict::Forward(_) => None,
    });
    Standing::Idle(endings.collect(), example)
}

/// Whether a request is refused because no policy admits it.
fn admitted_by_none(ending: &Ending) -> bool {
    ending.policy.is_none() && ending.by == Some(By::Policy)
}

/// A request of an ALLOW rule, narrowed down, that gets in by this rule and by no other.
pub(super) fn admitted_by_it_alone(
    spot: &Spot<'_, '_>,
    placed: &Placed<'_>,
    narrowed: impl Fn(&Cube) -> Cube,
) -> Option<Through> {
    let judgement = spot.judgement();
    let own = placed.reference();
    let list = without(judgement, &own, &HashSet::new(), false);
    let certain = |point: &Point| match judgement.verdict_on(point) {
        Some(Verdict::End(ending)) if ending.decision == Decision::Allowed => Some(ending.clone()),
        Some(Verdict::End(_) | Verdict::Forward(_)) | None => None,
    };
    spot.cubes_of(&own.policy, own.rule).into_iter().find_map(|cube| {
        let within = narrowed(cube);
        // The path is another one now: both conditions hold for what is asked about.
        let within = cube.path.iter().fold(within, |within, test| within.with_path(test.clone()));
        let Search::Found(point) = partition(&list, &within, &judgement.universe, &WORK).search(list.default) else {
            return None;
        };
        let ending = certain(&point)?;
        Some(spot.through(Some(ending), &point))
    })
}

/// The list without a rule and those that are dropped. What somebody may refuse who is not in the input is nothing to
/// what an ALLOW rule admits.
fn without(judgement: &Judgement, own: &PolicyRuleRef, dropped: &HashSet<PolicyRuleRef>, allow: bool) -> DecisionList {
    let keep = |rule: &&Rule| match judgement.verdict(rule.label) {
        Some(Verdict::End(ending)) => {
            let left_out = ending.policy.as_deref().is_some_and(|by| by == own || dropped.contains(by));
            !(left_out || allow && ending.decision == Decision::Undetermined)
        }
        Some(Verdict::Forward(_)) | None => true,
    };
    DecisionList { rules: judgement.list.rules.iter().filter(keep).cloned().collect(), default: judgement.list.default }
}

/// Whether nothing can be told of any request.
fn is_opaque(judgement: &Judgement) -> bool {
    matches!(judgement.verdict(judgement.list.default), Some(Verdict::End(ending)) if ending.decision == Decision::Undetermined)
}

/// Whether some rule may match less than its text says.
fn is_uncertain(judgement: &Judgement) -> bool {
    let doubtful = |verdict: &Verdict| match verdict {
        Verdict::End(ending) => ending.cause.as_ref().is_some_and(|cause| cause.kind == CauseKind::UnmodelledCondition),
        Verdict::Forward(_) => false,
    };
    judgement.verdicts.iter().any(doubtful)
}

/// Whether a cube holds only for requests with a verified token.
fn asks_for_token(cube: &Cube) -> bool {
    let of_token = |dimension: &Dimension| {
        matches!(dimension, Dimension::Token | Dimension::Issuer | Dimension::Subject | Dimension::Claim(_))
    };
    cube.tests.iter().any(|test| test.any_of.is_some() && of_token(&test.dimension))
}

/// Whether a policy rule takes every request that comes so far: other rules beside it say nothing of their own.
fn takes_everything(judgement: &Judgement, rule: &Rule, allow: bool) -> bool {
    let everything = rule.cube.tests.is_empty() && rule.cube.path.is_empty();
    let stage = |ending: &Ending| match ending.decision {
        Decision::Allowed => allow,
        Decision::Denied => true,
        Decision::Undetermined => false,
    };
    let by_policy = match judgement.verdict(rule.label) {
        Some(Verdict::End(ending)) => ending.policy.is_some() && stage(ending),
        Some(Verdict::Forward(_)) | None => false,
    };
    everything && by_policy
}
