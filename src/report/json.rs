//! The contracts that other programs build on: findings as JSON version 1, answers as JSON Lines.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::secret::without_credentials;
use super::words::{line, lines};
use crate::rule::{Finding, Report, Severity, Status, fingerprint};
use crate::semantics::{Answer, Cause, ISTIO_RELEASE, Outcome, Request};
use crate::text::{Files, Span};

/// A place with words. Fields are those of the contract.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    message: String,
    rule: Option<&'a str>,
    severity: Option<Severity>,
}

/// A finding.
#[derive(Serialize)]
struct JsonFinding<'a> {
    rule: &'a str,
    severity: Severity,
    status: Status,
    world: Option<&'a str>,
    message: String,
    help: Option<String>,
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    resource: Option<Value>,
    workload: Option<&'a str>,
    witness: Option<Value>,
    cells: usize,
    causes: Vec<Value>,
    related: Vec<Place<'a>>,
    fingerprint: String,
}

/// The counts. Fields are those of the contract.
#[derive(Serialize)]
struct JsonSummary<'a> {
    files: usize,
    documents: usize,
    resources: &'a BTreeMap<String, usize>,
    workloads: usize,
    skipped: usize,
    errors: usize,
    warnings: usize,
    infos: usize,
    not_proven: usize,
}

/// All findings as one line of JSON.
pub fn findings_json(files: &Files, report: &Report) -> String {
    let findings: Vec<JsonFinding<'_>> = report.findings.iter().map(|finding| json_finding(files, finding)).collect();
    let assumptions: Vec<Value> = report
        .assumptions
        .iter()
        .map(|assumption| {
            let position =
                assumption.span.map(|span| (files.name(span.file), files.position(span.file, span.start).line));
            json!({
                "kind": assumption.kind,
                "message": line(&assumption.message),
                "file": position.map(|(file, _)| file),
                "line": position.map(|(_, line)| line),
            })
        })
        .collect();
    let summary = JsonSummary {
        files: report.summary.read.files,
        documents: report.summary.read.documents,
        resources: &report.summary.read.resources,
        workloads: report.summary.workloads,
        skipped: report.summary.read.skipped,
        errors: report.count(Severity::Error),
        warnings: report.count(Severity::Warning),
        infos: report.count(Severity::Info),
        not_proven: report.not_proven(),
    };
    let document = json!({
        "version": 1,
        "istio": ISTIO_RELEASE,
        "findings": findings,
        "assumptions": assumptions,
        "summary": summary,
    });
    format!("{document}\n")
}

/// One finding.
fn json_finding<'a>(files: &'a Files, finding: &'a Finding) -> JsonFinding<'a> {
    let span = finding.label.span;
    let (start, end) = (files.position(span.file, span.start), files.position(span.file, span.end));
    JsonFinding {
        rule: &finding.rule,
        severity: finding.severity,
        status: finding.status,
        world: finding.world.as_deref(),
        message: line(&finding.message),
        help: finding.help.as_deref().map(lines),
        file: files.name(span.file),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        resource: finding
            .resource
            .as_ref()
            .map(|id| json!({"kind": id.kind, "namespace": id.namespace, "name": id.name})),
        workload: finding.workload.as_deref(),
        witness: finding.witness.as_ref().map(|request| witness(&without_credentials(request))),
        cells: finding.cells,
        causes: finding.causes.iter().map(|cause| json_cause(files, cause)).collect(),
        related: finding
            .related
            .iter()
            .map(|related| place(files, related.span, &related.message, related.rule.as_deref(), related.severity))
            .collect(),
        fingerprint: fingerprint(files, finding),
    }
}

/// File, line and column of a span.
pub(super) fn position(files: &Files, span: Option<Span>) -> Option<Value> {
    let span = files.visible(span?);
    let position = files.position(span.file, span.start);
    Some(json!({"file": files.name(span.file), "line": position.line, "column": position.column}))
}

/// A witness with every field of an `eval` request.
pub(super) fn witness(request: &Request) -> Value {
    let mut value = serde_json::to_value(request).unwrap_or(Value::Null);
    if let Value::Object(fields) = &mut value {
        fields.shift_remove("id");
    }
    value
}

/// A place.
fn place<'a>(
    files: &'a Files,
    span: Span,
    message: &'a str,
    rule: Option<&'a str>,
    severity: Option<Severity>,
) -> Place<'a> {
    let position = files.position(span.file, span.start);
    Place {
        file: files.name(span.file),
        line: position.line,
        column: position.column,
        message: line(message),
        rule,
        severity,
    }
}

/// A cause.
fn json_cause(files: &Files, cause: &Cause) -> Value {
    json!({
        "kind": cause.kind,
        "message": line(&cause.message),
        "file": cause.span.map(|span| files.name(span.file)),
        "line": cause.span.map(|span| files.position(span.file, span.start).line),
    })
}

/// One outcome, as the contract writes it.
fn outcome_fields(outcome: &Outcome) -> Value {
    let policy = match (&outcome.policy, outcome.by) {
        (Some(rule), Some(crate::semantics::By::Policy)) => Some(rule.policy.path()),
        (None, Some(crate::semantics::By::Policy)) => Some("none".to_owned()),
        _ => None,
    };
    json!({
        "decision": outcome.decision,
        "by": outcome.by,
        "workload": outcome.workload,
        "path": outcome.path,
        "authority": outcome.authority,
        "at": outcome.at.as_deref().filter(|at| *at != "route" && *at != "client"),
        "policy": policy,
    })
}

/// The answer to one request, as a line of JSON.
pub fn answer_line(files: &Files, request: &Request, answer: &Answer) -> String {
    format!("{}\n", answer_value(files, request, answer))
}

/// The answer to one request, as the contract writes it.
pub(super) fn answer_value(files: &Files, request: &Request, answer: &Answer) -> Value {
    let mut fields = outcome_fields(&answer.outcome);
    if let Value::Object(fields) = &mut fields {
        fields.shift_insert(0, "id".to_owned(), json!(request.id));
        let cause = answer.outcome.cause.as_ref().map(|cause| json_cause(files, cause));
        fields.insert("cause".to_owned(), json!(cause));
        if !answer.outcomes.is_empty() {
            let outcomes: Vec<Value> = answer.outcomes.iter().map(outcome_fields).collect();
            fields.insert("outcomes".to_owned(), Value::Array(outcomes));
        }
    }
    fields
}

/// The answer to a line that is no request.
pub fn error_line(id: Option<&str>, error: &str) -> String {
    format!("{}\n", json!({"id": id, "error": error}))
}
