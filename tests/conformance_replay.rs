//! Replays what istiod and a real Envoy answered: `fixtures/conformance/*.jsonl`, each world a test of its name.
//!
//! `tests/conformance/run record` writes them, and says there what a line holds.

#![expect(clippy::disallowed_methods, reason = "tests read their fixtures")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use meshlint::config::WorldSetting;
use meshlint::model::{InputFile, LoadOptions, Problem, ProblemKind, load};
use meshlint::query::Evaluator;
use meshlint::report::answer_line;
use meshlint::semantics::{Request, World, WorldOptions};
use meshlint::text::Files;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A recorded world: manifests, requests, and what became of each.
#[derive(Debug, Deserialize)]
struct Recording {
    id: String,
    /// The manifests themselves
    manifests: Option<String>,
    /// Or files of the corpus, for those that were written by others
    #[serde(default)]
    files: Vec<String>,
    requests: Vec<Request>,
    /// Every outcome that was seen of each request
    observed: Vec<Vec<Map<String, Value>>>,
    /// Ids of requests that manifests may leave undetermined
    #[serde(default)]
    undetermined: Vec<String>,
}

/// What CRD schemas and webhook say of a file of the corpus.
#[derive(Debug, Deserialize)]
struct Verdicts {
    file: String,
    /// `KIND NS/NAME` of every object
    judged: Vec<String>,
    /// Of those that do not act
    refused: Vec<String>,
}

/// What an outcome says; `at` is held to it where it is known who decided.
const FIELDS: &[&str] = &["decision", "by", "workload", "path", "authority", "policy"];

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/conformance");
    let entries = fs::read_dir(folder).expect("the recordings are there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let mut trials = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")) {
        let text = fs::read_to_string(path).expect("a recording");
        for line in text.lines().skip(1) {
            trials.push(trial(line));
        }
    }
    assert!(!trials.is_empty(), "no world is recorded");
    libtest_mimic::run(&arguments, trials).exit();
}

/// The test of a line: a world, or the verdicts on a file.
fn trial(line: &str) -> Trial {
    if line.starts_with("{\"file\"") {
        let verdicts: Verdicts = serde_json::from_str(line).expect("recorded verdicts");
        return Trial::test(verdicts.file.clone(), move || judge(&verdicts));
    }
    let recording: Recording = serde_json::from_str(line).expect("a recorded world");
    Trial::test(recording.id.clone(), move || replay(&recording))
}

/// The files of a recorded world; `None` where they belong to a corpus that is not there.
fn files(recording: &Recording) -> Option<Files> {
    let mut files = Files::default();
    if let Some(text) = &recording.manifests {
        files.add("world.yaml", text.clone());
    }
    for name in &recording.files {
        files.add(name, fs::read_to_string(corpus().join(name)).ok()?);
    }
    Some(files)
}

/// Where manifests of other people are, if they are there.
fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus")
}

/// Whether the same objects of a file are refused.
fn judge(verdicts: &Verdicts) -> Result<(), Failed> {
    let Ok(text) = fs::read_to_string(corpus().join(&verdicts.file)) else {
        return Ok(());
    };
    let mut files = Files::default();
    let file = files.add(&verdicts.file, text);
    let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
    let (_, refused) = World::admit(loaded.mesh, WorldOptions::default());
    let refusal = |problem: &&Problem| matches!(problem.kind, ProblemKind::Rejected | ProblemKind::Misfit);
    let problems = loaded.problems.iter().chain(&refused).filter(refusal);
    let named: BTreeSet<String> = problems.filter_map(|problem| Some(problem.object.as_ref()?.to_string())).collect();
    let mine: BTreeSet<&String> = named.iter().filter(|object| verdicts.judged.contains(object)).collect();
    let theirs: BTreeSet<&String> = verdicts.refused.iter().collect();
    if mine == theirs { Ok(()) } else { Err(format!("refused are {mine:?} instead of {theirs:?}").into()) }
}

/// Asks a world's requests again.
fn replay(recording: &Recording) -> Result<(), Failed> {
    let Some(files) = files(recording) else {
        return Ok(());
    };
    let input: Vec<InputFile> = files.ids().map(|file| InputFile { file, context: false }).collect();
    let loaded = load(&files, &input, &LoadOptions::default());
    let options = WorldOptions { world: WorldSetting::Closed, assume_injected: true, ..WorldOptions::default() };
    let (world, _) = World::admit(loaded.mesh, options);
    let evaluator = Evaluator::new(&world);
    let mut wrong = Vec::new();
    for (request, observed) in recording.requests.iter().zip(&recording.observed) {
        let id = request.id.clone().unwrap_or_default();
        let answer = evaluator.answer(request).map_err(|error| format!("{id}: {error:?}"))?;
        let answer: Value = serde_json::from_str(&answer_line(&files, request, &answer)).expect("an answer is JSON");
        if !foreseen(&answer, observed, recording.undetermined.contains(&id)) {
            wrong.push(format!("{}\n  answered {answer}\n  observed {observed:?}", serde_json::json!(request)));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// Whether every outcome that was seen is among those that the answer allows.
fn foreseen(answer: &Value, observed: &[Map<String, Value>], may_be_undetermined: bool) -> bool {
    if answer["decision"] == "undetermined" {
        return may_be_undetermined;
    }
    let only = [answer.clone()];
    let possible = answer["outcomes"].as_array().map_or(&only[..], Vec::as_slice);
    observed.iter().all(|seen| possible.iter().any(|one| one["decision"] == "undetermined" || same(one, seen)))
}

/// Whether an outcome is the one that was seen.
fn same(answer: &Value, seen: &Map<String, Value>) -> bool {
    let at = |place: &Value| {
        // Of several workloads with the caller's identity any may have been the client.
        let place = place.as_str().unwrap_or_default();
        if place.starts_with("client ") { "client" } else { place }.to_owned()
    };
    let alike = |field: &str| answer[field] == *seen.get(field).unwrap_or(&Value::Null);
    FIELDS.iter().all(|field| alike(field)) && seen.get("at").is_none_or(|place| at(place) == at(&answer["at"]))
}
