//! What `diff` says of sides that people have, with the real binary.

#![expect(clippy::disallowed_methods, reason = "tests write their input")]

use std::fs;
use std::path::Path;
use std::process::Command as Process;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A policy of the seed, and one that replaces it.
const SEED: &str = "fixtures/mission/seed";

/// The binary, in a directory.
fn meshlint(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("meshlint").expect("the binary is built");
    command.args(arguments).current_dir(place).env_remove("NO_COLOR");
    command
}

/// The seed in a directory, with one of its texts replaced.
fn seed(from: &str, to: &str) -> TempDir {
    let place = TempDir::new().expect("a directory");
    for file in ["authorization-policies.yaml", "gateway.yaml", "virtual-service.yaml"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(SEED).join(file)).expect("readable");
        fs::write(place.path().join(file), text.replace(from, to)).expect("writable");
    }
    place
}

/// The workloads and Services behind it.
const CONTEXT: [&str; 2] = ["--context", "fixtures/mission/_workloads/workloads.yaml"];

/// The changes from the seed to a directory, as JSON, and the exit status.
fn changes(new: &Path, more: &[&str]) -> (Value, i32) {
    let new = new.to_string_lossy();
    let arguments = [&["diff", SEED, new.as_ref(), "--format", "json"], more].concat();
    let output = meshlint(Path::new(env!("CARGO_MANIFEST_DIR")), &arguments).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    (serde_json::from_str(&text).expect("JSON"), output.status.code().expect("a status"))
}

/// The texts of a field of all changes.
fn each<'v>(document: &'v Value, pointer: &str) -> Vec<&'v str> {
    let changes = document["changes"].as_array().expect("changes");
    changes.iter().map(|change| change.pointer(pointer).and_then(Value::as_str).expect("a text")).collect()
}

#[test]
fn equal_sides_have_no_change_whatever_their_comments_and_files() {
    let place = seed("# ", "# Once more: ");
    let joined: String = ["virtual-service.yaml", "gateway.yaml", "authorization-policies.yaml"]
        .map(|file| fs::read_to_string(place.path().join(file)).expect("readable"))
        .join("\n---\n");
    let other = TempDir::new().expect("a directory");
    fs::write(other.path().join("all.yaml"), joined).expect("writable");
    let (document, code) = changes(other.path(), &["--fail-on", "any"]);
    assert_eq!((document["changes"].as_array().map(Vec::len), code), (Some(0), 0), "{document}");
}

#[test]
fn a_rule_that_admits_more_is_new_access_with_its_line() {
    let place = seed("namespaces: [\"python\"]", "namespaces: [\"python\", \"web\"]");
    let (document, code) = changes(place.path(), &["--fail-on", "new-access"]);
    assert_eq!(code, 1);
    assert_eq!(each(&document, "/kind"), ["allowed"]);
    assert_eq!(
        each(&document, "/cause/message"),
        ["AuthorizationPolicy python/allow-internal rules[0] is new or changed"]
    );
    assert_eq!(document["changes"][0]["cause"]["place"]["line"], 40);
    assert_eq!(each(&document, "/witness/source"), ["cluster.local/ns/web/sa/default"]);
    assert_eq!(each(&document, "/witness/path"), ["/internal/x"]);
    assert_eq!(each(&document, "/before/message"), ["no ALLOW policy matches"]);
}

#[test]
fn a_rule_that_admits_less_is_no_new_access_but_a_change() {
    let place = seed("paths: [\"/api/*\"]", "paths: [\"/api/v1/*\"]");
    let (document, code) = changes(place.path(), &[&["--fail-on", "new-access"][..], &CONTEXT].concat());
    assert_eq!(code, 0);
    let entrypoints = each(&document, "/witness/entrypoint");
    // Straight to the workload, and from outside by the route that leads to it.
    assert_eq!(entrypoints, ["gateway python/python-gateway:80"], "{document}");
    assert_eq!(
        each(&document, "/cause/message"),
        ["AuthorizationPolicy python/allow-api-from-ingress rules[0] is gone or changed"]
    );
    let all = document["changes"][0]["entrypoints"].as_array().expect("entrypoints");
    assert!(all.iter().any(|one| one == "workload python/fastapi-jwt-01:8000"), "{document}");
    assert_eq!(each(&document, "/kind"), ["denied"]);
    assert_eq!(changes(place.path(), &["--fail-on", "any"]).1, 1);
    assert_eq!(changes(place.path(), &[]).1, 0);
}

#[test]
fn a_route_that_takes_more_lets_the_outside_in_only_where_policies_do() {
    let wider = seed("uri: { prefix: /api/ }", "uri: { prefix: / }");
    let (document, _) = changes(wider.path(), &CONTEXT);
    // What the gateway takes for another path the workload takes for one of `/api/`, and a policy admits.
    assert_eq!(each(&document, "/kind"), ["allowed"], "{document}");
    assert_eq!(each(&document, "/witness/path"), ["/%2e%2e;/api/x"]);
    assert_eq!(each(&document, "/seen_path"), ["/api/x"]);
    assert_eq!(each(&document, "/cause/message"), ["a route of VirtualService python/python-vs takes it now"]);
    let rewritten = seed("      route:", "      rewrite: { uri: /api/ }\n      route:");
    let (document, code) = changes(rewritten.path(), &[&["--fail-on", "new-access"][..], &CONTEXT].concat());
    let message = document["unsettled"][0]["message"].as_str().expect("a message");
    assert!(message.contains("rewritten") && code == 1, "{document}");
}

#[test]
fn a_server_that_takes_tls_now_is_said_to_be_another() {
    let place = seed(
        "port: { number: 80, name: http, protocol: HTTP }",
        "port: { number: 80, name: https, protocol: HTTPS }\n      tls: { mode: SIMPLE, credentialName: cert }",
    );
    let (document, code) = changes(place.path(), &[&["--fail-on", "new-access"][..], &CONTEXT].concat());
    let message = document["unsettled"][0]["message"].as_str().expect("a message");
    assert!(message.contains("TLS on one side") && code == 1, "{document}");
}

#[test]
fn a_default_deny_that_goes_names_the_policy_that_went() {
    let place = seed("name: deny-all", "name: deny-nothing");
    let text = fs::read_to_string(place.path().join("authorization-policies.yaml")).expect("readable");
    fs::write(place.path().join("authorization-policies.yaml"), text.replace("spec: {}", "spec: { action: AUDIT }"))
        .expect("writable");
    let (document, code) = changes(place.path(), &["--fail-on", "new-access"]);
    assert_eq!(code, 1);
    // The Service behind the route is not in the input, so that what the gateway delivers is undetermined.
    assert_eq!(each(&document, "/kind"), ["allowed", "undetermined"]);
    assert_eq!(each(&document, "/cause/side"), ["old", "old"]);
    assert_eq!(each(&document, "/cause/message"), ["AuthorizationPolicy python/deny-all acts here no longer"; 2]);
    assert_eq!(each(&document, "/witness/entrypoint"), ["workload python/{}:8080", "gateway python/python-gateway:80"]);
}

/// Runs `git` in a directory.
fn git(place: &Path, arguments: &[&str]) {
    let who = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"];
    let run = Process::new("git").args(who).args(arguments).current_dir(place).output().expect("git runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn a_side_may_be_a_revision_that_nobody_checks_out() {
    let place = seed("", "");
    let inner = place.path().join("deploy");
    fs::create_dir(&inner).expect("a directory");
    for file in ["authorization-policies.yaml", "gateway.yaml", "virtual-service.yaml"] {
        fs::rename(place.path().join(file), inner.join(file)).expect("movable");
    }
    git(place.path(), &["init", "-q"]);
    git(place.path(), &["add", "."]);
    git(place.path(), &["commit", "-qm", "first"]);
    let policies = inner.join("authorization-policies.yaml");
    let text = fs::read_to_string(&policies).expect("readable");
    fs::write(&policies, text.replace("\"/internal/*\"", "\"/*\"")).expect("writable");
    let said = |at: &Path, old: &str, new: &str, code: i32| {
        let run = meshlint(at, &["diff", old, new, "--fail-on", "new-access"]).assert().code(code).get_output().clone();
        format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr))
    };
    let text = said(place.path(), "git:HEAD:deploy", "deploy", 1);
    assert!(text.contains("deploy/authorization-policies.yaml:40:7"), "{text}");
    // A place is looked for from the current directory, and a revision may stand on both sides.
    assert!(said(&inner, "git:HEAD:.", ".", 1).contains("newly allowed"));
    assert!(said(&inner, "git:main:../deploy", "git:HEAD:./", 0).contains("no answer to any request changes"));
    assert!(said(&inner, "git:HEAD:gateway.yaml", "gateway.yaml", 0).contains("no answer"));
    for (old, why) in [
        ("git:gone:deploy", "there is no revision `gone`"),
        ("git:HEAD:missing", "`HEAD` has no `missing`"),
        ("git:--all:deploy", "`--all` is no revision, for it begins with `-`"),
        ("git:HEAD:../..", "is no directory of the repository"),
        ("git:HEAD", "write `git:REV:DIR`"),
    ] {
        let text = said(place.path(), old, "deploy", 2);
        assert!(text.contains(why), "{old}: {text}");
    }
}

#[test]
fn markdown_has_no_cell_that_a_manifest_can_end() {
    let place = seed("name: allow-internal", "name: \"allow|`internal\"");
    let new = place.path().to_string_lossy();
    let run = meshlint(Path::new(env!("CARGO_MANIFEST_DIR")), &["diff", SEED, new.as_ref(), "--format", "markdown"]);
    let text = String::from_utf8(run.clone_output()).expect("text");
    let rows = text.lines().filter(|line| line.starts_with("| **"));
    for row in rows {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
    }
}

/// What a command writes.
trait Output {
    /// Its standard output.
    fn clone_output(self) -> Vec<u8>;
}

impl Output for Command {
    fn clone_output(mut self) -> Vec<u8> {
        self.output().expect("it runs").stdout
    }
}
