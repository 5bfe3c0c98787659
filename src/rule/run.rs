//! A whole check: input, mission rules, notes, summary.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::access::{self, AccessFindings, AccessTable};
use super::default_deny::{self, DefaultDeny};
use super::finding::{Severity, Status};
use super::path_rules::{self, PathFindings};
use super::report::{Note, Report, Summary};
use super::scope::{self, Scope};
use super::set::RuleSet;
use super::statement_ask::{self, StatementFindings};
use super::{catalog, input, notes, settle};
use crate::check::Ground;
use crate::config::{Config, NotProven};
use crate::matrix::{Fronts, Judged};
use crate::model::{Counts, Problem};
use crate::semantics::World;
use crate::text::Files;

/// Runs the built-in rules on what was loaded.
pub fn check(files: &Files, world: &World, problems: &[Problem], counts: Counts, config: &Config) -> Report {
    check_all(files, world, problems, counts, config, &RuleSet::default())
}

/// Runs all rules on what was loaded.
pub fn check_all(
    files: &Files,
    world: &World,
    problems: &[Problem],
    counts: Counts,
    config: &Config,
    rules: &RuleSet,
) -> Report {
    let found = input::findings(problems, files);
    let mut report = Report {
        findings: found.findings,
        assumptions: world.assumptions.clone(),
        notes: notes::of_input(&counts).into_iter().chain(found.notes).collect(),
        summary: Summary { read: counts, ..Summary::default() },
        own_rules: rules.own().to_vec(),
    };
    let (fronts, judged) = rayon::join(|| Fronts::of(world), || Judged::of(world));
    let ground = Ground { world, files, fronts: &fronts, judged: &judged };
    ask_namespaces(ground, config, &mut report);
    catalog::add(ground, &mut report.findings);
    rayon::join(|| drop(fronts), || judged.free());
    let StatementFindings { findings, notes, proven } = statement_ask::ask(world, rules.own());
    report.findings.extend(findings);
    report.notes.extend(notes);
    if report.not_proven() == 0 {
        report.summary.proven.extend(proven);
    }
    if config.not_proven == Some(NotProven::Warning) {
        for finding in report.findings.iter_mut().filter(|finding| finding.status == Status::NotProven) {
            finding.severity = finding.severity.min(Severity::Warning);
        }
    }
    settle::sort(files, &mut report.findings);
    report.notes.sort();
    report
}

/// What came of asking the rules of one namespace.
enum Asked {
    /// They are not asked there, with what to say of it
    Not(Option<Note>),
    /// They were asked
    Judged {
        /// About the default deny; `None` where no proxy would stand in front
        default_deny: Option<DefaultDeny>,
        /// About paths
        paths: PathFindings,
        /// Workloads asked
        workloads: usize,
        /// Of these, how many the input only implies
        implied: usize,
    },
}

/// Asks the three rules of one namespace.
fn ask_namespace(scope: &Scope<'_>, namespace: &str) -> Asked {
    let world = scope.world;
    let note = |message: String| Some(Note { message, span: None });
    let workloads = world.workloads_in(namespace);
    if !scope::in_mesh(world, namespace) {
        let said = !workloads.is_empty() && scope::is_owned(world, namespace);
        let why = if namespace == world.mesh.settings.root_namespace() {
            "is the root namespace, where nothing asks for sidecars,"
        } else {
            "is outside the mesh"
        };
        return Asked::Not(note(format!("`{namespace}` {why} and was not judged")).filter(|_| said));
    }
    if !scope::is_owned(world, namespace) {
        let said = workloads.iter().any(|workload| !world.is_gateway(workload) && !workload.implied);
        return Asked::Not(note(format!("`{namespace}` belongs to somebody else and was not judged")).filter(|_| said));
    }
    let reader = scope.judged.reader(world, namespace);
    let default_deny = default_deny::ask(scope, &reader, namespace);
    let paths = path_rules::ask(scope, namespace, default_deny.as_ref());
    let asked = scope::asked(world, namespace);
    let implied = asked.iter().filter(|workload| workload.implied).count();
    Asked::Judged { default_deny, paths, workloads: asked.len(), implied }
}

/// Holds the access table against a namespace, whether its rules were asked there or not: what a row names is meant.
fn ask_table(scope: &Scope<'_>, namespace: &str, asked: &Asked) -> AccessFindings {
    match asked {
        Asked::Not(_) => access::ask(scope, namespace, None, false),
        Asked::Judged { default_deny, .. } => access::ask(scope, namespace, default_deny.as_ref(), true),
    }
}

/// Asks the three rules of every namespace that they are about, and the access table: the questions of the matrix.
pub fn ask_namespaces(ground: Ground<'_>, config: &Config, report: &mut Report) {
    let world = ground.world;
    let table = AccessTable::of(world, config);
    let scope = Scope::of(world, &table, ground.fronts, ground.judged);
    let namespaces: Vec<String> = world.namespaces().into_iter().collect();
    let ask = |namespace: &String| {
        let asked = ask_namespace(&scope, namespace);
        let access = ask_table(&scope, namespace, &asked);
        (asked, access)
    };
    let asked: Vec<(Asked, AccessFindings)> = namespaces.par_iter().map(ask).collect();
    let mut clean: [usize; 4] = [0; 4];
    report.findings.extend(access::unmatched(world, &table));
    for (namespace, (asked, mut access)) in namespaces.iter().zip(asked) {
        report.summary.access_workloads += access.workloads;
        report.summary.entrypoints += access.doors;
        report.summary.path_classes += access.path_classes;
        clean[3] += access.workloads;
        let said = access.workloads > 0;
        report.findings.append(&mut access.findings);
        let Asked::Judged { default_deny, mut paths, workloads, implied } = asked else {
            if let Asked::Not(note) = asked {
                report.notes.extend(note.filter(|_| !said));
            }
            if said {
                continue;
            }
            // Nothing that is said rests on what has a sidecar there.
            let idle = World::assumed_membership(namespace);
            report.assumptions.retain(|assumption| assumption.message != idle);
            continue;
        };
        report.summary.workloads += workloads;
        report.summary.implied_workloads += implied;
        report.summary.entrypoints += paths.doors;
        report.summary.unlisted_workloads += paths.workloads;
        report.summary.tcp_ports += paths.tcp_ports;
        report.summary.path_classes += paths.path_classes;
        match default_deny {
            Some(DefaultDeny::Missing { mut finding, .. } | DefaultDeny::NotProven(mut finding)) => {
                finding.cells += paths.folded + access.folded;
                finding.related.append(&mut access.folded_rows);
                report.findings.push(*finding);
            }
            Some(DefaultDeny::Present) => clean[0] += 1,
            None => {}
        }
        let broken = |rule: &str| paths.findings.iter().any(|finding| finding.rule == rule);
        if paths.in_full && paths.folded == 0 {
            clean[1] += usize::from(!broken("api-outside-ingress")) * paths.workloads;
            clean[2] += usize::from(!broken("internal-outside-namespace")) * paths.workloads;
        }
        report.findings.append(&mut paths.findings);
    }
    let gateways = world.gateway_workloads.iter().flat_map(|workload| &workload.gateways).count();
    report.summary.entrypoints += gateways;
    let workloads = world.mesh.workloads.iter().map(|workload| workload.identity_path());
    let gateways = world.gateway_workloads.iter().flat_map(|workload| workload.identities.clone());
    let sources: BTreeSet<String> = workloads.chain(gateways).collect();
    // Symbolic sources stand for everybody else: another account, another namespace, no identity, outside.
    report.summary.sources = sources.len() + 4;
    let statements = [
        ("missing-default-deny", clean[0], "namespace"),
        ("api-outside-ingress", clean[1], "workload"),
        ("internal-outside-namespace", clean[2], "workload"),
        ("access-beyond-table", clean[3], "workload"),
    ];
    for (rule, count, what) in statements {
        if count > 0 && report.not_proven() == 0 && !report.findings.iter().any(|finding| finding.rule == rule) {
            let plural = if count == 1 { "" } else { "s" };
            report.summary.proven.push(format!("no {rule} in {count} {what}{plural}"));
        }
    }
}
