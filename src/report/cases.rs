//! What came of cases, for people and programs.

use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};

use super::json::{answer_value, position, witness};
use super::request::place;
use super::trace::trace;
use crate::query::{CaseProblem, CaseResult};
use crate::semantics::ISTIO_RELEASE;
use crate::text::Files;

/// What a case failed by, with the way of its request.
fn failure(files: &Files, result: &CaseResult) -> String {
    let mut text = String::new();
    for mismatch in &result.mismatches {
        let _ = writeln!(text, "{mismatch}");
    }
    let _ = write!(text, "\n{}", trace(files, &result.case.request, &result.answer));
    text
}

/// The cases that fail, each with the way of its request, and how many there are.
pub fn cases_text(files: &Files, results: &[CaseResult], verbose: bool) -> String {
    let mut text = String::new();
    for result in results {
        let at = place(files, result.case.span);
        if result.mismatches.is_empty() {
            if verbose {
                let _ = writeln!(text, "ok   {}", result.case.name);
            }
            continue;
        }
        let _ = writeln!(text, "FAIL {} ({at})", result.case.name);
        for line in failure(files, result).lines() {
            let _ = writeln!(text, "{}", format!("     {line}").trim_end());
        }
        text.push('\n');
    }
    let failed = results.iter().filter(|result| !result.mismatches.is_empty()).count();
    let _ = writeln!(text, "{} passed, {failed} failed", results.len() - failed);
    text
}

/// The cases as one line of JSON.
pub fn cases_json(files: &Files, results: &[CaseResult]) -> String {
    let case = |result: &CaseResult| {
        json!({
            "name": result.case.name,
            "passed": result.mismatches.is_empty(),
            "mismatches": result.mismatches,
            "place": position(files, Some(result.case.span)),
            "request": witness(&result.case.request),
            "answer": answer_value(files, &result.case.request, &result.answer),
        })
    };
    let failed = results.iter().filter(|result| !result.mismatches.is_empty()).count();
    let document = json!({
        "version": 1,
        "istio": ISTIO_RELEASE,
        "cases": results.iter().map(case).collect::<Vec<Value>>(),
        "summary": {"passed": results.len() - failed, "failed": failed},
    });
    format!("{document}\n")
}

/// The cases as `JUnit` has them: a suite for each file. Nothing in it depends on a clock.
pub fn cases_junit(files: &Files, results: &[CaseResult]) -> String {
    let mut report = Report::new("meshlint test");
    let mut rest = results;
    while let Some(first) = rest.first() {
        let file = first.case.span.file;
        let end = rest.iter().position(|result| result.case.span.file != file).unwrap_or(rest.len());
        let (here, after) = rest.split_at(end);
        rest = after;
        let mut suite = TestSuite::new(files.name(file));
        for result in here {
            let mut status = TestCaseStatus::success();
            if !result.mismatches.is_empty() {
                status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(result.mismatches.join("; ")).set_description(failure(files, result));
            }
            let mut case = TestCase::new(result.case.name.clone(), status);
            case.set_classname(files.name(file));
            case.extra.insert("file".into(), files.name(file).into());
            let line = files.position(file, result.case.span.start).line;
            case.extra.insert("line".into(), line.to_string().into());
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report.to_string().unwrap_or_default()
}

/// What is wrong with files of cases, a line each.
pub fn case_problems(files: &Files, problems: &[CaseProblem]) -> String {
    let lines = problems.iter().map(|problem| {
        let help = problem.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
        format!("{}: {}{help}", place(files, problem.span), problem.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}
