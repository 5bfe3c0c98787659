//! Every form of the findings is what its reader takes: held against published schemas and the readers' own parsers.

#![expect(clippy::disallowed_methods, reason = "tests write their input")]
#![expect(clippy::indexing_slicing, reason = "what is missing fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// All forms.
const FORMATS: [&str; 8] = ["text", "concise", "json", "sarif", "github", "gitlab", "junit", "markdown"];
/// Cases of the mission: a way through a gateway, not proven, an object that is refused, several hops, nothing.
const CASES: [&[&str]; 5] = [
    &["seed/gateway.yaml", "seed/virtual-service.yaml", "from-and-to-split/authorization-policies.yaml", "_workloads"],
    &["deny-all-as-custom/authorization-policies.yaml", "_workloads"],
    &["deny-all-deny-without-rules/authorization-policies.yaml", "_workloads"],
    &["seed/gateway.yaml", "seed/virtual-service.yaml", "own-gateway-with-route"],
    &["seed"],
];

/// The binary on some files of a directory, in that directory.
fn run(directory: &Path, files: &[&str], arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("meshlint").expect("the binary is built");
    command.arg("check").args(files).args(arguments).current_dir(directory).output().expect("it runs")
}

/// What `check` writes to standard output.
fn written(directory: &Path, files: &[&str], format: &str) -> String {
    String::from_utf8(run(directory, files, &["--format", format, "--quiet"]).stdout).expect("text")
}

/// The mission's fixtures.
fn mission() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mission")
}

/// Manifests that are meant to harm whoever shows them.
fn hostile() -> TempDir {
    let directory = TempDir::new().expect("a directory");
    let policies = concat!(
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\n",
        "spec:\n  rules:\n    - to: [{operation: {paths: [\"/api/*\"]}}]\n",
        "      when: [{key: \"request.headers[authorization]\", values: [\"Bearer SECRET-token-of-somebody\"]}]\n",
        "  \"\\e[31mred\\x9b\\u202Eturned|`<b>@all::]]>\": 1\n---\n",
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: b, namespace: shop}\n",
        "spec:\n  jwtRules:\n    - issuer: x\n      jwks: '{\"keys\":[{\"kty\":\"oct\",\"k\":\"SECRETkey\"}]}'\n      wrong: 1\n---\n",
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: c, namespace: shop}\n",
        "spec: {LONG: 1}\n",
    );
    let policies = policies.replace("LONG", &"long".repeat(5000));
    fs::write(directory.path().join("a b,c%3A:d#é.yaml"), policies).expect("writable");
    directory
}

/// Every input: a directory with files of it.
fn inputs(hostile: &TempDir) -> Vec<(std::path::PathBuf, Vec<&'static str>)> {
    let cases = CASES.iter().map(|files| (mission(), files.to_vec()));
    cases.chain([(hostile.path().to_owned(), vec!["."])]).collect()
}

/// The findings as JSON has them.
fn findings(directory: &Path, files: &[&str]) -> Vec<Value> {
    let report: Value = serde_json::from_str(&written(directory, files, "json")).expect("JSON");
    report["findings"].as_array().expect("a list").clone()
}

#[test]
fn sarif_is_what_its_schema_and_another_reader_take() {
    let hostile = hostile();
    // One of its patterns has a bracket too many, which only some readers of patterns take.
    let schema = published_schema().replace("{2}]?$", "{2}$");
    let schema: Value = serde_json::from_str(&schema).expect("a schema");
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
    for (directory, files) in inputs(&hostile) {
        let text = written(&directory, &files, "sarif");
        let document: Value = serde_json::from_str(&text).expect("JSON");
        let wrong: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(wrong, Vec::<String>::new(), "{files:?}");
        let read: serde_sarif::sarif::Sarif = serde_json::from_str(&text).expect("SARIF");
        let results = read.runs[0].results.clone().expect("results");
        let findings = findings(&directory, &files);
        assert_eq!(results.len(), findings.len());
        let rules = &document["runs"][0]["tool"]["driver"]["rules"];
        for (result, finding) in document["runs"][0]["results"].as_array().expect("a list").iter().zip(&findings) {
            let index = usize::try_from(result["ruleIndex"].as_u64().expect("a built-in rule")).expect("small");
            assert_eq!(rules[index]["id"], finding["rule"]);
            let region = &result["locations"][0]["physicalLocation"]["region"];
            let place = ["startLine", "startColumn", "endLine", "endColumn"].map(|field| region[field].clone());
            assert_eq!(place, ["line", "column", "end_line", "end_column"].map(|field| finding[field].clone()));
            assert_eq!(result["partialFingerprints"]["meshlint/v1"], finding["fingerprint"]);
        }
    }
}

/// The published schema, as the crate that reads SARIF carries it.
fn published_schema() -> String {
    let rustc = std::process::Command::new("rustc").arg("-vV").output().expect("a compiler").stdout;
    let rustc = String::from_utf8(rustc).expect("text");
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let arguments = ["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    let output = command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("it runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let mut packages = metadata["packages"].as_array().expect("a list").iter();
    let crate_of_sarif = packages.find(|package| package["name"] == "serde-sarif").expect("a dependency");
    let manifest = Path::new(crate_of_sarif["manifest_path"].as_str().expect("a path"));
    fs::read_to_string(manifest.with_file_name("src").join("schema.json")).expect("the schema")
}

#[test]
fn a_way_through_proxies_is_a_code_flow_and_shown_where_it_adds_something() {
    let document: Value = serde_json::from_str(&written(&mission(), CASES[0], "sarif")).expect("JSON");
    let result = &document["runs"][0]["results"][0];
    let flow = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().expect("a flow");
    let stops: Vec<(&str, u64, &str)> = flow
        .iter()
        .map(|stop| {
            let place = &stop["location"]["physicalLocation"];
            let file = place["artifactLocation"]["uri"].as_str().expect("a file");
            let line = place["region"]["startLine"].as_u64().expect("a line");
            (file, line, stop["location"]["message"]["text"].as_str().expect("words"))
        })
        .collect();
    let gateway = "gateway python/python-gateway: ";
    let wanted = [
        (
            "seed/gateway.yaml",
            11,
            format!(
                "{gateway}a server of Gateway python/python-gateway listens on port 80; a server of this port takes the \
                 connection"
            ),
        ),
        (
            "seed/virtual-service.yaml",
            12,
            "no ALLOW policy is attached, so everything passes; VirtualService python/python-vs takes it; the path goes on \
             as `/internal`"
                .to_owned(),
        ),
        (
            "from-and-to-split/authorization-policies.yaml",
            21,
            "workload python/fastapi-jwt-01: mTLS is PERMISSIVE on port 8000; AuthorizationPolicy \
             python/allow-api-from-ingress admits it"
                .to_owned(),
        ),
    ];
    assert_eq!(stops, wanted.iter().map(|(file, line, words)| (*file, *line, words.as_str())).collect::<Vec<_>>());
    let related = result["relatedLocations"].as_array().expect("places");
    assert_eq!(related.len(), 1, "the only server of the gateway tells nothing that the request does not: {related:?}");
    // What enters at the workload itself passes nothing else.
    assert_eq!(document["runs"][0]["results"][1]["codeFlows"], Value::Null);
}

#[test]
fn files_are_spelt_out_relative_to_where_the_program_runs() {
    let hostile = hostile();
    let absolute = hostile.path().to_string_lossy().into_owned();
    for path in [".", absolute.as_str()] {
        let document: Value = serde_json::from_str(&written(hostile.path(), &[path], "sarif")).expect("JSON");
        let file = &document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(file["uri"], "a%20b%2Cc%253A%3Ad%23%C3%A9.yaml");
        assert_eq!(file["uriBaseId"], "%SRCROOT%");
        let issues: Value = serde_json::from_str(&written(hostile.path(), &[path], "gitlab")).expect("JSON");
        assert_eq!(issues[0]["location"]["path"], "a b,c%3A:d#é.yaml");
    }
}

/// What GitHub's runner makes of a line: command, properties and message.
///
/// # Upstream
/// actions/runner: `src/Runner.Common/ActionCommand.cs`, `TryParseV2`, and its tables of escapes.
fn workflow_command(line: &str) -> (String, Vec<(String, String)>, String) {
    let unescape = |text: &str, table: &[(&str, &str)]| {
        let text = table.iter().fold(text.to_owned(), |text, (code, character)| text.replace(code, character));
        text.replace("%25", "%")
    };
    let data = [("%0D", "\r"), ("%0A", "\n")];
    let property = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")];
    let rest = line.strip_prefix("::").expect("a command");
    let (head, message) = rest.split_once("::").expect("a message");
    let (command, properties) = head.split_once(' ').expect("properties");
    let properties = properties.split(',').map(|pair| {
        let (name, value) = pair.split_once('=').expect("a value");
        (name.to_owned(), unescape(value, &property))
    });
    (command.to_owned(), properties.collect(), unescape(message, &data))
}

#[test]
fn github_reads_every_annotation_back() {
    let hostile = hostile();
    for (directory, files) in inputs(&hostile) {
        let text = written(&directory, &files, "github");
        let findings = findings(&directory, &files);
        assert_eq!(text.lines().count(), findings.len());
        for (line, finding) in text.lines().zip(&findings) {
            let (command, properties, message) = workflow_command(line);
            let of = |name: &str| properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
            let severity = finding["severity"].as_str().expect("a word");
            assert_eq!(command, if severity == "info" { "notice" } else { severity });
            let file = finding["file"].as_str().expect("a name");
            assert_eq!(of("file"), Some(file.strip_prefix("./").unwrap_or(file)));
            assert_eq!(of("line"), Some(finding["line"].to_string().as_str()));
            assert_eq!(of("title").map(|title| title.contains(finding["rule"].as_str().expect("an id"))), Some(true));
            assert!(message.starts_with(finding["message"].as_str().expect("words")), "{message}");
        }
    }
}

#[test]
fn gitlab_gets_the_fields_that_it_asks_for_and_no_fingerprint_twice() {
    let hostile = hostile();
    let twice = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: t, namespace: shop}\n\
                 spec: {rules: [{wrong: 1}, {wrong: 1}]}\n";
    fs::write(hostile.path().join("twice.yaml"), twice).expect("writable");
    assert!(written(hostile.path(), &["twice.yaml"], "gitlab").contains("-2\""), "two findings with one fingerprint");
    for (directory, files) in inputs(&hostile) {
        let issues: Value = serde_json::from_str(&written(&directory, &files, "gitlab")).expect("JSON");
        let issues = issues.as_array().expect("a list");
        let fingerprints: BTreeSet<&str> =
            issues.iter().map(|issue| issue["fingerprint"].as_str().expect("a fingerprint")).collect();
        assert_eq!(fingerprints.len(), issues.len());
        for issue in issues {
            assert!(["info", "minor", "critical"].contains(&issue["severity"].as_str().expect("a word")));
            assert!(issue["location"]["lines"]["begin"].as_u64() >= Some(1));
            let path = issue["location"]["path"].as_str().expect("a path");
            assert!(!path.starts_with("./") && !path.starts_with('/'), "{path}");
            assert!(issue["description"].is_string() && issue["check_name"].is_string());
        }
    }
}

#[test]
fn junit_is_read_back_with_a_failure_for_each_finding_that_fails_the_run() {
    let hostile = hostile();
    for (directory, files) in inputs(&hostile) {
        let findings = findings(&directory, &files);
        for (threshold, failing) in
            [("error", vec!["error"]), ("info", vec!["error", "warning", "info"]), ("never", vec![])]
        {
            let output = run(&directory, &files, &["--format", "junit", "--fail-on", threshold, "--quiet"]);
            let text = String::from_utf8(output.stdout).expect("text");
            let document = quick_junit::Report::deserialize_from_str(&text).expect("JUnit");
            let fails = |finding: &&Value| failing.contains(&finding["severity"].as_str().expect("a word"));
            let failures = findings.iter().filter(fails).count();
            assert_eq!(document.failures, failures);
            assert_eq!(document.tests, findings.len().max(1));
            assert_eq!(output.status.code(), Some(i32::from(failures > 0)));
        }
    }
}

#[test]
fn markdown_has_a_row_and_an_end_for_everything_and_fits_a_comment() {
    let hostile = hostile();
    for (directory, files) in inputs(&hostile) {
        let text = written(&directory, &files, "markdown");
        let findings = findings(&directory, &files);
        let rows = text.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(rows, findings.len());
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
        assert_eq!(text.lines().filter(|line| line.starts_with("```")).count() % 2, 0);
        assert!(!text.contains("<b>") || text.contains("`<b>"), "{text}");
    }
    let policy = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: NAME, namespace: shop}\n\
                  spec: {wrong: 1}\n---\n";
    let many: Vec<String> = (0..900).map(|number| policy.replace("NAME", &format!("a{number}"))).collect();
    let many = many.concat();
    fs::write(hostile.path().join("many.yaml"), many).expect("writable");
    let text = written(hostile.path(), &["many.yaml"], "markdown");
    assert!(text.len() < 65_536 && text.contains("more are not shown here"));
}

#[test]
fn no_form_shows_a_secret_or_anything_that_a_terminal_obeys() {
    let hostile = hostile();
    let obeyed = |character: &char| {
        (character.is_control() && *character != '\n') || ('\u{202a}'..='\u{202e}').contains(character)
    };
    for format in FORMATS {
        let output = run(hostile.path(), &["."], &["--format", format, "--verbose"]);
        assert_eq!(output.status.code(), Some(1), "{format}");
        for stream in [output.stdout, output.stderr] {
            let text = String::from_utf8(stream).expect("text");
            assert_eq!(text.chars().find(obeyed), None, "{format}: {text}");
            assert!(!text.contains("SECRET"), "{format}: {text}");
            assert!(!text.contains(&"long".repeat(100)), "{format} cuts no long word");
        }
        let shown = written(hostile.path(), &["."], format);
        assert!(shown.contains("u{1b}[31mred") || format == "markdown", "{format}: {shown}");
    }
}

#[test]
fn all_forms_have_one_exit_status_and_several_are_written_at_once() {
    let target = TempDir::new().expect("a directory");
    let file = |format: &str| format!("{format}={}", target.path().join(format).display());
    for files in CASES {
        let status = run(&mission(), files, &[]).status.code();
        let mut arguments: Vec<String> = Vec::new();
        for format in FORMATS {
            let output = run(&mission(), files, &["--format", format]);
            assert_eq!(output.status.code(), status, "{format}");
            arguments.extend(["--format".to_owned(), file(format)]);
        }
        arguments.extend(["--format".to_owned(), "concise".to_owned()]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run(&mission(), files, &arguments);
        assert_eq!(output.status.code(), status);
        assert_eq!(String::from_utf8(output.stdout).expect("text"), written(&mission(), files, "concise"));
        for format in FORMATS {
            let text = fs::read_to_string(target.path().join(format)).expect("written");
            assert_eq!(text, written(&mission(), files, format), "{format}");
        }
    }
    let files = CASES[4];
    assert_eq!(run(&mission(), files, &["--format", "json", "--format", "text"]).status.code(), Some(2));
    assert_eq!(run(&mission(), files, &["--format", "sarif="]).status.code(), Some(2));
    assert_eq!(run(&mission(), files, &["--format", "xml"]).status.code(), Some(2));
    assert_eq!(run(&mission(), files, &["--format", "json=no/such/directory/x"]).status.code(), Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_name_in_another_encoding_is_only_a_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let directory = TempDir::new().expect("a directory");
    let policy = fs::read(mission().join("deny-all-audit/authorization-policies.yaml")).expect("readable");
    fs::write(directory.path().join(OsStr::from_bytes(b"caf\xe9\x1b.yaml")), policy).expect("writable");
    for format in FORMATS {
        let output = run(directory.path(), &["."], &["--format", format]);
        assert_eq!(output.status.code(), Some(1), "{format}");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(text.contains("caf\u{fffd}") || text.contains("caf%EF%BF%BD"), "{format}: {text}");
        assert!(!text.contains('\u{1b}'), "{format}: {text}");
    }
}
