//! Findings as failing test cases, for whatever reads the XML of `JUnit`.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::shown::Shown;
use super::words::line;
use crate::rule::{Report, Severity};
use crate::text::Files;

/// A suite for each rule with findings. Those below the threshold are skipped cases, so that a reader comes to the same
/// result as the exit status; a run without findings is one case that passes.
pub fn junit(files: &Files, report: &Report, threshold: Option<Severity>) -> String {
    let mut document = quick_junit::Report::new("meshlint");
    let mut rules: Vec<&str> = report.findings.iter().map(|finding| &*finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    for rule in &rules {
        let mut suite = TestSuite::new(line(rule));
        for finding in report.findings.iter().filter(|finding| finding.rule == *rule) {
            let fails = threshold.is_some_and(|threshold| finding.severity >= threshold);
            suite.add_test_case(case(&Shown::of(files, finding), fails));
        }
        document.add_test_suite(suite);
    }
    if rules.is_empty() {
        let mut suite = TestSuite::new("check");
        let mut passed = TestCase::new("no findings", TestCaseStatus::success());
        passed.set_classname("meshlint");
        suite.add_test_case(passed);
        document.add_test_suite(suite);
    }
    // Only writing can fail, and a string takes whatever is written.
    document.to_string().unwrap_or_default()
}

/// One finding.
fn case(shown: &Shown<'_>, fails: bool) -> TestCase {
    let mut status =
        if fails { TestCaseStatus::non_success(NonSuccessKind::Failure) } else { TestCaseStatus::skipped() };
    let mut said = shown.paragraphs();
    said.extend(shown.snippet.clone());
    status.set_message(shown.place.message.clone());
    status.set_type(shown.finding.severity.word());
    status.set_description(said.join("\n"));
    let place = format!("{}:{}:{}", shown.place.file, shown.place.start.line, shown.place.start.column);
    let mut case = TestCase::new(format!("{place} {}", shown.place.message), status);
    case.set_classname(line(&shown.finding.rule));
    case
}
