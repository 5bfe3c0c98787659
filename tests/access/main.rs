//! The access table: what `check` says to it, what `generate` makes of it, what `init` derives.

#![expect(clippy::disallowed_methods, reason = "tests read their fixtures")]

mod generate;
mod init;
mod scenario;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use meshlint::config::{self, Config};
use meshlint::model::{InputFile, LoadOptions, Problem, load};
use meshlint::query;
use meshlint::rule::{self, Finding, Report, Severity};
use meshlint::semantics::{World, WorldOptions};
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
        .map(|(name, text)| {
            let context = name.starts_with("context/");
            InputFile { file: files.add(name.clone(), text.clone()), context }
        })
        .collect();
    let loaded = load(&files, &inputs, &LoadOptions::default());
    let (world, refused) = World::admit(loaded.mesh, WorldOptions::from(&config));
    let problems: Vec<Problem> = loaded.problems.into_iter().chain(refused).collect();
    let mut report = rule::check(&files, &world, &problems, loaded.counts, &config);
    query::confirm(&world, &mut report);
    assert!(!report.notes.iter().any(|note| note.message.contains("internal error")), "{:?}", report.notes);
    // The catalog's checks have tests of their own; here it is about what gets in.
    let is_statement = |finding: &Finding| rule::rule(&finding.rule).is_ok_and(|rule| rule.statement.is_some());
    report.findings.retain(is_statement);
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

/// A Deployment `cart` in `shop`, listening on 8080 for HTTP and on 5432 for TCP.
const CART: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: shop}\n\
                    spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{ports: [{containerPort: 8080}]}]}}}\n---\n\
                    apiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop}\n\
                    spec: {selector: {app: cart}, ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 5432}]}\n---\n";

/// A policy of `shop` for `cart`.
fn policy(name: &str, rest: &str) -> String {
    format!(
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: {name}, namespace: shop}}\n\
         spec: {{selector: {{matchLabels: {{app: cart}}}}, {rest}}}\n---\n"
    )
}

const STRICT: &str = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: strict, namespace: shop}\n\
                      spec: {mtls: {mode: STRICT}}\n---\n";
const JWT: &str = "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: jwt, namespace: shop}\n\
                   spec: {jwtRules: [{issuer: me, jwksUri: \"https://me.example/keys\"}]}\n---\n";
