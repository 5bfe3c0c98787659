//! Problems of the input as findings.

use super::finding::{Finding, Label, Related, Severity, Status};
use crate::model::{Problem, ProblemKind};
use crate::text::Files;

/// The rule id and severity of a problem.
fn rule_of(problem: &Problem, files: &Files) -> (&'static str, Severity) {
    let mesh = || files.text(problem.span.file).contains("istio.io");
    match problem.kind {
        ProblemKind::Syntax if mesh() => ("syntax-error", Severity::Error),
        ProblemKind::Syntax => ("syntax-error", Severity::Warning),
        ProblemKind::IgnoredTail => ("ignored-tail", Severity::Error),
        ProblemKind::DuplicateKey => ("duplicate-key", Severity::Warning),
        ProblemKind::Template if mesh() => ("unrendered-template", Severity::Warning),
        ProblemKind::Template => ("unrendered-template", Severity::Info),
        ProblemKind::Rejected if is_placeholder(problem, files) => ("unrendered-template", Severity::Warning),
        ProblemKind::Rejected => ("rejected-resource", Severity::Error),
        ProblemKind::UnknownField => ("unknown-field", Severity::Error),
        ProblemKind::RemovedVersion => ("removed-api-version", Severity::Warning),
        ProblemKind::Duplicate => ("duplicate-resource", Severity::Warning),
    }
}

/// Whether an object is refused for a value that somebody else fills in later: `$(VAR)`, `${VAR}`.
fn is_placeholder(problem: &Problem, files: &Files) -> bool {
    let text = files.slice(problem.span);
    problem.kind == ProblemKind::Rejected && (text.contains("$(") || text.contains("${"))
}

/// The words under the marked place.
fn label(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Syntax => "cannot be read from here",
        ProblemKind::IgnoredTail => "ignored from here",
        ProblemKind::DuplicateKey => "this one counts",
        ProblemKind::Template => "not rendered",
        ProblemKind::Rejected => "refused",
        ProblemKind::UnknownField => "no such field",
        ProblemKind::RemovedVersion => "no longer served",
        ProblemKind::Duplicate => "does not act",
    }
}

/// The findings of all problems. Templates come once for each directory.
pub(super) fn findings(problems: &[Problem], files: &Files) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut template_directories: Vec<String> = Vec::new();
    for problem in problems {
        if problem.kind == ProblemKind::Template || is_placeholder(problem, files) {
            let name = files.name(problem.span.file);
            let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned();
            if template_directories.contains(&directory) {
                continue;
            }
            template_directories.push(directory);
        }
        let (rule, severity) = rule_of(problem, files);
        findings.push(Finding {
            rule,
            severity,
            status: Status::Broken,
            world: None,
            message: problem.message.clone(),
            help: problem.help.clone(),
            label: Label { span: problem.span, text: label(problem.kind).to_owned() },
            resource: problem.object.clone(),
            workload: None,
            witness: None,
            cells: 0,
            causes: Vec::new(),
            related: problem
                .related
                .iter()
                .map(|(span, message)| Related { span: *span, message: message.clone(), rule: None, severity: None })
                .collect(),
        });
    }
    findings
}
