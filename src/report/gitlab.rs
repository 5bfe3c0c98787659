//! GitLab's code quality report: a subset of the Code Climate format.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::shown::Shown;
use super::uri::relative;
use super::words::line;
use crate::rule::{Report, Severity, fingerprint};
use crate::text::Files;

/// All findings as an array. Files are named relative to a directory.
pub fn gitlab(files: &Files, report: &Report, directory: &str) -> String {
    let mut known: HashMap<String, usize> = HashMap::new();
    let issues = report.findings.iter().map(|finding| {
        let shown = Shown::of(files, finding);
        let fingerprint = fingerprint(files, finding);
        // GitLab shows only one of those that share a fingerprint.
        let times = known.entry(fingerprint.clone()).or_default();
        *times += 1;
        let fingerprint = if *times == 1 { fingerprint } else { format!("{fingerprint}-{times}") };
        let request = shown.request.as_ref().map(|request| format!(" ({}: {request})", shown.gets_through()));
        json!({
            "description": format!("{}{}", shown.place.message, request.unwrap_or_default()),
            "check_name": line(&finding.rule),
            "fingerprint": fingerprint,
            "severity": match finding.severity {
                Severity::Error => "critical",
                Severity::Warning => "minor",
                Severity::Info => "info",
            },
            "location": {
                "path": line(relative(files.name(finding.label.span.file), directory)),
                "lines": { "begin": shown.place.start.line, "end": shown.place.end.line },
            },
        })
    });
    let issues: Vec<Value> = issues.collect();
    format!("{:#}\n", Value::Array(issues))
}
