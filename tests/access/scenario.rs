//! The mission's scenario with a table for its two programs: what passes, and in which row each hole shows.

use std::collections::BTreeSet;

use meshlint::rule::{Finding, Report, Severity, Status};

use super::{API, INTERNAL, Run, TABLE, cases, check, errors, manifests, rows};

/// Cases that open the second program; the others that open one open the first.
const INTERNAL_CASES: &[&str] = &[
    "internal-from-missing",
    "namespaces-and-ingress",
    "namespaces-by-prefix",
    "namespaces-inverted",
    "namespaces-star",
    "own-gateway",
    "own-gateway-with-route",
];

/// Harmless cases that admit somebody to what is neither API nor internal, and the row that grants it.
const MORE: &[(&str, &str)] = &[
    ("another-policy", "{paths: [/metrics], allow: [{namespace: monitoring}], "),
    ("deny-all-but-health", "{paths: [/healthz], allow: [anyone], "),
    ("internal-paths-wider", "{paths: [\"/internal*/**\"], allow: [same-namespace], "),
    ("to-fully-excluded", "{allow: [ingress], "),
];

/// The rules that the access table stands in for.
const PATH_RULES: [&str; 2] = ["api-outside-ingress", "internal-outside-namespace"];

#[test]
fn each_hole_of_the_two_programs_shows_in_its_row_and_nowhere_else() {
    let mut holes = 0;
    for (name, case) in cases() {
        for run in &case.runs {
            let manifests = manifests(&name, &case, run);
            let without = check(&manifests, "{}").report;
            let Run { files, report, .. } = check(&manifests, TABLE);
            let of_programs = |finding: &&Finding| {
                finding.workload.as_deref().is_some_and(|workload| workload.contains("fastapi-jwt"))
            };
            let mut path_findings =
                without.findings.iter().filter(|finding| PATH_RULES.contains(&finding.rule.as_ref()));
            let open = path_findings.any(|finding| of_programs(&finding));
            let beyond: Vec<&Finding> =
                report.findings.iter().filter(|finding| finding.rule == "access-beyond-table").collect();
            assert!(
                !report
                    .findings
                    .iter()
                    .any(|finding| PATH_RULES.contains(&finding.rule.as_ref()) && of_programs(&finding)),
                "{name}/{run}: the table stands in for the path rules"
            );
            if open {
                holes += 1;
                let row = if INTERNAL_CASES.contains(&name.as_str()) { INTERNAL } else { API };
                let status = if case.label == "not-proven" { Status::NotProven } else { Status::Broken };
                assert!(!beyond.is_empty(), "{name}/{run} is open beyond the table");
                for finding in beyond {
                    assert!(rows(&files, finding).contains(&row), "{name}/{run}: {finding:?}");
                    assert_eq!((finding.status, finding.severity), (status, Severity::Error), "{name}/{run}");
                    assert!(finding.witness.is_some(), "{name}/{run}");
                }
            }
            let default_deny = |report: &Report| errors(report).contains("missing-default-deny");
            assert_eq!(default_deny(&without), default_deny(&report), "{name}/{run}");
        }
    }
    assert!(holes > 40, "{holes} holes");
}

#[test]
fn harmless_cases_pass_where_the_table_grants_what_they_admit() {
    for (name, case) in cases().into_iter().filter(|(_, case)| case.label == "harmless") {
        for run in &case.runs {
            let manifests = manifests(&name, &case, run);
            let more = MORE.iter().find(|(known, _)| *known == name);
            if more.is_some() {
                assert_eq!(errors(&check(&manifests, TABLE).report), BTreeSet::from(["access-beyond-table"]), "{name}");
            }
            let more =
                more.map_or_else(String::new, |(_, row)| format!("  - {row}workloads: {{namespace: python}}}}\n"));
            let report = check(&manifests, &format!("{TABLE}{more}")).report;
            assert_eq!(errors(&report), BTreeSet::new(), "{name}/{run}");
        }
    }
}

#[test]
fn the_seed_passes_without_a_word() {
    let (name, case) = cases().into_iter().find(|(name, _)| name == "seed").expect("the seed");
    for run in &case.runs {
        let report = check(&manifests(&name, &case, run), TABLE).report;
        assert!(report.findings.is_empty(), "{run}: {:?}", report.findings);
        assert_eq!(report.summary.access_workloads, 2);
        assert!(report.summary.proven.contains(&"no access-beyond-table in 2 workloads".to_owned()));
    }
}
