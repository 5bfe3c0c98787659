//! Every witness is held against the answer that `eval` gives before it is shown.

use rayon::prelude::*;

use super::entrypoint::{Entrypoint, parse_entrypoint};
use super::eval::Evaluator;
use crate::model::{Gateway, Resource};
use crate::rule::{Finding, Note, Related, Report, Status, Way, rule};
use crate::semantics::{Answer, Decision, Request, World};

/// Holds every witness against the answer that `eval` gives: what is shown must go through, or be refused where that is
/// what is found. Keeps its way, and what the workload sees of it.
pub fn confirm(world: &World, report: &mut Report) {
    let doubts = report.findings.par_iter_mut().filter_map(|finding| {
        let witness = finding.witness.as_ref()?;
        let wanted = match finding.status {
            Status::Broken if finding.way.refused => Decision::Denied,
            Status::Broken => Decision::Allowed,
            Status::NotProven => Decision::Undetermined,
        };
        // The symbolic reading found it; the other one, step by step, must say the same.
        let instead = match Evaluator::step_by_step(world).answer(witness) {
            Ok(answer) if answer.outcome.decision == wanted => {
                finding.seen_path = answer.outcome.path.filter(|seen| *seen != witness.path);
                let tls = opens_tls(world, witness);
                finding.way = Way { steps: answer.trace, tls, refused: finding.way.refused };
                show_way(world, finding);
                return None;
            }
            Ok(answer) if is_stopped_behind(finding, &answer) => {
                finding.witness = None;
                return None;
            }
            Ok(answer) => format!("{:?}", answer.outcome.decision),
            Err(error) => format!("{error:?}"),
        };
        let shown = serde_json::to_string(witness).unwrap_or_default();
        finding.witness = None;
        let workload = finding.workload.as_deref().unwrap_or_default();
        let message = format!(
            "internal error, please report it: the witness of `{}` for `{workload}` is not confirmed ({instead}): {shown}",
            finding.rule,
        );
        Some(Note { message, span: None })
    });
    let doubts: Vec<Note> = doubts.collect();
    report.notes.extend(doubts);
}

/// Whether a finding is about what a gateway lets pass, and what stops the request stands behind it: there is nothing to
/// show then that goes all the way.
fn is_stopped_behind(finding: &Finding, answer: &Answer) -> bool {
    let at_gateway = finding.witness.as_ref().is_some_and(|witness| witness.entrypoint.starts_with("gateway "));
    let behind = answer.trace.iter().any(|step| step.at.starts_with("workload "));
    // Or it is not in the input where the gateway leads.
    let unknown = answer.outcome.decision == Decision::Undetermined;
    at_gateway && (behind || unknown) && rule(&finding.rule).is_ok_and(|rule| rule.check.is_some())
}

/// Adds the places where proxies in front let the witness pass: the server, where its gateway has several, the route and
/// its rewrites. What the workload's own proxy does is what the finding itself is about.
fn show_way(world: &World, finding: &mut Finding) {
    let only_server = match finding.witness.as_ref().and_then(|witness| gateway_of(world, witness)) {
        Some((gateway, _)) => match gateway.spec.servers() {
            [only] => Some(only.span),
            _ => None,
        },
        None => None,
    };
    let mut places: Vec<Related> = Vec::new();
    for step in finding.way.steps.iter().filter(|step| !step.at.starts_with("workload") && !Way::is_passed_over(step)) {
        let Some(span) = step.span.filter(|span| *span != finding.label.span && Some(*span) != only_server) else {
            continue;
        };
        // A route and its rewrites stand at one place, and one label tells all of it.
        match places.iter_mut().find(|place| place.span == span) {
            Some(place) if place.message.contains(&step.what) => {}
            Some(place) => place.message = format!("{}; {}", place.message, step.what),
            None => places.push(Related { span, message: step.what.clone(), rule: None, severity: None }),
        }
    }
    let is_told = |known: &Related| known.rule.is_none() && places.iter().any(|place| place.span == known.span);
    finding.related.retain(|known| !is_told(known));
    finding.related.extend(places);
}

/// The gateway and its port that a request enters by, if it does.
fn gateway_of<'w>(world: &'w World, request: &Request) -> Option<(&'w Resource<Gateway>, u16)> {
    match parse_entrypoint(world, &request.entrypoint) {
        Ok(Entrypoint::Gateway { gateway, port }) => Some((gateway, port)),
        Ok(Entrypoint::Workload { .. } | Entrypoint::Service { .. } | Entrypoint::Unmodelled { .. }) | Err(_) => None,
    }
}

/// Whether a client opens its connection by TLS of its own.
fn opens_tls(world: &World, request: &Request) -> bool {
    gateway_of(world, request).is_some_and(|(gateway, port)| {
        let mut servers = gateway.spec.servers().iter().filter(|server| server.value.number() == port);
        servers.any(|server| matches!(server.value.protocol().as_str(), "HTTPS" | "TLS"))
    })
}
