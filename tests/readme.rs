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
fn every_mission_rule_and_command_is_named() {
    let readme = readme();
    for rule in ["missing-default-deny", "api-outside-ingress", "internal-outside-namespace"] {
        assert!(readme.contains(&format!("| `{rule}` |")), "{rule}");
        assert!(meshlint::rule::rule(rule).is_ok());
    }
    let help = Command::cargo_bin("meshlint").expect("built").arg("--help").output().expect("it runs").stdout;
    let help = String::from_utf8(help).expect("text");
    for command in ["check", "eval", "trace", "matrix", "explain", "rules"] {
        assert!(readme.contains(&format!("meshlint {command}")) && help.contains(command), "{command}");
    }
}
