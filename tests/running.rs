//! How the program runs: quietly or not, in colour or not, on any number of threads, and what it tells shells.

use std::collections::BTreeSet;

use assert_cmd::Command;

/// The binary, in the directory of the project, with a clean environment.
fn meshlint(arguments: &[&str]) -> std::process::Output {
    let mut command = Command::cargo_bin("meshlint").expect("the binary is built");
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("NO_COLOR").output().expect("it runs")
}

/// Standard output and standard error.
fn streams(arguments: &[&str]) -> (String, String) {
    let output = meshlint(arguments);
    (String::from_utf8(output.stdout).expect("text"), String::from_utf8(output.stderr).expect("text"))
}

/// Some files in which there is something to find.
const HOLE: [&str; 3] = ["check", "fixtures/mission/seed/gateway.yaml", "fixtures/mission/from-missing"];

#[test]
fn quiet_leaves_the_findings_and_verbose_adds_the_way() {
    let (plain, summary) = streams(&HOLE);
    let (quiet, nothing) = streams(&[&HOLE[..], &["--quiet"]].concat());
    assert_eq!((quiet.as_str(), nothing.as_str()), (plain.as_str(), ""));
    assert!(summary.contains("1 error"), "{summary}");
    let (verbose, _) = streams(&[&HOLE[..], &["--verbose"]].concat());
    assert!(
        verbose.contains("for `eval`: {\"entrypoint\"") && verbose.contains("  hop by hop:\n    workload "),
        "{verbose}"
    );
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let is_coloured = |when: &[&str]| streams(&[&HOLE[..], when].concat()).0.contains('\u{1b}');
    assert!(!is_coloured(&[]) && !is_coloured(&["--color", "never"]));
    assert!(is_coloured(&["--color", "always"]));
}

#[test]
fn the_number_of_threads_changes_nothing_that_is_said() {
    let all = ["check", "fixtures/mission", "fixtures/rules"];
    let one = streams(&[&all[..], &["--threads", "1"]].concat());
    let many = streams(&[&all[..], &["--threads", "7"]].concat());
    assert!(!one.0.is_empty());
    assert_eq!(one, many);
    assert_eq!(meshlint(&[&all[..], &["--threads", "0"]].concat()).status.code(), Some(2));
}

#[test]
fn every_shell_learns_every_command_and_form() {
    let (help, _) = streams(&["--help"]);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: BTreeSet<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains("check") && commands.contains("completions"), "{commands:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (script, complaint) = streams(&["completions", shell]);
        assert_eq!(complaint, "");
        for command in &commands {
            assert!(script.contains(command), "{shell} does not know `{command}`");
        }
        assert!(shell == "elvish" || shell == "powershell" || script.contains("sarif"), "{shell} does not know forms");
    }
    assert_eq!(meshlint(&["completions", "csh"]).status.code(), Some(2));
}

#[test]
fn the_manual_has_a_page_for_each_command_with_every_flag() {
    let (page, _) = streams(&["man"]);
    assert!(page.contains(".SH NAME\nmeshlint \\-") && page.contains("meshlint\\-check(1)"), "{page}");
    for command in ["check", "eval", "matrix", "trace", "explain"] {
        let (page, _) = streams(&["man", command]);
        let (help, _) = streams(&[command, "--help"]);
        for flag in help.split_whitespace().filter_map(|word| word.strip_prefix("--")) {
            let flag = flag.trim_end_matches(|last: char| !last.is_ascii_lowercase());
            assert!(page.contains(&flag.replace('-', "\\-")), "{command}: {flag}");
        }
    }
    assert_eq!(meshlint(&["man", "chek"]).status.code(), Some(2));
}
