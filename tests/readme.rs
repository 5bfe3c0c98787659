//! What the README shows is what the program prints.

#![expect(clippy::disallowed_methods, reason = "tests read the README")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;

/// The README.
fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("readable")
}

#[test]
fn the_finding_is_as_printed() {
    let readme = readme();
    let (_, rest) = readme.split_once("<!-- shown: ").expect("a shown command");
    let (arguments, rest) = rest.split_once(" -->").expect("a command ends");
    let shown = rest.split("```").nth(1).and_then(|block| block.strip_prefix("text\n")).expect("a block");
    let mut command = Command::cargo_bin("meshlint").expect("the binary is built");
    let output = command.args(arguments.split(' ')).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("it runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        fs::write(path, readme.replace(shown, &format!("{}\n", printed.trim_end()))).expect("writable");
        return;
    }
    assert_eq!(shown.trim_end(), printed.trim_end());
}

#[test]
fn the_configuration_reads() {
    let readme = readme();
    let block = readme.split("```yaml\n").find(|block| block.starts_with("world:")).expect("a configuration");
    let text = block.split("```").next().expect("it ends");
    let config = meshlint::config::read(meshlint::text::FileId(0), text).expect("nothing is wrong with it");
    assert_eq!(config.ingress.len(), 1);
    assert_eq!(config.trusted.len(), 1);
}

#[test]
fn the_access_table_reads() {
    let readme = readme();
    let block = readme.split("```yaml\n").find(|block| block.starts_with("access:")).expect("a table");
    let text = block.split("```").next().expect("it ends");
    let config = meshlint::config::read(meshlint::text::FileId(0), text).expect("nothing is wrong with it");
    assert_eq!(config.access.len(), 2);
}

#[test]
fn the_cases_pass() {
    let readme = readme();
    let block = readme.split("```yaml\n").find(|block| block.starts_with("# mesh_test.yaml")).expect("cases");
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("mesh_test.yaml");
    fs::write(&file, block.split("```").next().expect("it ends")).expect("writable");
    let mut command = Command::cargo_bin("meshlint").expect("the binary is built");
    command.args(["test", "fixtures/mission/seed", "fixtures/mission/_workloads", "--cases"]).arg(&file);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).assert().code(0).get_output().clone();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "5 passed, 0 failed\n");
}

#[test]
fn every_mission_rule_and_command_is_named() {
    let readme = readme();
    for rule in ["missing-default-deny", "api-outside-ingress", "internal-outside-namespace", "access-beyond-table"] {
        assert!(readme.contains(&format!("| `{rule}` |")), "{rule}");
        assert!(meshlint::rule::rule(rule).is_ok());
    }
    let help = Command::cargo_bin("meshlint").expect("built").arg("--help").output().expect("it runs").stdout;
    let help = String::from_utf8(help).expect("text");
    let commands = [
        "check",
        "eval",
        "trace",
        "matrix",
        "diff",
        "test",
        "init",
        "generate",
        "explain",
        "rules",
        "schema",
        "completions",
        "man",
    ];
    for command in commands {
        assert!(readme.contains(&format!("meshlint {command}")) && help.contains(command), "{command}");
    }
}

#[test]
fn the_hook_of_the_snippet_is_the_one_that_is_offered() {
    let readme = readme();
    let block = readme
        .split("```yaml\n")
        .find(|block| block.starts_with("# .pre-commit-config.yaml, built"))
        .expect("a snippet");
    let snippet: serde_yaml::Value = serde_yaml::from_str(block.split("```").next().expect("it ends")).expect("YAML");
    let hooks =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml")).expect("hooks");
    let hooks: serde_yaml::Value = serde_yaml::from_str(&hooks).expect("YAML");
    let of = |value: &serde_yaml::Value, key: &str| value.get(key).cloned().expect("present");
    let used =
        snippet.get("repos").and_then(|repos| repos.get(0)).and_then(|repo| repo.get("hooks")?.get(0)).expect("a hook");
    let offered = hooks.get(0).expect("a hook");
    assert_eq!(of(used, "id"), of(offered, "id"));
    assert_eq!(of(offered, "pass_filenames"), serde_yaml::Value::Bool(false), "the path stands in `args`");
    assert_eq!(of(used, "args").get(0).and_then(serde_yaml::Value::as_str), Some("./manifests"));
    assert_eq!(of(offered, "entry").as_str(), Some("meshlint check"));
}
