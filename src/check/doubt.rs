//! Decisions that nobody can tell from the manifests, and what makes them so.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::facts::Facts;
use super::ground::WORK;
use super::observation::Observation;
use super::spot::{Spot, sample};
use crate::model::{Action, Mesh, ObjectId, workload_in_words};
use crate::semantics::{Cause, CauseKind, Decision, Judgement, Verdict};
use crate::space::{Cube, Label, Search, label_of, partition};
use crate::text::Span;

/// In how many places a cause is looked for.
const MANY_PLACES: usize = 100;

/// Looks at every place where something decides that is not in the input.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    if !has_foreigners(&facts.world().mesh) {
        return;
    }
    let mut judged: HashSet<usize> = HashSet::new();
    let mut told: BTreeMap<Cause, (String, usize)> = BTreeMap::new();
    let mut tried: BTreeMap<Cause, usize> = BTreeMap::new();
    for site in &facts.sites {
        let mut here: BTreeSet<Cause> = BTreeSet::new();
        for spot in facts.spots_at(site).into_iter().filter(Spot::is_guarded) {
            let judgement = spot.judgement();
            if !judged.insert(std::ptr::from_ref(judgement).addr()) {
                continue;
            }
            for (label, cause) in doubts(judgement) {
                if told.contains_key(cause) {
                    here.insert(cause.clone());
                    continue;
                }
                let count = tried.entry(cause.clone()).or_default();
                *count += 1;
                if *count <= MANY_PLACES && occurs(judgement, label) {
                    told.insert(cause.clone(), (site.name(), 0));
                }
            }
        }
        for cause in here {
            if let Some((_, more)) = told.get_mut(&cause) {
                *more += 1;
            }
        }
    }
    for (cause, (who, more)) in told {
        let Some((span, id)) = cause.span.and_then(|span| Some((span, owner(facts, span)?))) else { continue };
        let others = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        let who = workload_in_words(&who);
        let message = format!("who gets in at {who}{others} cannot be told from the manifests: {}", cause.message);
        let mut found = Observation::new("undetermined-access", id, span, "decides in place of policies", message);
        found.cause = Some(cause);
        seen.push(found);
    }
}

/// Whether there is anything at all that decides and is not in the input. What gateways decide is worked out for nothing
/// where there is not.
fn has_foreigners(mesh: &Mesh) -> bool {
    !mesh.envoy_filters.is_empty()
        || !mesh.proxy_extensions.is_empty()
        || mesh.authorization_policies.iter().any(|policy| policy.spec.action() == Action::Custom)
}

/// What cannot be told because somebody else decides, with why.
fn doubts(judgement: &Judgement) -> impl Iterator<Item = (Label, &Cause)> {
    let foreign = |kind: CauseKind| {
        matches!(kind, CauseKind::CustomPolicy | CauseKind::RefusingFilter | CauseKind::ChangingFilter)
    };
    let all = judgement.verdicts.iter().zip(0..).filter_map(|(verdict, label)| match verdict {
        Verdict::End(ending) if ending.decision == Decision::Undetermined => {
            Some((Label(label), ending.cause.as_deref()?))
        }
        Verdict::End(_) | Verdict::Forward(_) => None,
    });
    all.filter(move |(_, cause)| foreign(cause.kind))
}

/// Whether some request gets a label.
fn occurs(judgement: &Judgement, label: Label) -> bool {
    let list = &judgement.list;
    let mut rules = list.rules.iter().filter(|rule| rule.label == label);
    let shown = rules.any(|rule| sample(&rule.cube, judgement).is_some_and(|point| label_of(list, &point) == label));
    let found = || partition(list, &Cube::default(), &judgement.universe, &WORK).search(label);
    shown || matches!(found(), Search::Found(_))
}

/// The object that a place belongs to, unless it is somebody else's.
fn owner<'f>(facts: &'f Facts<'_>, span: Span) -> Option<&'f ObjectId> {
    let mesh = &facts.world().mesh;
    let within = |whole: Span| whole.file == span.file && whole.start <= span.start && span.end <= whole.end;
    let policies = mesh.authorization_policies.iter().map(|one| (one.span, one.context, &one.id));
    let filters = mesh.envoy_filters.iter().map(|one| (one.span, one.context, &one.id));
    let extensions = mesh.proxy_extensions.iter().map(|one| (one.span, one.context, &one.id));
    let mut all = policies.chain(filters).chain(extensions);
    all.find(|(whole, context, _)| within(*whole) && !context).map(|(_, _, id)| &**id)
}
