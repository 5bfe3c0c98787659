//! The same bytes come out whatever the order of files, the number of threads, the locale and the time zone.

#![expect(clippy::disallowed_methods, reason = "tests write their input")]

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

/// Runs the binary in a directory.
fn run(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::cargo_bin("meshlint").expect("the binary is built");
    command.args(arguments).current_dir(directory).env_remove("NO_COLOR").envs(environment.iter().copied());
    command.output().expect("it runs")
}

/// Files of fixtures that have something to say together, by their names here.
const FILES: [(&str, &[u8]); 6] = [
    ("a/gateway.yaml", include_bytes!("../fixtures/mission/seed/gateway.yaml")),
    ("a/policies.yaml", include_bytes!("../fixtures/mission/from-missing/authorization-policies.yaml")),
    ("b/policies.yaml", include_bytes!("../fixtures/mission/seed/authorization-policies.yaml")),
    ("b/broken.yaml", b"apiVersion: security.istio.io/v1\nkind: [\n---\na: {{ b }}\n"),
    ("c.json", b"{\"a\":1}{\"a\":1,\"a\":2}"),
    ("d.yml", b"# caf\xE9\nkind: Service\n"),
];

/// Every way to say what was found, and other questions.
const QUESTIONS: [&[&str]; 12] = [
    &["check", "--format", "text"],
    &["check", "--format", "concise"],
    &["check", "--format", "json"],
    &["check", "--format", "sarif"],
    &["check", "--format", "github"],
    &["check", "--format", "gitlab"],
    &["check", "--format", "junit"],
    &["check", "--format", "markdown"],
    &["check", "--pedantic", "--verbose"],
    &["matrix"],
    &["matrix", "--format", "json"],
    &["matrix", "--format", "csv"],
];

/// A directory with the files, written in an order.
fn directory(order: impl IntoIterator<Item = usize>) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    for (name, text) in order.into_iter().filter_map(|index| FILES.get(index)) {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("within the directory")).expect("writable");
        fs::write(path, text).expect("writable");
    }
    directory
}

/// Asks every question with some more arguments.
fn answers(directory: &Path, paths: &[&str], environment: &[(&str, &str)]) -> Vec<Output> {
    QUESTIONS.iter().map(|question| run(directory, &[question, paths].concat(), environment)).collect()
}

#[test]
fn files_are_found_in_any_order() {
    let (forth, back) = (directory(0..FILES.len()), directory((0..FILES.len()).rev()));
    let first = answers(forth.path(), &["."], &[]);
    assert!(first.iter().all(|output| !output.stdout.is_empty()), "{first:?}");
    assert_eq!(first, answers(back.path(), &["."], &[]));
}

#[test]
fn files_are_named_in_any_order() {
    let directory = directory(0..FILES.len());
    let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    let shuffled = [names[3], names[0], names[5], names[2], names[1], names[4]];
    assert_eq!(answers(directory.path(), &names, &[]), answers(directory.path(), &shuffled, &[]));
}

#[test]
fn any_number_of_threads_answers_the_same() {
    let directory = directory(0..FILES.len());
    let one = answers(directory.path(), &[".", "--threads", "1"], &[]);
    assert_eq!(one, answers(directory.path(), &[".", "--threads", "7"], &[]));
}

#[test]
fn neither_locale_nor_time_zone_changes_a_byte() {
    let directory = directory(0..FILES.len());
    let plain = answers(directory.path(), &["."], &[("LANG", "C"), ("LC_ALL", "C"), ("TZ", "UTC")]);
    let elsewhere = [("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8"), ("LANGUAGE", "ar"), ("TZ", "Pacific/Apia")];
    assert_eq!(plain, answers(directory.path(), &["."], &elsewhere));
}
