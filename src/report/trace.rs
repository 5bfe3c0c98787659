//! One request hop by hop, with the lines of the manifests that each step rests on.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::json::{answer_value, position, witness};
use super::quote::quote;
use super::request::{ending, request_line};
use crate::semantics::{Answer, By, ISTIO_RELEASE, Request};
use crate::text::Files;

/// One request hop by hop.
pub fn trace(files: &Files, request: &Request, answer: &Answer) -> String {
    let mut text = format!("{}\n", request_line(request));
    let mut at = "";
    let mut quoted = None;
    for step in &answer.trace {
        if step.at != at {
            let _ = writeln!(text, "\n{}", step.at);
            at = &step.at;
            quoted = None;
        }
        let _ = writeln!(text, "  {}", step.what);
        // Steps that rest on the same lines quote them once.
        if let Some(span) = step.span.filter(|span| quoted != Some(*span)) {
            text.push_str(&quote(files, span, "      "));
            quoted = Some(span);
        }
    }
    let outcome = &answer.outcome;
    let _ = write!(text, "\n{}", ending(outcome.decision, outcome.by));
    if let (Some(rule), Some(By::Policy)) = (&outcome.policy, outcome.by) {
        let _ = write!(text, " {} rules[{}]", rule.policy.path(), rule.rule);
    }
    if let (Some(workload), Some(path)) = (&outcome.workload, &outcome.path) {
        let _ = write!(text, ": `{workload}` sees `{path}`");
    }
    if let Some(cause) = &outcome.cause {
        let _ = write!(text, ": {}", cause.message);
    }
    text.push('\n');
    for other in &answer.outcomes {
        let workload = other.workload.as_deref().unwrap_or("nobody");
        let _ = writeln!(text, "  maybe {} at `{workload}`", ending(other.decision, other.by));
    }
    text
}

/// One request hop by hop, as one line of JSON.
pub fn trace_json(files: &Files, request: &Request, answer: &Answer) -> String {
    let steps = answer.trace.iter().map(|step| {
        json!({
            "at": step.at,
            "message": step.what,
            "place": position(files, step.span),
            "text": step.span.map(|span| files.slice(files.visible(span))),
        })
    });
    let document = json!({
        "version": 1,
        "istio": ISTIO_RELEASE,
        "request": witness(request),
        "steps": steps.collect::<Vec<Value>>(),
        "answer": answer_value(files, request, answer),
    });
    format!("{document}\n")
}
