//! Manifests that other people wrote: every source runs to its end, nothing is skipped without being counted, and
//! whatever is shown goes through. Runs where the corpus is, beside the project.

#![expect(clippy::disallowed_methods, reason = "tests read their input")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use meshlint::config::Config;
use meshlint::model::{Counts, InputFile, LoadOptions, Problem, load};
use meshlint::report::{Look, concise, findings_json, matrix_table, summary, text};
use meshlint::rule::{self, Severity};
use meshlint::semantics::{World, WorldOptions};
use meshlint::text::{Files, decode};
use meshlint::{author, matrix, query};

fn main() {
    let arguments = Arguments::from_args();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let mut trials = Vec::new();
    for source in directories(&corpus) {
        let name = source.file_name().expect("a name").to_string_lossy().into_owned();
        let parts: Vec<PathBuf> = match name.as_str() {
            "cloud-native-istio-zh" => directories(&source),
            "kubeflow-manifests" => kustomizations(&source),
            _ => Vec::new(),
        };
        for directory in std::iter::once(source).chain(parts) {
            let shown = directory.strip_prefix(&corpus).expect("below").to_string_lossy().into_owned();
            trials.push(Trial::test(shown, move || check(&directory)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Directories in a directory, in the order of their names.
fn directories(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.expect("readable").path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// Directories with a kustomization, at any depth.
fn kustomizations(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in directories(root) {
        if directory.join("kustomization.yaml").exists() {
            found.push(directory.clone());
        }
        found.extend(kustomizations(&directory));
    }
    found
}

/// YAML and JSON files under a directory, in path order.
fn manifests(root: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
    let files = entries.map(|entry| entry.expect("readable").into_path());
    files
        .filter(|path| {
            let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
            path.is_file() && extension.is_some_and(|extension| ["yaml", "yml", "json"].contains(&extension.as_str()))
        })
        .collect()
}

/// Everything that the program can say about a directory.
fn check(directory: &Path) -> Result<(), Failed> {
    let mut files = Files::default();
    let mut inputs = Vec::new();
    for path in manifests(directory) {
        let text =
            decode(fs::read(&path).expect("readable")).map_err(|error| format!("{}: {error:?}", path.display()))?;
        let name = path.strip_prefix(directory).expect("below").to_string_lossy().into_owned();
        inputs.push(InputFile { file: files.add(name, text), context: false });
    }
    let config = Config::default();
    let loaded = load(&files, &inputs, &LoadOptions::default());
    let (world, refused) = World::admit(loaded.mesh, WorldOptions::from(&config));
    let problems: Vec<Problem> = loaded.problems.into_iter().chain(refused).collect();
    let mut report = rule::check(&files, &world, &problems, loaded.counts.clone(), &config);
    query::confirm(&world, &mut report);
    accounted(&loaded.counts)?;
    for note in &report.notes {
        if note.message.contains("internal error") {
            return Err(note.message.clone().into());
        }
    }
    let mut said = BTreeSet::new();
    for finding in &report.findings {
        let span = finding.label.span;
        if !said.insert((&finding.rule, span, &finding.message, &finding.workload)) {
            return Err(format!("{} is said twice: {}", finding.rule, finding.message).into());
        }
        if span.start == span.end || files.slice(span).trim().is_empty() {
            return Err(format!("{} at {}: nothing is marked", finding.rule, files.name(span.file)).into());
        }
        let mission = ["missing-default-deny", "api-outside-ingress", "internal-outside-namespace"];
        if mission.contains(&finding.rule.as_ref()) && finding.witness.is_none() && finding.severity == Severity::Error
        {
            return Err(format!("{}: {} has no witness", finding.rule, finding.message).into());
        }
    }
    let look = Look { colour: true, verbose: true, width: 80 };
    let shown = [text(&files, &report, look), concise(&files, &report), summary(&files, &report, Some(80))];
    if shown.iter().any(|text| text.contains('\0')) {
        return Err("a control character is shown".into());
    }
    let json: serde_json::Value =
        serde_json::from_str(&findings_json(&files, &report)).map_err(|error| error.to_string())?;
    if json.get("findings").and_then(|list| list.as_array()).map(Vec::len) != Some(report.findings.len()) {
        return Err("JSON has other findings".into());
    }
    let _ = matrix_table(&matrix::table(&world, &matrix::Part::default()), 80);
    proposed_table(&mut files, &world, &loaded.counts)
}

/// The access table that `init` proposes is one to which `check` has nothing to say.
fn proposed_table(files: &mut Files, world: &World, counts: &Counts) -> Result<(), Failed> {
    let proposed = author::init(files, world, &Config::default());
    let file = files.add("meshlint.yaml", proposed.text.clone());
    let config = meshlint::config::read(file, &proposed.text).map_err(|problems| format!("{problems:?}"))?;
    if config.access.len() != proposed.rows {
        return Err(format!("{} rows are counted, {} are read", proposed.rows, config.access.len()).into());
    }
    let report = rule::check(files, world, &[], counts.clone(), &config);
    match report.findings.iter().find(|finding| finding.rule.starts_with("access-")) {
        Some(finding) => Err(format!("{}: {}\n{}", finding.rule, finding.message, proposed.text).into()),
        None => Ok(()),
    }
}

/// Each document is understood, of another kind, or counted as something that was left out.
fn accounted(counts: &Counts) -> Result<(), Failed> {
    let understood: usize = counts.resources.values().sum();
    let other: usize = counts.other.values().sum();
    let sum = understood + other + counts.kustomizations + counts.repeated + counts.skipped;
    if counts.documents == sum {
        return Ok(());
    }
    Err(format!("{} documents, but {sum} are accounted for: {counts:?}", counts.documents).into())
}
