//! The mission's fixtures: for each case the marked lines are exactly the findings, and what is shown is in `expected-*.txt`.
//!
//! `UPDATE_EXPECT=1` rewrites the shown text, never the marks.

#![expect(clippy::disallowed_methods, reason = "tests read their fixtures")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use meshlint::config::Config;
use meshlint::model::{InputFile, LoadOptions, Problem, load};
use meshlint::query::{self, Evaluator};
use meshlint::report::{Look, findings_json, text};
use meshlint::rule::{self, Report, Status};
use meshlint::semantics::{Decision, Request, World, WorldOptions};
use meshlint::text::Files;
use serde::Deserialize;

/// `case.txt`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The one fact that the case shows
    fact: String,
    /// `hole`, `harmless`, `not-proven` or `warning`
    label: String,
    /// Files taken from `seed/` as they are
    seed: Vec<String>,
    /// `open`: as it is; `closed`: with the workloads
    runs: Vec<String>,
    /// Marks on lines of other directories
    #[serde(default)]
    marks: Vec<FarMark>,
}

/// A mark on a line of another directory.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FarMark {
    /// The file, from `mission/`
    file: String,
    /// The first line that begins so
    line: String,
    /// How many lines that begin so come before it
    #[serde(default)]
    skip: usize,
    /// What follows `#`
    mark: String,
}

/// File, line, rule, severity, status.
type Expected = (String, u32, String, String, String);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mission")
}

fn main() {
    let arguments = Arguments::from_args();
    let mut directories: Vec<PathBuf> =
        fs::read_dir(root()).expect("the fixtures are there").map(|entry| entry.expect("readable").path()).collect();
    directories.retain(|path| path.join("case.txt").exists());
    directories.sort();
    let mut trials = Vec::new();
    for directory in directories {
        let name = directory.file_name().expect("a name").to_string_lossy().into_owned();
        let case: Case = serde_yaml::from_str(&fs::read_to_string(directory.join("case.txt")).expect("readable"))
            .unwrap_or_else(|error| panic!("{name}/case.txt: {error}"));
        for run in case.runs.clone() {
            let (directory, name) = (directory.clone(), name.clone());
            let case: Case = serde_yaml::from_str(&fs::read_to_string(directory.join("case.txt")).expect("readable"))
                .expect("read before");
            trials.push(Trial::test(format!("{name}/{run}"), move || check_case(&name, &directory, &case, &run)));
        }
    }
    assert!(trials.len() > 100, "the fixtures are not found");
    libtest_mimic::run(&arguments, trials).exit();
}

/// The files of a run with their names, in path order.
fn files_of(name: &str, directory: &Path, case: &Case, run: &str) -> Vec<(String, String)> {
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut files: Vec<(String, String)> =
        case.seed.iter().map(|file| (format!("seed/{file}"), read(&root().join("seed").join(file)))).collect();
    let mut own_workloads = false;
    if name != "seed" {
        for entry in fs::read_dir(directory).expect("readable") {
            let path = entry.expect("readable").path();
            let file = path.file_name().expect("a name").to_string_lossy().into_owned();
            let manifest = path.extension().is_some_and(|extension| extension == "yaml") && file != "case.txt";
            own_workloads |= file == "workloads.yaml";
            if manifest && (run == "closed" || file != "workloads.yaml") {
                files.push((format!("{name}/{file}"), read(&path)));
            }
        }
    }
    if run == "closed" && !own_workloads {
        files.push(("_workloads/workloads.yaml".to_owned(), read(&root().join("_workloads/workloads.yaml"))));
    }
    files.sort();
    files
}

/// The marks of a run.
fn marks_of(case: &Case, files: &[(String, String)], run: &str) -> BTreeSet<Expected> {
    let mut expected = BTreeSet::new();
    let mut mark = |file: &str, line: usize, mark: &str| {
        let mark = mark.trim();
        let mark = match mark.strip_prefix("~open") {
            Some(rest) if run == "open" => rest,
            Some(_) => return,
            None => match mark.strip_prefix("~closed") {
                Some(rest) if run == "closed" => rest,
                Some(_) => return,
                None => mark.strip_prefix('~').expect("marks begin with `#~`"),
            },
        };
        let mut words = mark.split_whitespace();
        let rule = words.next().expect("a mark names a rule").to_owned();
        let (mut severity, mut status) = ("error".to_owned(), "broken".to_owned());
        for word in words {
            match word {
                "warning" | "info" => word.clone_into(&mut severity),
                "not-proven" => word.clone_into(&mut status),
                other => panic!("a mark says `{other}`"),
            }
        }
        expected.insert((file.to_owned(), u32::try_from(line + 1).expect("short"), rule, severity, status));
    };
    for (name, text) in files {
        for (line, written) in text.lines().enumerate() {
            for part in written.split("#~").skip(1) {
                mark(name, line, &format!("~{part}"));
            }
        }
    }
    for far in &case.marks {
        let text = files.iter().find(|(name, _)| *name == far.file).map(|(_, text)| text);
        let begins = |(_, line): &(usize, &str)| line.starts_with(&far.line);
        let line = text.and_then(|text| text.lines().enumerate().filter(begins).nth(far.skip)).map(|(line, _)| line);
        if let Some(line) = line {
            mark(&far.file, line, &far.mark);
        }
    }
    expected
}

/// Runs the check as the command line does.
fn run_check(files: &[(String, String)]) -> (Files, World, Report) {
    let mut loaded_files = Files::default();
    let inputs: Vec<InputFile> = files
        .iter()
        .map(|(name, text)| InputFile { file: loaded_files.add(name.clone(), text.clone()), context: false })
        .collect();
    let config = Config::default();
    let loaded = load(&loaded_files, &inputs, &LoadOptions::default());
    let (world, refused) = World::admit(loaded.mesh, WorldOptions::from(&config));
    let problems: Vec<Problem> = loaded.problems.into_iter().chain(refused).collect();
    let mut report = rule::check(&loaded_files, &world, &problems, loaded.counts, &config);
    query::confirm(&world, &mut report);
    report.findings.retain(|finding| rule::rule(&finding.rule).is_ok_and(|rule| !rule.pedantic));
    (loaded_files, world, report)
}

/// Every finding of the mission comes with a request, and that request, as JSON carries it, gets through: `eval` says
/// so on the same manifests, what they imply included. Of what is not proven it says that it cannot tell.
fn confirm(files: &Files, world: &World, report: &Report) -> Result<(), Failed> {
    let json: serde_json::Value = serde_json::from_str(&findings_json(files, report)).map_err(|e| e.to_string())?;
    let shown = json.get("findings").and_then(|findings| findings.as_array()).cloned().unwrap_or_default();
    let evaluator = Evaluator::new(world);
    for (finding, shown) in report.findings.iter().zip(shown) {
        let mission = ["missing-default-deny", "api-outside-ingress", "internal-outside-namespace"]
            .contains(&finding.rule.as_ref());
        let witness = shown.get("witness").cloned().unwrap_or_default();
        if witness.is_null() && !mission {
            continue;
        }
        let request: Request =
            serde_json::from_value(witness).map_err(|error| format!("{} has no witness: {error}", finding.rule))?;
        let answer = evaluator.answer(&request).map_err(|error| format!("{}: {error:?}", finding.rule))?;
        let wanted = match finding.status {
            Status::Broken => Decision::Allowed,
            Status::NotProven => Decision::Undetermined,
        };
        if answer.outcome.decision != wanted {
            return Err(format!("{}: {:?} for {request:?}", finding.rule, answer.outcome).into());
        }
    }
    Ok(())
}

fn check_case(name: &str, directory: &Path, case: &Case, run: &str) -> Result<(), Failed> {
    let sources = files_of(name, directory, case, run);
    let expected = marks_of(case, &sources, run);
    let (files, world, report) = run_check(&sources);
    let found: BTreeSet<Expected> = report
        .findings
        .iter()
        .map(|finding| {
            let span = finding.label.span;
            let status = if finding.status == Status::Broken { "broken" } else { "not-proven" };
            (
                files.name(span.file).to_owned(),
                files.position(span.file, span.start).line,
                finding.rule.to_string(),
                finding.severity.word().to_owned(),
                status.to_owned(),
            )
        })
        .collect();
    if found != expected {
        return Err(format!("{}\nexpected {expected:#?}\nfound {found:#?}", case.fact).into());
    }
    if found.len() != report.findings.len() {
        return Err("two findings of one rule on one line".into());
    }
    for note in &report.notes {
        if note.message.contains("internal error") {
            return Err(note.message.clone().into());
        }
    }
    confirm(&files, &world, &report)?;
    // The label is about the mission's statements; what the catalog says beside them is marked.
    let is_statement = |finding: &&rule::Finding| rule::rule(&finding.rule).is_ok_and(|rule| rule.statement.is_some());
    let mut stated = report.findings.iter().filter(is_statement).peekable();
    let labelled = match case.label.as_str() {
        "harmless" => stated.peek().is_none(),
        "hole" => stated.any(|finding| finding.status == Status::Broken),
        "warning" => stated.all(|finding| finding.severity.word() == "warning"),
        "not-proven" => stated.all(|finding| finding.status == Status::NotProven),
        other => return Err(format!("no label is called `{other}`").into()),
    };
    if !labelled {
        return Err(format!("this is not {}", case.label).into());
    }
    let shown = text(&files, &report, Look { colour: false, verbose: false, width: 120 });
    compare(&directory.join(format!("expected-{run}.txt")), &shown)
}

/// Holds the shown text against the file, or writes it.
fn compare(path: &Path, shown: &str) -> Result<(), Failed> {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        if shown.is_empty() {
            let _ = fs::remove_file(path);
        } else {
            fs::write(path, shown).expect("writable");
        }
        return Ok(());
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == shown {
        return Ok(());
    }
    Err(format!("{} differs:\n{shown}", path.display()).into())
}
