//! Denials that leave nothing of what was allowed.

use std::collections::{BTreeMap, HashMap};

use super::facts::{Facts, Site};
use super::ground::WORK;
use super::observation::Observation;
use super::policy_shape::action_span;
use super::spot::{Spot, sample};
use crate::model::{Action, AuthorizationPolicy, ObjectId, Resource};
use crate::semantics::{Decision, Judgement, Verdict};
use crate::space::{Cube, DecisionList, Label, Rule, Search, label_of, partition};

/// The places at which a DENY policy refuses everything that ALLOW policies admit.
#[derive(Debug)]
pub(super) struct Shut<'w> {
    /// By the address of what decides there: the policy that does it, if one alone does
    places: HashMap<usize, Option<&'w Resource<AuthorizationPolicy>>>,
    /// What is said of each such policy
    said: BTreeMap<ObjectId, Observation>,
}

impl<'w> Shut<'w> {
    /// Looks at every site with both kinds of policies; places that decide alike once.
    pub(super) fn of(facts: &Facts<'w>) -> Self {
        let mut found = Self { places: HashMap::new(), said: BTreeMap::new() };
        let both = |site: &&Site<'w>| !site.attached.deny.is_empty() && !site.attached.allow.is_empty();
        let mut more: BTreeMap<ObjectId, usize> = BTreeMap::new();
        for site in facts.sites.iter().filter(both) {
            let spots: Vec<Spot<'_, 'w>> = facts.spots_at(site).into_iter().filter(Spot::is_guarded).collect();
            let culprits: Vec<Option<&Resource<AuthorizationPolicy>>> =
                spots.iter().map(|spot| found.culprit(site, spot)).collect();
            let Some(policy) = culprits.first().copied().flatten() else { continue };
            let alone = culprits.iter().all(|other| other.is_some_and(|other| other.id == policy.id));
            if policy.context || !alone {
                continue;
            }
            let who = site.name();
            let count = more.entry(policy.id.clone()).or_default();
            *count += 1;
            let others = if *count > 1 { format!(" (and {} more)", *count - 1) } else { String::new() };
            let first = found.said.entry(policy.id.clone()).or_insert_with(|| said(policy, site, &who));
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
    fn culprit(&mut self, site: &Site<'w>, spot: &Spot<'_, 'w>) -> Option<&'w Resource<AuthorizationPolicy>> {
        *self.places.entry(address(spot)).or_insert_with(|| {
            let judgement = spot.judgement();
            if lets_pass(judgement, &judgement.list) {
                return None;
            }
            let denies = |rule: &Rule, id: Option<&ObjectId>| {
                by_policy(judgement, rule.label).is_some_and(|by| {
                    let deny = site.attached.deny.iter().any(|deny| deny.id == *by);
                    deny && id.is_none_or(|id| id != by)
                })
            };
            let only = |id: Option<&ObjectId>| {
                let rules = judgement.list.rules.iter().filter(|rule| !denies(rule, id)).cloned().collect();
                DecisionList { rules, default: judgement.list.default }
            };
            if !lets_pass(judgement, &only(None)) {
                return None;
            }
            site.attached.deny.iter().copied().find(|deny| !lets_pass(judgement, &only(Some(&deny.id))))
        })
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

/// Whether a list refuses not everything, or it cannot be told.
fn lets_pass(judgement: &Judgement, list: &DecisionList) -> bool {
    let passes = |label: Label| match judgement.verdict(label) {
        Some(Verdict::End(ending)) => ending.decision != Decision::Denied,
        Some(Verdict::Forward(_)) => true,
        None => false,
    };
    let admitting = list.rules.iter().filter(|rule| passes(rule.label));
    if !passes(list.default) && admitting.clone().next().is_none() {
        return false;
    }
    let shown = |rule: &Rule| sample(&rule.cube, judgement).is_some_and(|point| passes(label_of(list, &point)));
    if passes(list.default) || admitting.take(MANY_RULES).any(shown) {
        return true;
    }
    let found = partition(list, &Cube::default(), &judgement.universe, &WORK);
    found.labels().into_iter().any(|(label, search)| passes(label) && search != Search::Empty)
}

/// How many rules are tried before the partition is asked.
const MANY_RULES: usize = 8;

/// `deny-overrides-everything`
fn said(policy: &Resource<AuthorizationPolicy>, site: &Site<'_>, who: &str) -> Observation {
    debug_assert!(policy.spec.action() == Action::Deny);
    let span = action_span(policy);
    let message = message(policy, who, "");
    let mut seen = Observation::new("deny-overrides-everything", &policy.id, span, "refuses every request", message);
    seen.workload = Some(who.to_owned());
    match site.attached.allow.first().filter(|allow| !allow.spec.rules().is_empty()) {
        Some(allow) => seen.related(allow.name_span, "what it admits is refused"),
        None => seen,
    }
}

/// What is true of it.
fn message(policy: &Resource<AuthorizationPolicy>, who: &str, others: &str) -> String {
    format!("{} refuses every request to `{who}`{others}, and so all that ALLOW policies admit there", policy.id)
}
