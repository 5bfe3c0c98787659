//! What `test`, `trace` and `matrix` say, with the real binary.

#![expect(clippy::disallowed_methods, reason = "tests write their input")]

use std::fs;

use assert_cmd::Command;
use serde_json::Value;

/// The seed with its workloads.
const MANIFESTS: [&str; 2] = ["fixtures/mission/seed", "fixtures/mission/_workloads"];

/// What a command on the seed writes to both streams.
fn run(command: &str, more: &[&str], code: i32) -> (String, String) {
    let mut meshlint = Command::cargo_bin("meshlint").expect("the binary is built");
    meshlint.arg(command).args(MANIFESTS).args(more).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = meshlint.assert().code(code).get_output().clone();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr))
}

/// Runs cases.
fn cases(text: &str, format: &str, code: i32) -> (String, String) {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("cases.yaml");
    fs::write(&file, text).expect("writable");
    run("test", &["--cases", &file.to_string_lossy(), "--format", format], code)
}

#[test]
fn a_case_that_fails_shows_its_way_with_lines() {
    let text = "cases: [{name: api, request: {entrypoint: \"gateway python/python-gateway:80\", path: /api/x}, expect: denied}]";
    let (said, _) = cases(text, "text", 1);
    for part in [
        "FAIL api (",
        "expected denied, and it is allowed",
        "seed/virtual-service.yaml:12:11",
        "- uri: { prefix: /api/ }",
        "AuthorizationPolicy python/allow-api-from-ingress admits it",
        "0 passed, 1 failed",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (junit, _) = cases(text, "junit", 1);
    assert!(junit.contains("failures=\"1\"") && !junit.contains("timestamp"), "{junit}");
}

#[test]
fn a_mistake_in_a_case_names_its_line_and_the_nearest_word() {
    for (text, why) in [
        (
            "cases:\n  - {expect: alowed, request: {entrypoint: x}}",
            "2:14: `cases[0].expect` has no decision `alowed`; the nearest is `allowed`",
        ),
        ("cases:\n  - {expect: {decision: denied, by: polcy}, request: {entrypoint: x}}", "the nearest is `policy`"),
        (
            "cases:\n  - {expect: denied, request: {entrypiont: x}}",
            "2:32: a file of cases has no key `entrypiont` here (the nearest key is `entrypoint`)",
        ),
        ("cases:\n  - {request: {entrypoint: x}}", "does not say which decision it expects"),
        ("cases:\n  - {expect: denied}", "has no `entrypoint`"),
        (
            "cases:\n  - {expect: denied, request: {entrypoint: \"workload python/fastapi-jwt-1:80\"}}",
            "the nearest is `python/fastapi-jwt-01`",
        ),
        ("case: []", "the nearest key is `cases`"),
    ] {
        let (_, said) = cases(text, "text", 2);
        assert!(said.contains(why), "{text}: {said}");
    }
}

#[test]
fn a_trace_says_why_no_allow_rule_matches() {
    let request = ["--entrypoint", "workload python/fastapi-jwt-01:8000", "--path", "/internal/x"];
    let (said, _) = run("trace", &request, 0);
    let why = "allow-api-from-ingress rules[0] does not match: `from.source.principals` and `to.operation.paths`";
    assert!(said.contains(why), "{said}");
    assert!(said.contains("AuthorizationPolicy python/deny-all has no rules, so it matches nothing"), "{said}");
    let (json, _) = run("trace", &[&request[..], &["--format", "json"]].concat(), 0);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["answer"]["policy"], "none");
    assert!(json["steps"].as_array().expect("steps").iter().any(|step| step["place"]["line"] == 21), "{json}");
}

#[test]
fn parts_of_the_matrix_are_cut_out_exactly() {
    let rows = |more: &[&str]| -> Vec<Value> {
        let (json, _) = run("matrix", &[more, &["--format", "json"]].concat(), 0);
        serde_json::from_str::<Value>(&json).expect("JSON")["rows"].as_array().expect("rows").clone()
    };
    let allowed = |more: &[&str]| rows(more).iter().filter(|row| row["decision"] == "allowed").count();
    let second = "python/fastapi-jwt-02";
    let of = |row: &Value| row["entrypoint"].as_str().is_some_and(|one| one.contains(second));
    assert!(rows(&["--workload", second]).iter().all(of));
    // Only neighbours reach `/internal/`, and nobody anything else.
    assert_eq!(allowed(&["--workload", second, "--from", "none"]), 0);
    assert_eq!(allowed(&["--workload", second, "--from", "web"]), 0);
    assert_eq!(allowed(&["--workload", second, "--from", "python", "--path", "/internal/x"]), 1);
    assert_eq!(allowed(&["--workload", second, "--from", "cluster.local/ns/python/sa/a", "--path", "/api/**"]), 0);
    assert!(
        rows(&["--entrypoint", "gateway"])
            .iter()
            .all(|row| row["entrypoint"].as_str().is_some_and(|one| one.starts_with("gateway")))
    );
    // Clients are the workloads with a sidecar; each goes by the Service's own route.
    let services = rows(&["--entrypoint", "service", "--workload", second]);
    assert!(!services.is_empty());
    for row in &services {
        assert!(row["entrypoint"].as_str().is_some_and(|one| one.starts_with("service python/")), "{row}");
        assert!(row["sources"].to_string().contains("cluster.local/ns/python/sa/"), "{row}");
    }
    assert!(rows(&["--entrypoint", "service", "--from", "none"]).is_empty());
    let (_, said) = run("matrix", &["--workload", "python/fastapi-jwt-2"], 2);
    assert!(said.contains("the nearest is `python/fastapi-jwt-02`"), "{said}");
}

#[test]
fn the_matrix_as_csv_and_as_a_graph() {
    let (csv, _) = run("matrix", &["--entrypoint", "gateway", "--format", "csv"], 0);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.headers().expect("a header").len(), 7);
    assert!(reader.records().all(|record| record.is_ok_and(|record| record.len() == 7)));
    let (graph, _) = run("matrix", &["--entrypoint", "gateway", "--format", "mermaid"], 0);
    assert_eq!(
        graph,
        "graph LR\n  n0[\"outside\"]\n  n1[\"gateway python/python-gateway:80\"]\n  n0 -->|\"/api/*\"| n1\n"
    );
}

/// Front doors as they are found in public repositories, with what the outside reaches by them.
#[test]
fn what_the_outside_reaches_by_each_front_door_is_what_its_cases_say() {
    let doors = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/doors");
    let mut asked = 0;
    for entry in fs::read_dir(doors).expect("the fixtures").map(|entry| entry.expect("a directory").path()) {
        let mut meshlint = Command::cargo_bin("meshlint").expect("the binary is built");
        let output = meshlint.args(["test", "--cases", "cases.yaml", "mesh.yaml"]).current_dir(&entry).output();
        let output = output.expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{}: {said}", entry.display());
        assert!(said.contains(" 0 failed") && !said.starts_with("0 passed"), "{}: {said}", entry.display());
        asked += 1;
    }
    assert_eq!(asked, 3, "front doors");
}
