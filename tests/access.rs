//! The access table on the mission's scenario: what passes, and in which row each hole shows.

#![expect(clippy::disallowed_methods, reason = "tests read their fixtures")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use meshlint::author;
use meshlint::config::{self, Config};
use meshlint::matrix::judge;
use meshlint::model::{InputFile, LoadOptions, Problem, load};
use meshlint::query;
use meshlint::rule::{self, Finding, Report, Severity, Status};
use meshlint::semantics::{Chain, Decision, Verdict, World, WorldOptions, workload_ports};
use meshlint::space::{Budget, Change, Cube, DecisionList, Label, PathTest, Pattern, RuleStore, Search};
use meshlint::text::Files;

/// What the two programs of the scenario serve, and to whom.
const TABLE: &str = "\
access:
  - workloads: { namespace: python, labels: { app: fastapi-jwt-01 } }
    paths: [\"/api/**\"]
    allow: [ingress]
  - workloads: { namespace: python, labels: { app: fastapi-jwt-02 } }
    paths: [\"/internal/**\"]
    allow: [same-namespace]
";

/// The fixtures of the mission.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mission")
}

/// `case.txt`, as far as it matters here.
#[derive(Debug, serde::Deserialize)]
struct Case {
    label: String,
    seed: Vec<String>,
    runs: Vec<String>,
}

/// The cases by name.
fn cases() -> Vec<(String, Case)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root()).expect("the fixtures are there") {
        let directory = entry.expect("readable").path();
        let Ok(text) = fs::read_to_string(directory.join("case.txt")) else { continue };
        let name = directory.file_name().expect("a name").to_string_lossy().into_owned();
        found.push((name, serde_yaml::from_str(&text).expect("a case")));
    }
    found.sort_by(|a: &(String, Case), b| a.0.cmp(&b.0));
    assert!(found.len() > 50, "the fixtures are not found");
    found
}

/// The manifests of a run, in path order.
fn manifests(name: &str, case: &Case, run: &str) -> Vec<(String, String)> {
    let mut paths: Vec<PathBuf> = case.seed.iter().map(|file| root().join("seed").join(file)).collect();
    let mut own_workloads = false;
    if name != "seed" {
        for entry in fs::read_dir(root().join(name)).expect("readable") {
            let path = entry.expect("readable").path();
            let workloads = path.ends_with("workloads.yaml");
            own_workloads |= workloads;
            if path.extension().is_some_and(|extension| extension == "yaml") && (run == "closed" || !workloads) {
                paths.push(path);
            }
        }
    }
    if run == "closed" && !own_workloads {
        paths.push(root().join("_workloads/workloads.yaml"));
    }
    paths.sort();
    let read = |path: PathBuf| (path.to_string_lossy().into_owned(), fs::read_to_string(&path).expect("readable"));
    paths.into_iter().map(read).collect()
}

/// A run of `check`, and what it was about.
struct Run {
    files: Files,
    config: Config,
    world: World,
    report: Report,
}

/// Runs `check` with a configuration.
fn check(manifests: &[(String, String)], table: &str) -> Run {
    let mut files = Files::default();
    let config = config::read(files.add("meshlint.yaml", table), table).expect("a configuration");
    let inputs: Vec<InputFile> = manifests
        .iter()
        .map(|(name, text)| InputFile { file: files.add(name.clone(), text.clone()), context: false })
        .collect();
    let loaded = load(&files, &inputs, &LoadOptions::default());
    let (world, refused) = World::admit(loaded.mesh, WorldOptions::from(&config));
    let problems: Vec<Problem> = loaded.problems.into_iter().chain(refused).collect();
    let mut report = rule::check(&files, &world, &problems, loaded.counts, &config);
    query::confirm(&world, &mut report);
    assert!(!report.notes.iter().any(|note| note.message.contains("internal error")), "{:?}", report.notes);
    Run { files, config, world, report }
}

/// `check` of a text with a configuration.
fn check_text(text: &str, table: &str) -> Run {
    check(&[("mesh.yaml".to_owned(), text.to_owned())], table)
}

/// The rows that a finding is beyond, by the line that they begin on.
fn rows(files: &Files, finding: &Finding) -> BTreeSet<u32> {
    let table = finding.related.iter().filter(|place| files.name(place.span.file) == "meshlint.yaml");
    table.map(|place| files.position(place.span.file, place.span.start).line).collect()
}

/// The rules that find an error.
fn errors(report: &Report) -> BTreeSet<&str> {
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.rule.as_ref()).collect()
}

/// The first line of each row of the table.
const API: u32 = 2;
const INTERNAL: u32 = 5;

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

/// What a list of a judgement lets in: label 1, and label 0 for the rest.
fn admitted(judgement: &meshlint::semantics::Judgement) -> DecisionList {
    let allowed = |label: Label| match judgement.verdict(label) {
        Some(Verdict::End(ending)) => Label(u32::from(ending.decision == Decision::Allowed)),
        _ => label,
    };
    let mut list = judgement.list.clone();
    list.default = allowed(list.default);
    list.rules.iter_mut().for_each(|rule| rule.label = allowed(rule.label));
    list
}

/// The changes at a workload from one world to another, but for some paths.
fn changes(old: &World, new: &World, name: &str, but_for: &[&str]) -> Vec<(Change, String)> {
    let workload = old.workloads_in("python").iter().find(|workload| workload.id.name == name).expect("it is there");
    let port = workload_ports(old, workload).into_iter().next().expect("a port");
    let [(_, before), (_, after)] = [old, new].map(|world| judge(world, workload, &port, Chain::Http));
    let mut store = RuleStore::new(before.universe.clone());
    let (before, after) = (store.list(&admitted(&before)), store.list(&admitted(&after)));
    let others = but_for.iter().map(|path| Pattern::Exact((*path).into())).collect();
    let bounds = store.bounds(&Cube::default().with_path(PathTest::none(others)));
    let found = store.freeze(&Budget::default()).changes(&before, &after, &bounds);
    let shown = |(change, search)| match search {
        Search::Found(point) => (change, point.path),
        Search::Empty | Search::OutOfBudget { .. } => panic!("{name}: {change:?} is shown by no request"),
    };
    found.into_iter().map(shown).collect()
}

#[test]
fn generated_policies_pass_and_differ_from_the_seed_only_where_the_table_says_more() {
    let (name, case) = cases().into_iter().find(|(name, _)| name == "seed").expect("the seed");
    let mut before = check(&manifests(&name, &case, "closed"), TABLE);
    let generated = author::generate(&mut before.files, &before.world, &before.config).expect("it can be said");
    assert!(generated.idle.is_empty() && generated.closed.is_empty());
    assert_eq!(generated.replaced.len(), 3, "{:?}", generated.replaced);
    let mut with = manifests(&name, &case, "closed");
    with.retain(|(name, _)| !name.ends_with("authorization-policies.yaml"));
    with.push(("generated.yaml".to_owned(), generated.text));
    let after = check(&with, TABLE);
    assert!(after.report.findings.is_empty(), "{:?}", after.report.findings);
    // `/api/**` is `/api` as well, which `/api/*` of the seed leaves out.
    for (workload, more) in [("fastapi-jwt-01", "/api"), ("fastapi-jwt-02", "/internal")] {
        let newly_allowed = (Label(0), Label(1));
        assert_eq!(changes(&before.world, &after.world, workload, &[]), [(newly_allowed, more.to_owned())]);
        assert_eq!(changes(&before.world, &after.world, workload, &[more]), []);
    }
}

/// What cannot be generated, each with the text that it stands at.
fn unsaid(text: &str, table: &str) -> Vec<(String, String)> {
    let mut run = check_text(text, table);
    let problems = author::generate(&mut run.files, &run.world, &run.config).expect_err("it cannot be said");
    let told = |problem: &config::Problem| (run.files.slice(problem.span).to_owned(), problem.message.clone());
    problems.iter().map(told).collect()
}

#[test]
fn what_policies_cannot_say_is_an_error_at_its_row() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: shop}\n\
                      spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{ports: [{containerPort: 80}]}]}}}\n---\n";
    let closed = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: deny-all, namespace: shop}\nspec: {}\n---\n";
    let opened = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: all, namespace: istio-system}\n\
                  spec: {rules: [{}]}\n---\n";
    let bare = deployment.replace("app: cart", "app: cart, sidecar.istio.io/inject: \"false\"");
    let row = |rest: &str| format!("access: [{{workloads: {{namespace: shop, labels: {{app: cart}}}}, {rest}}}]");
    let plain = format!("{deployment}{closed}");
    let cases = [
        (plain.clone(), "allow: [mesh], paths: [\"/v*\"]", "\"/v*\"", "has no words for `/v*`"),
        (plain, "allow: [{ingress: shop/gw}]", "{ingress: shop/gw}", "no identity is known"),
        (format!("{bare}{closed}"), "allow: [mesh]", "{workloads", "no proxy stands in front"),
        (
            format!("{deployment}{closed}{opened}"),
            "allow: [mesh]",
            "{workloads",
            "AuthorizationPolicy istio-system/all",
        ),
    ];
    for (text, rest, place, words) in cases {
        let found = unsaid(&text, &row(rest));
        let told = found.iter().any(|(at, message)| at.starts_with(place) && message.contains(words));
        assert!(told, "{rest}: {found:?}");
    }
    let root = unsaid(opened, "access: [{workloads: {namespace: istio-system}, allow: [mesh]}]");
    assert!(root.iter().any(|(at, message)| at == "istio-system" && message.contains("whole mesh")), "{root:?}");
}

#[test]
fn what_is_generated_admits_by_every_entry_and_nothing_beyond() {
    let text = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: shop}\n\
                spec: {selector: {istio: ingressgateway}, servers: [{hosts: [\"*\"], port: {number: 80, name: http, protocol: HTTP}}]}\n---\n\
                apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: jwt, namespace: shop}\n\
                spec: {jwtRules: [{issuer: me, jwksUri: \"https://me.example/keys\"}]}\n---\n\
                apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: deny-all, namespace: shop}\n\
                spec: {action: DENY, rules: [{to: [{operation: {paths: [/debug]}}]}]}\n---\n\
                apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: shop}\n\
                spec: {selector: {app: db}, ports: [{name: tcp, port: 5432}]}\n";
    let rows = [
        "{app: a}}, paths: [\"/api/**\", \"/**/health\", \"/users/*/orders\"], allow: [ingress, {ingress: shop/gw}]",
        "{app: a}}, paths: [\"/items*/**\"], methods: [GET, HEAD], allow: [outside]",
        "{app: b}}, ports: [8080], allow: [same-namespace, {namespace: web}, {service-account: batch/nightly}]",
        "{app: b}}, paths: [/token], allow: [mesh, {namespace: web}], jwt: required",
        "{app: c}}, paths: [/public], allow: [anyone], jwt: required",
        "{app: c}}, paths: [\"/a/*/**\"], allow: [anyone, mesh]",
        "{app: db}}, allow: [{namespace: web}]",
        "{app: none}}, allow: []",
    ];
    let rows = rows.map(|row| format!("  - {{workloads: {{namespace: shop, labels: {row}}}\n"));
    let table = format!("access:\n{}", rows.concat());
    let mut run = check_text(text, &table);
    let generated = author::generate(&mut run.files, &run.world, &run.config).expect("it can be said");
    assert!(generated.idle.is_empty(), "{:?}", generated.idle);
    assert!(generated.text.contains("name: deny-all-2"), "the DENY policy keeps its name:\n{}", generated.text);
    let after = check_text(&format!("{text}---\n{}", generated.text), &table);
    let mut found = after.report.findings.iter().filter(|finding| finding.rule.starts_with("access-"));
    let first = found.next().map(|finding| finding.message.as_str());
    assert_eq!(first, Some("nothing in `shop` selects a workload by `app=none`"), "it has no policy");
    assert_eq!(found.next(), None);
}
