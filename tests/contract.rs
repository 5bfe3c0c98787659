//! The contracts that other programs build on, field by field: findings as JSON version 1, answers as JSON Lines.

#![expect(clippy::indexing_slicing, reason = "what is missing fails the test")]

use assert_cmd::Command;
use serde_json::Value;

/// The binary, in the directory of the project.
fn meshlint(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("meshlint").expect("the binary is built");
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Fields of an object in order, with the types that each may have: `s` string, `n` number, `a` array, `o` object,
/// `0` null.
fn shape(value: &Value, fields: &[(&str, &str)], what: &str) {
    let object = value.as_object().unwrap_or_else(|| panic!("{what} is no object: {value}"));
    let names: Vec<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(names, fields.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{what}");
    for (name, types) in fields {
        let found = match &object[*name] {
            Value::Null => '0',
            Value::Bool(_) => 'b',
            Value::Number(_) => 'n',
            Value::String(_) => 's',
            Value::Array(_) => 'a',
            Value::Object(_) => 'o',
        };
        assert!(types.contains(found), "{what}.{name} is {}", object[*name]);
    }
}

/// One of some words.
fn one_of(value: &Value, words: &[&str], what: &str) {
    assert!(value.as_str().is_some_and(|word| words.contains(&word)), "{what} is {value}");
}

const SEED: [&str; 2] = ["fixtures/mission/seed/gateway.yaml", "fixtures/mission/seed/virtual-service.yaml"];
const WITNESS: &[(&str, &str)] = &[
    ("entrypoint", "s"),
    ("source", "s0"),
    ("method", "s"),
    ("authority", "s0"),
    ("path", "s"),
    ("headers", "a"),
    ("source_workload", "s0"),
    ("source_ip", "s0"),
    ("sni", "s0"),
    ("claims", "o0"),
    ("token", "s0"),
    ("protocol", "s"),
];
const CAUSE: &[(&str, &str)] = &[("kind", "s"), ("message", "s"), ("file", "s0"), ("line", "n0")];

/// What `check` says of some files.
fn report(files: &[&str]) -> Value {
    let mut arguments = vec!["check", "--format", "json"];
    arguments.extend(SEED.iter().chain(files));
    let output = meshlint(&arguments).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.ends_with('\n') && text.lines().count() == 1, "one line");
    serde_json::from_str(&text).expect("JSON")
}

/// Holds a report against the contract.
fn check_report(report: &Value) {
    let top = [("version", "n"), ("istio", "s"), ("findings", "a"), ("assumptions", "a"), ("summary", "o")];
    shape(report, &top, "the report");
    assert_eq!((&report["version"], &report["istio"]), (&1.into(), &"1.32".into()));
    for finding in report["findings"].as_array().expect("a list") {
        check_finding(finding);
    }
    for assumption in report["assumptions"].as_array().expect("a list") {
        shape(assumption, CAUSE, "an assumption");
    }
    let summary = [
        ("files", "n"),
        ("documents", "n"),
        ("resources", "o"),
        ("workloads", "n"),
        ("skipped", "n"),
        ("errors", "n"),
        ("warnings", "n"),
        ("infos", "n"),
        ("not_proven", "n"),
    ];
    shape(&report["summary"], &summary, "the summary");
    let findings = report["findings"].as_array().expect("a list");
    for (count, severity) in [("errors", "error"), ("warnings", "warning"), ("infos", "info")] {
        let found = findings.iter().filter(|finding| finding["severity"] == severity).count();
        assert_eq!(report["summary"][count], found, "{count}");
    }
    let open = findings.iter().filter(|finding| finding["status"] == "not-proven").count();
    assert_eq!(report["summary"]["not_proven"], open);
}

/// Holds a finding against the contract.
fn check_finding(finding: &Value) {
    let fields = [
        ("rule", "s"),
        ("severity", "s"),
        ("status", "s"),
        ("world", "s0"),
        ("message", "s"),
        ("help", "s0"),
        ("file", "s"),
        ("line", "n"),
        ("column", "n"),
        ("end_line", "n"),
        ("end_column", "n"),
        ("resource", "o0"),
        ("workload", "s0"),
        ("witness", "o0"),
        ("cells", "n"),
        ("causes", "a"),
        ("related", "a"),
        ("fingerprint", "s"),
    ];
    shape(finding, &fields, "a finding");
    one_of(&finding["severity"], &["error", "warning", "info"], "a severity");
    one_of(&finding["status"], &["broken", "not-proven"], "a status");
    let place = |line: &str, column: &str| (finding[line].as_u64(), finding[column].as_u64());
    assert!(place("line", "column") >= (Some(1), Some(1)), "{finding}");
    assert!(place("line", "column") < place("end_line", "end_column"), "ends are exclusive: {finding}");
    if !finding["resource"].is_null() {
        shape(&finding["resource"], &[("kind", "s"), ("namespace", "s"), ("name", "s")], "a resource");
    }
    if !finding["witness"].is_null() {
        shape(&finding["witness"], WITNESS, "a witness");
        one_of(&finding["witness"]["protocol"], &["http", "tcp"], "a protocol");
    }
    assert_eq!(finding["status"] == "not-proven", !finding["causes"].as_array().expect("a list").is_empty());
    for cause in finding["causes"].as_array().expect("a list") {
        shape(cause, CAUSE, "a cause");
    }
    for related in finding["related"].as_array().expect("a list") {
        let fields =
            [("file", "s"), ("line", "n"), ("column", "n"), ("message", "s"), ("rule", "s0"), ("severity", "s0")];
        shape(related, &fields, "a related place");
    }
}

#[test]
fn findings_have_every_field_of_the_contract_and_no_other() {
    let cases: [(&[&str], usize); 5] = [
        (&["fixtures/mission/seed/authorization-policies.yaml"], 0),
        (&["fixtures/mission/to-missing/authorization-policies.yaml", "fixtures/mission/_workloads/workloads.yaml"], 1),
        (&["fixtures/mission/deny-all-as-custom/authorization-policies.yaml"], 1),
        (&["fixtures/mission/deny-all-audit/authorization-policies.yaml"], 1),
        (&["fixtures/rules/duplicate-resource/fires-on-different-contents/mesh.yaml"], 1),
    ];
    let mut related = 0;
    for (files, least) in cases {
        let report = report(files);
        check_report(&report);
        let findings = report["findings"].as_array().expect("a list");
        assert!(findings.len() >= least, "{files:?}");
        related += findings.iter().filter_map(|finding| finding["related"].as_array()).map(Vec::len).sum::<usize>();
    }
    assert!(related >= 2, "places elsewhere are tried too");
}

#[test]
fn columns_count_code_points_and_files_are_named_as_given() {
    let text = "# 世界\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n\
                metadata: {name: \"é世\", namespace: shop}\nspec: {selector: {matchLabels: {a: 世}}, nules: []}\n";
    let output = meshlint(&["check", "-", "--format", "json"]).write_stdin(text).output().expect("it runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    check_report(&report);
    let unknown = report["findings"].as_array().expect("a list").iter().find(|found| found["rule"] == "unknown-field");
    let unknown = unknown.expect("an unknown field");
    assert_eq!(unknown["file"], "-");
    let place = ["line", "column", "end_line", "end_column"].map(|field| unknown[field].as_u64().expect("a number"));
    assert_eq!(place, [5, 41, 5, 46]);
}

#[test]
fn answers_have_every_field_of_the_contract_and_no_other() {
    let requests = [
        r#"{"id":"in","entrypoint":"gateway python/python-gateway:80","path":"/api/token"}"#,
        r#"{"id":"lost","entrypoint":"gateway python/python-gateway:80","path":"/docs"}"#,
        r#"{"id":"refused","entrypoint":"workload python/fastapi-jwt-01:8000","path":"/api/token"}"#,
        r#"{"id":"nothing","entrypoint":"workload python/fastapi-jwt-01:9"}"#,
        r#"{"entrypoint":"service python/fastapi-jwt-svc-02:80","source":"cluster.local/ns/python/sa/fastapi-jwt-01","path":"/internal/x"}"#,
    ];
    let mut files = vec!["eval"];
    files.extend(SEED);
    files.extend(["fixtures/mission/seed/authorization-policies.yaml", "fixtures/mission/_workloads/workloads.yaml"]);
    let output = meshlint(&files).write_stdin(requests.join("\n")).assert().code(0).get_output().clone();
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(answers.len(), requests.len());
    let fields = [
        ("id", "s0"),
        ("decision", "s"),
        ("by", "s0"),
        ("workload", "s0"),
        ("path", "s0"),
        ("authority", "s0"),
        ("at", "s0"),
        ("policy", "s0"),
        ("cause", "o0"),
    ];
    for answer in &answers {
        shape(answer, &fields, "an answer");
        one_of(&answer["decision"], &["allowed", "denied", "undetermined"], "a decision");
    }
    let said = |index: usize| {
        let answer: &Value = &answers[index];
        ["decision", "by", "workload", "path", "at", "policy"]
            .map(|field| answer[field].as_str().unwrap_or("-").to_owned())
    };
    assert_eq!(
        said(0),
        ["allowed", "reached", "python/fastapi-jwt-01", "/api/token", "workload python/fastapi-jwt-01", "-"]
    );
    assert_eq!(said(1), ["denied", "no-route", "-", "-", "gateway python/python-gateway", "-"]);
    assert_eq!(
        said(2),
        ["denied", "policy", "python/fastapi-jwt-01", "/api/token", "workload python/fastapi-jwt-01", "none"]
    );
    assert_eq!(said(3), ["denied", "no-listener", "-", "-", "workload python/fastapi-jwt-01", "-"]);
    assert_eq!(
        said(4),
        ["allowed", "reached", "python/fastapi-jwt-02", "/internal/x", "workload python/fastapi-jwt-02", "-"]
    );
    assert_eq!((&answers[0]["id"], &answers[4]["id"]), (&"in".into(), &Value::Null));
}
