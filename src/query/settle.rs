//! One answer from all that may happen.

use crate::model::{Gateway, Resource};
use crate::semantics::{Answer, By, Decision, Ending, Outcome, Step};
use crate::text::Span;

/// An outcome that says no more than how it ended where.
pub(super) fn ended(at: &str, ending: &Ending) -> Outcome {
    Outcome {
        decision: ending.decision,
        by: ending.by,
        workload: None,
        path: None,
        authority: None,
        at: Some(at.to_owned()),
        policy: ending.policy.as_deref().cloned(),
        cause: ending.cause.as_deref().cloned(),
    }
}

/// What outcomes say, places and causes aside.
pub(super) fn decisions(outcomes: &[Outcome]) -> Vec<(Decision, Option<By>)> {
    let mut all: Vec<_> = outcomes.iter().map(|outcome| (outcome.decision, outcome.by)).collect();
    all.sort();
    all.dedup();
    all
}

/// One answer from all that may happen. Outcomes that rest on a supposition count only where all agree.
pub(super) fn settle(outcomes: &[Outcome], trace: Vec<Step>) -> Answer {
    let supposed = |outcome: &Outcome| outcome.by.is_some() && outcome.cause.is_some();
    let clean = |outcome: Outcome| if outcome.by.is_some() { Outcome { cause: None, ..outcome } } else { outcome };
    let mut distinct: Vec<Outcome> = Vec::new();
    for outcome in outcomes {
        if !distinct.iter().any(|known| same_end(known, outcome)) {
            distinct.push(outcome.clone());
        }
    }
    let unknown = distinct.iter().find(|outcome| outcome.decision == Decision::Undetermined).cloned();
    let guess = distinct.iter().find(|outcome| supposed(outcome)).cloned();
    if let Some(guess) = guess.filter(|_| decisions(&distinct).len() > 1) {
        let undetermined = Outcome {
            decision: Decision::Undetermined,
            by: None,
            workload: None,
            path: None,
            authority: None,
            policy: None,
            ..guess
        };
        return Answer { outcome: undetermined, outcomes: Vec::new(), trace };
    }
    let mut distinct: Vec<Outcome> = distinct.into_iter().map(clean).collect();
    if distinct.len() > 1 && outcomes.iter().any(supposed) {
        // Several workloads may exist that decide alike: which one it is cannot be said.
        if let Some(first) = distinct.first().cloned() {
            let outcome = Outcome { workload: None, policy: None, at: None, ..first };
            return Answer { outcome, outcomes: Vec::new(), trace };
        }
    }
    if let [only] = distinct.as_slice() {
        return Answer { outcome: only.clone(), outcomes: Vec::new(), trace };
    }
    distinct.sort_by_key(|outcome| (outcome.decision, outcome.workload.clone()));
    let first =
        distinct.iter().find(|outcome| outcome.decision == Decision::Allowed).or(unknown.as_ref()).or(distinct.first());
    let outcome = first.cloned().unwrap_or_else(|| ended("nowhere", &Ending::denied(By::NoDestination, None)));
    Answer { outcome, outcomes: distinct, trace }
}

/// Whether two outcomes are the same to whoever asks.
fn same_end(a: &Outcome, b: &Outcome) -> bool {
    a.decision == b.decision
        && a.by == b.by
        && a.workload == b.workload
        && a.path == b.path
        && a.at == b.at
        && a.policy == b.policy
}

/// The host that a client would use at a gateway's port.
pub(super) fn default_host(gateway: &Resource<Gateway>, port: u16) -> String {
    let server = gateway.spec.servers().iter().find(|server| server.value.number() == port);
    let host = server.and_then(|server| server.value.hosts().first());
    let host = host.map_or("*", |host| host.value.rsplit('/').next().unwrap_or("*"));
    match host.strip_prefix('*') {
        Some("") => "example.com".to_owned(),
        Some(suffix) => format!("www{suffix}"),
        None => host.to_owned(),
    }
}

/// The server of a gateway's port that is for an authority.
pub(super) fn server_for(gateway: &Resource<Gateway>, port: u16, authority: &str) -> Option<Span> {
    let name = authority.rsplit_once(':').map_or(authority, |(name, _)| name).to_ascii_lowercase();
    let fits = |host: &str| {
        let host = host.rsplit('/').next().unwrap_or(host).to_ascii_lowercase();
        host.strip_prefix('*').map_or(host == name, |suffix| name.ends_with(suffix))
    };
    let mut servers = gateway.spec.servers().iter().filter(|server| server.value.number() == port);
    let server = servers.find(|server| server.value.hosts().iter().any(|host| fits(&host.value)));
    server.map(|server| server.span)
}
