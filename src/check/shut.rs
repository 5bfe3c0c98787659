//! Denials that leave nothing of what was allowed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::facts::{Facts, Site};
use super::ground::WORK;
use super::observation::Observation;
use super::policy_shape::action_span;
use super::spot::{Spot, sample};
use crate::model::{Action, AuthorizationPolicy, ObjectId, Resource, workload_in_words};
use crate::semantics::{Decision, Judgement, Request, Verdict};
use crate::space::{Cube, DecisionList, Label, Point, Rule, Search, label_of, partition};

/// A policy that alone refuses at a place everything that would be admitted, and a request of that.
type Culprit<'w> = (&'w Resource<AuthorizationPolicy>, Option<Box<Request>>);

/// The places at which a DENY policy refuses everything that ALLOW policies admit.
#[derive(Debug)]
pub(super) struct Shut<'w> {
    /// By the address of what decides there: the policy that does it, if one alone does, and what it refuses
    places: HashMap<usize, Option<Culprit<'w>>>,
    /// What is said of each such policy
    said: BTreeMap<Arc<ObjectId>, Observation>,
}

impl<'w> Shut<'w> {
    /// Looks at every site with both kinds of policies; places that decide alike once.
    pub(super) fn of(facts: &Facts<'w>) -> Self {
        let mut found = Self { places: HashMap::new(), said: BTreeMap::new() };
        let both = |site: &&Site<'w>| !site.attached.deny.is_empty() && !site.attached.allow.is_empty();
        let mut more: BTreeMap<Arc<ObjectId>, usize> = BTreeMap::new();
        for site in facts.sites.iter().filter(both) {
            let spots: Vec<Spot<'_, 'w>> = facts.spots_at(site).into_iter().filter(Spot::is_guarded).collect();
            let culprits: Vec<Option<Culprit<'w>>> = spots.iter().map(|spot| found.culprit(site, spot)).collect();
            let Some((policy, _)) = culprits.first().cloned().flatten() else { continue };
            let alone = culprits.iter().all(|other| other.as_ref().is_some_and(|(other, _)| other.id == policy.id));
            if policy.context || !alone {
                continue;
            }
            let who = site.name();
            let count = more.entry(policy.id.clone()).or_default();
            *count += 1;
            let others = if *count > 1 { format!(" (and {} more)", *count - 1) } else { String::new() };
            let request = culprits.into_iter().flatten().find_map(|(_, request)| request);
            let first = found.said.entry(policy.id.clone()).or_insert_with(|| said(policy, site, &who, request));
            let at = first.workload.clone().unwrap_or(who);
            first.message = message(policy, &at, &others);
        }
        found
    }

    /// What is said.
    pub(super) fn observations(&self) -> impl Iterator<Item = Observation> {
        self.said.values().cloned()
    }

    /// Whether a denial leaves nothing at a place.
    pub(super) fn is_shut(&self, spot: &Spot<'_, '_>) -> bool {
        self.places.get(&address(spot)).is_some_and(Option::is_some)
    }

    /// The policy that alone refuses at a place everything that would be admitted.
    fn culprit(&mut self, site: &Site<'w>, spot: &Spot<'_, 'w>) -> Option<Culprit<'w>> {
        let known = self.places.entry(address(spot)).or_insert_with(|| {
            let judgement = spot.judgement();
            if lets_pass(judgement, &judgement.list) {
                return None;
            }
            let denies = |rule: &Rule, id: Option<&ObjectId>| {
                by_policy(judgement, rule.label).is_some_and(|by| {
                    let deny = site.attached.deny.iter().any(|deny| *deny.id == *by);
                    deny && id.is_none_or(|id| id != by)
                })
            };
            let only = |id: Option<&ObjectId>| {
                let rules = judgement.list.rules.iter().filter(|rule| !denies(rule, id)).cloned().collect();
                DecisionList { rules, default: judgement.list.default }
            };
            let request = match passing(judgement, &only(None)) {
                Passing::Nothing => return None,
                Passing::Point(point) => Some(Box::new(spot.through(None, &point).request)),
                Passing::Maybe => None,
            };
            let mut denials = site.attached.deny.iter().copied();
            let policy = denials.find(|deny| !lets_pass(judgement, &only(Some(&deny.id))))?;
            Some((policy, request))
        });
        known.clone()
    }
}

/// Where what decides at a place is kept: doors that decide alike share it.
fn address(spot: &Spot<'_, '_>) -> usize {
    std::ptr::from_ref(spot.judgement()).addr()
}

/// The policy of a denial.
fn by_policy(judgement: &Judgement, label: Label) -> Option<&ObjectId> {
    match judgement.verdict(label)? {
        Verdict::End(ending) if ending.decision == Decision::Denied => Some(&ending.policy.as_ref()?.policy),
        Verdict::End(_) | Verdict::Forward(_) => None,
    }
}

/// What a list lets pass.
enum Passing {
    /// Nothing, proven
    Nothing,
    /// This, or somebody may
    Point(Point),
    /// It cannot be told
    Maybe,
}

/// Whether a list refuses not everything, or it cannot be told.
pub(super) fn lets_pass(judgement: &Judgement, list: &DecisionList) -> bool {
    !matches!(passing(judgement, list), Passing::Nothing)
}

/// What a list lets pass, or may.
fn passing(judgement: &Judgement, list: &DecisionList) -> Passing {
    let passes = |label: Label| match judgement.verdict(label) {
        Some(Verdict::End(ending)) => ending.decision != Decision::Denied,
        Some(Verdict::Forward(_)) => true,
        None => false,
    };
    let admitting = list.rules.iter().filter(|rule| passes(rule.label)).map(|rule| &*rule.cube);
    let everything = Cube::default();
    let rest = passes(list.default).then_some(&everything);
    if rest.is_none() && admitting.clone().next().is_none() {
        return Passing::Nothing;
    }
    let shown = |cube: &Cube| sample(cube, judgement).filter(|point| passes(label_of(list, point)));
    if let Some(point) = rest.into_iter().chain(admitting.take(MANY_RULES)).find_map(shown) {
        return Passing::Point(point);
    }
    let found = partition(list, &everything, &judgement.universe, &WORK);
    let mut passing = found.labels().into_iter().filter(|(label, _)| passes(*label)).map(|(_, search)| search);
    passing
        .try_fold(Passing::Nothing, |so_far, search| match search {
            Search::Empty => Ok(so_far),
            Search::Found(point) => Err(Passing::Point(point)),
            Search::OutOfBudget { .. } => Ok(Passing::Maybe),
        })
        .unwrap_or_else(|found| found)
}

/// How many rules are tried before the partition is asked.
const MANY_RULES: usize = 8;

/// `deny-overrides-everything`
fn said(
    policy: &Resource<AuthorizationPolicy>,
    site: &Site<'_>,
    who: &str,
    request: Option<Box<Request>>,
) -> Observation {
    debug_assert!(policy.spec.action() == Action::Deny);
    let span = action_span(policy);
    let message = message(policy, who, "");
    let mut seen = Observation::new("deny-overrides-everything", &policy.id, span, "refuses every request", message);
    seen.workload = Some(who.to_owned());
    seen.witness = request;
    seen.refused = seen.witness.is_some();
    match site.attached.allow.first().filter(|allow| !allow.spec.rules().is_empty()) {
        Some(allow) => seen.related(allow.name_span, "what it admits is refused"),
        None => seen,
    }
}

/// What is true of it.
fn message(policy: &Resource<AuthorizationPolicy>, who: &str, others: &str) -> String {
    let who = workload_in_words(who);
    format!("{} refuses every request to {who}{others}, and so all that ALLOW policies admit there", policy.id)
}
