//! A whole check: input, mission rules, notes, summary.

use super::default_deny::{self, DefaultDeny};
use super::finding::{Finding, Severity, Status};
use super::report::{Note, Report, Summary};
use super::{input, path_rules, scope};
use crate::config::{Config, NotProven};
use crate::model::{Counts, Problem};
use crate::semantics::World;
use crate::text::Files;

/// Runs everything on what was loaded.
pub fn check(files: &Files, world: &World, problems: &[Problem], counts: Counts, config: &Config) -> Report {
    let mut report = Report {
        findings: input::findings(problems, files),
        assumptions: world.assumptions.clone(),
        notes: notes(&counts),
        summary: Summary {
            files: counts.files,
            documents: counts.documents,
            resources: counts.resources,
            other: counts.other,
            skipped: counts.skipped,
            ..Summary::default()
        },
    };
    ask_namespaces(world, &mut report);
    if config.not_proven == Some(NotProven::Warning) {
        for finding in report.findings.iter_mut().filter(|finding| finding.status == Status::NotProven) {
            finding.severity = finding.severity.min(Severity::Warning);
        }
    }
    let key =
        |finding: &Finding| (files.name(finding.label.span.file).to_owned(), finding.label.span.start, finding.rule);
    report.findings.sort_by_key(key);
    report.notes.sort();
    report
}

/// What was left out of the answer.
fn notes(counts: &Counts) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut note = |message: String| notes.push(Note { message, span: None });
    if counts.without_namespace > 0 {
        note(format!(
            "{} objects name no namespace and are taken to be in the one of `--namespace`, else in `default`",
            counts.without_namespace
        ));
    }
    if counts.network_policies > 0 {
        note(format!("{} NetworkPolicies are not considered", counts.network_policies));
    }
    if counts.kustomizations > 0 {
        note(
            "kustomizations were not built: `kustomize build DIR | meshlint check -` checks what is applied".to_owned(),
        );
    }
    if counts.patches > 0 {
        note(format!("{} files that kustomizations list as patches were not read as objects", counts.patches));
    }
    notes
}

/// Asks the three rules of every namespace that they are about.
fn ask_namespaces(world: &World, report: &mut Report) {
    let mut clean: [usize; 3] = [0; 3];
    let mut sources: std::collections::BTreeSet<String> =
        world.mesh.workloads.iter().map(crate::model::Workload::identity_path).collect();
    sources.extend(world.gateway_workloads.iter().flat_map(|workload| workload.identities.clone()));
    for namespace in world.namespaces() {
        if !scope::in_mesh(world, &namespace) {
            if !world.workloads_in(&namespace).is_empty() && scope::is_owned(world, &namespace) {
                report.notes.push(Note {
                    message: format!("`{namespace}` is outside the mesh and was not judged"),
                    span: None,
                });
            }
            continue;
        }
        let owned = scope::is_owned(world, &namespace);
        if !owned {
            if world.workloads_in(&namespace).iter().any(|workload| !world.is_gateway(workload) && !workload.implied) {
                report.notes.push(Note {
                    message: format!("`{namespace}` belongs to somebody else and was not judged"),
                    span: None,
                });
            }
            continue;
        }
        let default_deny = default_deny::ask(world, &namespace);
        let mut paths = path_rules::ask(world, &namespace, default_deny.as_ref());
        let workloads = scope::asked(world, &namespace);
        report.summary.workloads += workloads.len();
        report.summary.implied_workloads += workloads.iter().filter(|workload| workload.implied).count();
        report.summary.entrypoints += paths.doors;
        report.summary.tcp_ports += paths.tcp_ports;
        match default_deny {
            Some(DefaultDeny::Missing { mut finding, .. } | DefaultDeny::NotProven(mut finding)) => {
                finding.cells += paths.folded;
                report.findings.push(*finding);
            }
            Some(DefaultDeny::Present) => clean[0] += 1,
            None => {}
        }
        let broken = |rule: &str| paths.findings.iter().any(|finding| finding.rule == rule);
        if paths.in_full && paths.folded == 0 {
            clean[1] += usize::from(!broken("api-outside-ingress")) * workloads.len();
            clean[2] += usize::from(!broken("internal-outside-namespace")) * workloads.len();
        }
        report.findings.append(&mut paths.findings);
    }
    let gateways = world.gateway_workloads.iter().flat_map(|workload| &workload.gateways).count();
    report.summary.entrypoints += gateways;
    // Symbolic sources stand for everybody else: another account, another namespace, no identity, outside.
    report.summary.sources = sources.len() + 4;
    let statements = [
        ("missing-default-deny", clean[0], "namespace"),
        ("api-outside-ingress", clean[1], "workload"),
        ("internal-outside-namespace", clean[2], "workload"),
    ];
    for (rule, count, what) in statements {
        if count > 0 && !report.findings.iter().any(|finding| finding.rule == rule) {
            let plural = if count == 1 { "" } else { "s" };
            report.summary.proven.push(format!("no {rule} in {count} {what}{plural}"));
        }
    }
}
