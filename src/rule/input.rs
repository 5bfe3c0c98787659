//! Problems of the input as findings.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Label, Related, Severity, Status, Way};
use super::report::Note;
use crate::model::{Problem, ProblemKind, is_likely_placeholder, is_placeholder, names_mesh_group};
use crate::text::{FileId, Files, Span};

/// What the rules about the input say.
pub(super) struct InputFindings {
    /// The findings
    pub(super) findings: Vec<Finding>,
    /// What is no finding and was left out all the same
    pub(super) notes: Vec<Note>,
}

/// The findings of all problems. Templates come once for each directory; one that names no API of the mesh is a note.
pub(super) fn findings(problems: &[Problem], files: &Files) -> InputFindings {
    let mut found = InputFindings { findings: Vec::new(), notes: Vec::new() };
    let mut templates: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut unrelated: Option<(usize, Span)> = None;
    for problem in problems {
        let (kind, message) = reading(problem, files);
        if kind == ProblemKind::Template {
            if !names_mesh_group(files.text(problem.span.file)) {
                unrelated = Some(unrelated.map_or((1, problem.span), |(count, span)| (count + 1, span)));
                continue;
            }
            let name = files.name(problem.span.file);
            let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
            if let Some((_, more)) = templates.get_mut(directory) {
                *more += 1;
                continue;
            }
            templates.insert(directory.to_owned(), (found.findings.len(), 0));
        }
        let (rule, severity) = rule_of(kind, problem.span.file, files);
        found.findings.push(finding(problem, kind, rule, severity, message));
    }
    for (index, more) in templates.into_values().filter(|(_, more)| *more > 0) {
        if let Some(finding) = found.findings.get_mut(index) {
            finding.message = format!("{} (and {more} more in this directory)", finding.message);
        }
    }
    if let Some((count, span)) = unrelated {
        let message = match count {
            1 => "1 template that names no API of the mesh was not rendered".to_owned(),
            _ => format!("{count} templates that name no API of the mesh were not rendered, the first of them here"),
        };
        found.notes.push(Note { message, span: Some(span) });
    }
    found
}

/// What a problem comes to, and in which words: an object that is refused for a value that somebody else fills in
/// later is a template.
fn reading(problem: &Problem, files: &Files) -> (ProblemKind, String) {
    let text = files.slice(problem.span);
    let refused = matches!(problem.kind, ProblemKind::Rejected | ProblemKind::Misfit);
    let likely = problem.kind == ProblemKind::Rejected && is_likely_placeholder(text);
    let stands_for_another = refused && (likely || is_placeholder(text) || is_annotated(problem.span, files));
    let object = problem.object.as_ref().map_or_else(|| "this object".to_owned(), ToString::to_string);
    match (stands_for_another, text.lines().next().unwrap_or_default().trim()) {
        (false, _) => (problem.kind, problem.message.clone()),
        (true, "") => (ProblemKind::Template, format!("{object} is left out: a value in it is filled in later")),
        (true, value) if value.starts_with('#') => {
            (ProblemKind::Template, format!("{object} is left out: a value in it is filled in later"))
        }
        (true, value) => (ProblemKind::Template, format!("{object} is left out: `{value}` is filled in later")),
    }
}

/// Whether the line of a span carries an annotation of ytt, by which a value is filled in.
fn is_annotated(span: Span, files: &Files) -> bool {
    let text = files.text(span.file);
    let before = text.get(..span.start as usize).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    text.get(line..).unwrap_or_default().lines().next().unwrap_or_default().contains("#@")
}

/// The rule id and severity of a problem.
fn rule_of(kind: ProblemKind, file: FileId, files: &Files) -> (&'static str, Severity) {
    match kind {
        ProblemKind::Syntax if names_mesh_group(files.text(file)) => ("syntax-error", Severity::Error),
        ProblemKind::Syntax => ("syntax-error", Severity::Warning),
        ProblemKind::IgnoredTail => ("ignored-tail", Severity::Error),
        ProblemKind::DuplicateKey => ("duplicate-key", Severity::Warning),
        ProblemKind::Template => ("unrendered-template", Severity::Warning),
        ProblemKind::Rejected | ProblemKind::Misfit => ("rejected-resource", Severity::Error),
        ProblemKind::UnknownField => ("unknown-field", Severity::Error),
        ProblemKind::RemovedVersion => ("removed-api-version", Severity::Warning),
        ProblemKind::Surprise => ("yaml11-surprise", Severity::Warning),
        ProblemKind::Duplicate => ("duplicate-resource", Severity::Warning),
    }
}

/// The words under the marked place.
fn label(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Syntax => "cannot be read from here",
        ProblemKind::IgnoredTail => "ignored from here",
        ProblemKind::DuplicateKey => "this one counts",
        ProblemKind::Template => "not rendered",
        ProblemKind::Rejected | ProblemKind::Misfit => "refused",
        ProblemKind::UnknownField => "no such field",
        ProblemKind::RemovedVersion => "not served",
        ProblemKind::Surprise => "not what it looks like",
        ProblemKind::Duplicate => "does not act",
    }
}

/// The finding of one problem.
fn finding(problem: &Problem, kind: ProblemKind, rule: &'static str, severity: Severity, message: String) -> Finding {
    let related = problem.related.iter();
    Finding {
        rule: rule.into(),
        severity,
        status: Status::Broken,
        world: None,
        message,
        help: problem.help.clone().or_else(|| help(kind)),
        label: Label { span: problem.span, text: label(kind).to_owned() },
        resource: problem.object.clone(),
        workload: None,
        witness: None,
        seen_path: None,
        doors: BTreeSet::new(),
        way: Way::default(),
        fix: None,
        cells: 0,
        causes: Vec::new(),
        related: related
            .map(|(span, message)| Related { span: *span, message: message.clone(), rule: None, severity: None })
            .collect(),
    }
}

/// What to do about a kind of problem, where that is always the same.
fn help(kind: ProblemKind) -> Option<String> {
    let help = match kind {
        ProblemKind::Template => {
            "check what is applied: `helm template … | meshlint check -`, `kustomize build … | meshlint check -`"
        }
        ProblemKind::Duplicate => "check each deployable set on its own, or drop one of them",
        ProblemKind::IgnoredTail => "indent it as the lines above, or begin a document of its own with `---`",
        ProblemKind::DuplicateKey => "merge the two values into one, or drop the one that is not meant",
        ProblemKind::RemovedVersion => "write it in a version that is served, such as `v1`",
        ProblemKind::Syntax
        | ProblemKind::Rejected
        | ProblemKind::Misfit
        | ProblemKind::UnknownField
        | ProblemKind::Surprise => return None,
    };
    Some(help.to_owned())
}
