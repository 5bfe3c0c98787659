//! Flags and exit codes of the real binary.

#![expect(clippy::disallowed_methods, reason = "tests write their input")]

use std::fs;

use assert_cmd::Command;
use tempfile::TempDir;

/// The binary, in the directory of the project.
fn meshlint(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("meshlint").expect("the binary is built");
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("NO_COLOR");
    command
}

/// A directory with one file.
fn directory(name: &str, text: &str) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    fs::write(directory.path().join(name), text).expect("writable");
    directory
}

/// What a command wrote to standard error.
fn complaint(arguments: &[&str], code: i32) -> String {
    let output = meshlint(arguments).assert().code(code).get_output().clone();
    String::from_utf8(output.stderr).expect("text")
}

const POLICY: &str =
    "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\n";

#[test]
fn the_scenario_is_clean() {
    let output = meshlint(&["check", "fixtures/mission/seed"]).assert().code(0).get_output().clone();
    assert!(output.stdout.is_empty());
    let summary = String::from_utf8(output.stderr).expect("text");
    assert!(summary.contains("proven: no internal-outside-namespace in 3 workloads"), "{summary}");
}

#[test]
fn a_hole_is_exit_status_one_unless_nothing_shall_fail() {
    let seed = ["fixtures/mission/seed/gateway.yaml", "fixtures/mission/from-missing/authorization-policies.yaml"];
    meshlint(&["check", seed[0], seed[1]]).assert().code(1);
    meshlint(&["check", seed[0], seed[1], "--fail-on", "never"]).assert().code(0);
    meshlint(&["check", seed[0], seed[1], "--ignore", "api-outside-ingress"]).assert().code(0);
    meshlint(&["check", seed[0], seed[1], "--select", "missing-default-deny"]).assert().code(0);
}

#[test]
fn what_cannot_be_done_is_exit_status_two_and_one_line() {
    let empty = TempDir::new().expect("a directory");
    assert!(complaint(&["check", &empty.path().to_string_lossy()], 2).contains("no YAML or JSON file"));
    assert!(complaint(&["check", "/no/such/path"], 2).contains("cannot read `/no/such/path`"));
    let other = directory("a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n");
    let path = other.path().to_string_lossy().into_owned();
    assert!(complaint(&["check", &path], 2).contains("no mesh resource"));
    meshlint(&["check", &path, "--allow-empty"]).assert().code(0);
    assert!(complaint(&["explain", "missing-default-denny"], 2).contains("`missing-default-deny`"));
    assert!(complaint(&["check", &path, "--select", "nothing"], 2).contains("no rule is called"));
}

#[test]
fn a_wrong_configuration_is_named_with_its_line_and_the_nearest_key() {
    let directory = directory("a.yaml", POLICY);
    fs::write(directory.path().join("meshlint.yaml"), "world: closed\ningres: [a/b]\n").expect("writable");
    let complaint = complaint(&["check", &directory.path().to_string_lossy()], 2);
    assert!(complaint.contains("meshlint.yaml:2:1"), "{complaint}");
    assert!(complaint.contains("`ingres`") && complaint.contains("`ingress`"), "{complaint}");
}

#[test]
fn a_broken_document_costs_only_itself() {
    let directory = directory("a.yaml", &format!("a: [\n---\n{POLICY}"));
    let path = directory.path().to_string_lossy().into_owned();
    let output = meshlint(&["check", &path, "--format", "concise"]).assert().code(1).get_output().clone();
    let findings = String::from_utf8(output.stdout).expect("text");
    assert!(findings.contains("error[syntax-error]") && findings.lines().count() == 1, "{findings}");
}

#[test]
fn json_is_version_one_and_its_witness_is_a_request() {
    let files = ["fixtures/mission/seed/gateway.yaml", "fixtures/mission/from-missing/authorization-policies.yaml"];
    let output = meshlint(&["check", files[0], files[1], "--format", "json"]).assert().code(1).get_output().clone();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["version"], 1);
    let finding = &report["findings"][0];
    assert_eq!(finding["rule"], "api-outside-ingress");
    assert_eq!((&finding["line"], &finding["column"]), (&21.into(), &7.into()));
    let line = format!("{}\n", finding["witness"]);
    let answer = meshlint(&["eval", files[0], files[1]]).write_stdin(line).assert().code(0).get_output().clone();
    let answer: serde_json::Value = serde_json::from_slice(&answer.stdout).expect("JSON");
    assert_eq!(answer["decision"], "allowed");
}

#[test]
fn a_line_that_is_no_request_is_answered_and_the_others_too() {
    let lines = "{\"id\":\"a\",\"entrypoint\":\"workload python/{}:80\"}\nnothing\n";
    let output = meshlint(&["eval", "fixtures/mission/seed"]).write_stdin(lines).assert().code(2).get_output().clone();
    let answers = String::from_utf8(output.stdout).expect("text");
    assert!(answers.lines().count() == 2 && answers.contains("\"error\""), "{answers}");
}

#[test]
fn standard_input_is_a_file_called_dash() {
    let broken = POLICY.replace("metadata", "spec: {rules: [{}]}\nmetadata");
    let output =
        meshlint(&["check", "-", "--format", "concise"]).write_stdin(broken).assert().code(1).get_output().clone();
    assert!(String::from_utf8(output.stdout).expect("text").starts_with("-:3:16: error[missing-default-deny]"));
}

#[test]
fn a_policy_of_the_context_is_in_force_and_bears_no_finding() {
    let open = directory("root.yaml", &POLICY.replace("namespace: shop", "namespace: istio-system"));
    let closed = open.path().join("root.yaml");
    fs::write(
        &closed,
        format!("{}spec: {{rules: [{{}}]}}\n", POLICY.replace("namespace: shop", "namespace: istio-system")),
    )
    .expect("writable");
    let context = closed.to_string_lossy().into_owned();
    let arguments = ["check", "fixtures/mission/seed", "--context", &context, "--format", "json"];
    let output = meshlint(&arguments).assert().code(1).get_output().clone();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let finding = &report["findings"][0];
    assert_eq!(finding["rule"], "missing-default-deny");
    assert!(finding["file"].as_str().expect("a file").starts_with("fixtures/mission/seed"), "{finding}");
    assert_eq!(finding["related"][0]["file"], context.as_str());
}

#[test]
fn a_table_is_written_once_and_generate_asks_for_one() {
    let directory =
        directory("a.yaml", &format!("{POLICY}spec: {{rules: [{{to: [{{operation: {{paths: [/x]}}}}]}}]}}\n"));
    let path = directory.path().to_string_lossy().into_owned();
    assert!(complaint(&["generate", &path], 2).contains("no access table"));
    assert!(complaint(&["init", "--write", &path], 0).contains("1 row for 1 workload"));
    let written = fs::read_to_string(directory.path().join("meshlint.yaml")).expect("written");
    assert!(written.contains("paths: [\"/x\"]"), "{written}");
    assert!(complaint(&["init", "--write", &path], 2).contains("is there already"));
    let printed = meshlint(&["generate", &path]).assert().code(0).get_output().clone();
    assert!(String::from_utf8(printed.stdout).expect("text").contains("name: allow-x"));
    fs::write(directory.path().join("meshlint.yaml"), "access: [{workloads: {namespace: shop}, allow: [ingres]}]")
        .expect("writable");
    assert!(complaint(&["check", &path], 2).contains("the nearest word is `ingress`"));
}
