//! SARIF 2.1.0: rules with their documentation, results with related places, and the way of each witness as a code flow.

use serde_json::{Map, Value, json};

use super::explain::help_markdown;
use super::shown::{Shown, ShownPlace, place};
use super::uri::uri;
use super::words::line;
use crate::rule::{Finding, Report, RuleFile, RuleSet, Severity, Way, fingerprint};
use crate::semantics::Cause;
use crate::text::{Files, Replacement, Span};

/// Where the schema is published.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What relative URIs are relative to.
const ROOT: &str = "%SRCROOT%";

/// All findings as one run, with all rules that were asked. Files are named relative to a directory.
pub fn sarif(files: &Files, report: &Report, rules: &RuleSet, directory: &str) -> String {
    let rules = rules.all();
    let writer = Writer { files, rules: &rules, directory };
    let results: Vec<Value> = report.findings.iter().map(|finding| writer.result(finding)).collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "meshlint",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { ROOT: { "description": { "text": "the directory in which meshlint ran" } } },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": writer.notifications(report),
            }],
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

/// A rule with its documentation.
fn descriptor(rule: &RuleFile) -> Value {
    // A rule of the user may say no more than its title.
    let said = |words: &str| if words.trim().is_empty() { rule.title.clone() } else { words.trim_end().to_owned() };
    let mut descriptor = json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": said(&rule.why) },
        "help": { "text": said(&rule.help), "markdown": help_markdown(rule) },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": ["istio", "kubernetes", "security"] },
    });
    if let (Value::Object(fields), Some(first)) = (&mut descriptor, rule.references.first()) {
        fields.insert("helpUri".to_owned(), json!(first));
    }
    descriptor
}

/// The word for a severity.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// Writes what has places.
#[derive(Debug, Clone, Copy)]
struct Writer<'a> {
    /// Names and texts
    files: &'a Files,
    /// The rules, in the order of the run
    rules: &'a [&'a RuleFile],
    /// What names are relative to
    directory: &'a str,
}

impl Writer<'_> {
    /// A finding.
    fn result(&self, finding: &Finding) -> Value {
        let shown = Shown::of(self.files, finding);
        let label = place(self.files, finding.label.span, &finding.label.text);
        let related: Vec<Value> = finding
            .related
            .iter()
            .zip(shown.related(self.files))
            .map(|(related, words)| self.location(related.span, &words))
            .collect();
        let mut fields = Map::new();
        let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        set("ruleId", json!(line(&finding.rule)));
        if let Some(index) = self.rules.iter().position(|rule| rule.id == finding.rule) {
            set("ruleIndex", json!(index));
        }
        set("level", json!(level(finding.severity)));
        set("message", json!({ "text": shown.paragraphs().join("\n") }));
        set("locations", json!([self.location(finding.label.span, &label)]));
        if !related.is_empty() {
            set("relatedLocations", json!(related));
        }
        let flow = self.flow(finding);
        if flow.len() > 1 {
            set("codeFlows", json!([{ "threadFlows": [{ "locations": flow }] }]));
        }
        if let Some(edit) = finding.fix.as_ref().and_then(|fix| fix.proven.as_ref()) {
            set("fixes", json!([self.fix(finding, edit)]));
        }
        set("partialFingerprints", json!({ "meshlint/v1": fingerprint(self.files, finding) }));
        set("properties", properties(&shown));
        Value::Object(fields)
    }

    /// The way of the witness, up to the line that opens the hole. A step without a place of its own is told at the next.
    fn flow(&self, finding: &Finding) -> Vec<Value> {
        let mut stops: Vec<(Span, String, &str)> = Vec::new();
        let mut told = String::new();
        let mut at = "";
        for step in &finding.way.steps {
            let here = if step.at == at { step.what.clone() } else { format!("{}: {}", step.at, step.what) };
            let separator = if told.is_empty() { "" } else { "; " };
            told = format!("{told}{separator}{here}");
            at = &step.at;
            let Some(span) = step.span.filter(|span| *span != finding.label.span) else {
                continue;
            };
            let told = std::mem::take(&mut told);
            match stops.last_mut().filter(|(before, ..)| *before == span) {
                Some((_, words, _)) => *words = format!("{words}; {told}"),
                None if Way::is_passed_over(step) => stops.push((span, told, "unimportant")),
                None => stops.push((span, told, "important")),
            }
        }
        let end = if told.is_empty() { finding.label.text.clone() } else { told };
        stops.push((finding.label.span, end, "essential"));
        let stops = stops.iter().map(|(span, words, importance)| {
            let words = place(self.files, *span, words);
            json!({ "location": self.location(*span, &words), "importance": importance })
        });
        stops.collect()
    }

    /// An edit that is proven.
    fn fix(&self, finding: &Finding, edit: &Replacement) -> Value {
        let at = |offset| self.files.position(edit.span.file, offset);
        let (start, end) = (at(edit.span.start), at(edit.span.end));
        json!({
            "description": { "text": finding.help.as_deref().map_or_else(String::new, line) },
            "artifactChanges": [{
                "artifactLocation": self.artifact(edit.span),
                "replacements": [{
                    "deletedRegion": {
                        "startLine": start.line,
                        "startColumn": start.column,
                        "endLine": end.line,
                        "endColumn": end.column,
                    },
                    "insertedContent": { "text": edit.text },
                }],
            }],
        })
    }

    /// The file of a span.
    fn artifact(&self, span: Span) -> Value {
        let (uri, is_relative) = uri(self.files.name(span.file), self.directory);
        let mut artifact = json!({ "uri": uri });
        if let (Value::Object(fields), true) = (&mut artifact, is_relative) {
            fields.insert("uriBaseId".to_owned(), json!(ROOT));
        }
        artifact
    }

    /// A place with words.
    fn location(&self, span: Span, words: &ShownPlace) -> Value {
        json!({
            "physicalLocation": {
                "artifactLocation": self.artifact(span),
                "region": {
                    "startLine": words.start.line,
                    "startColumn": words.start.column,
                    "endLine": words.end.line,
                    "endColumn": words.end.column,
                },
            },
            "message": { "text": words.message },
        })
    }

    /// What the answers rest on, and what was left out.
    fn notifications(&self, report: &Report) -> Vec<Value> {
        let assumed =
            report.assumptions.iter().map(|assumption| (format!("assumed: {}", assumption.message), assumption.span));
        let noted = report.notes.iter().map(|note| (note.message.clone(), note.span));
        let notifications = assumed.chain(noted).map(|(message, span)| {
            let message = line(&message);
            let mut notification = json!({ "level": "note", "message": { "text": message } });
            if let (Value::Object(fields), Some(span)) = (&mut notification, span) {
                let words = place(self.files, span, &message);
                fields.insert("locations".to_owned(), json!([self.location(span, &words)]));
            }
            notification
        });
        notifications.collect()
    }
}

/// What SARIF has no field for.
fn properties(shown: &Shown<'_>) -> Value {
    let finding = shown.finding;
    let causes: Vec<Value> = finding.causes.iter().map(cause).collect();
    json!({
        "status": finding.status,
        "world": finding.world,
        "workload": finding.workload.as_deref().map(line),
        "cells": finding.cells,
        "request": shown.request,
        "curl": shown.curl,
        "help": shown.help,
        "snippet": shown.snippet,
        "causes": causes,
    })
}

/// Why something is not proven.
fn cause(cause: &Cause) -> Value {
    json!({ "kind": cause.kind, "message": line(&cause.message) })
}
