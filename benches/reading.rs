//! Reading manifests, and writing generated ones to measure whole runs on: `cargo bench --bench reading [-- CASE…]`.
//! What the cases are and what they must reach stands in `benches/README.md`.
#![expect(clippy::print_stdout, reason = "a table that people read")]
#![expect(clippy::disallowed_methods, reason = "the cases to run, and the files of a mesh")]

#[path = "world/dice.rs"]
mod dice;
#[path = "world/manifests.rs"]
mod manifests;

use std::cmp::Ordering;
use std::path::Path;
use std::time::{Duration, Instant};

use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::text::{FileId, Files};
use meshlint::yaml;
use serde::de::Deserialize as _;

/// The policies for each workload of a mesh.
const POLICIES: usize = 2;

/// Repetitions, of which the median counts.
const RUNS: usize = 15;

/// The time of one run; what it gives is dropped beside it.
fn timed<T>(run: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let given = run();
    let time = start.elapsed();
    drop(given);
    time
}

/// The one in the middle.
fn median<T: PartialOrd + Copy + Default>(mut values: Vec<T>) -> T {
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Every document of a text as `serde_yaml` reads it untyped.
fn peer(text: &str) -> Vec<serde_yaml::Value> {
    let documents = serde_yaml::Deserializer::from_str(text).map(serde_yaml::Value::deserialize);
    documents.flatten().collect()
}

/// Prints a line of the table: the median of some times, and of what the peer took at the same time by them.
fn line(case: &str, bytes: usize, times: &[Duration], peer: &[Duration]) {
    let time = median(times.to_vec());
    let megabytes = u32::try_from(bytes / 1000).map_or(0.0, f64::from) / 1000.0;
    let milliseconds = time.as_secs_f64() * 1000.0;
    let faster = times.iter().zip(peer).map(|(time, peer)| peer.as_secs_f64() / time.as_secs_f64()).collect();
    let (speed, faster) = (megabytes / time.as_secs_f64(), median(faster));
    println!("{case:<24} {milliseconds:>9.1} ms {speed:>8.0} MB/s {faster:>6.1} times as fast as the peer");
}

/// Reading a mesh: into trees, into the model, and by the peer.
fn reading(workloads: usize) {
    let world = manifests::manifests(workloads, POLICIES * workloads, 1);
    let mut files = Files::default();
    let inputs: Vec<InputFile> = world
        .iter()
        .map(|(name, text)| InputFile { file: files.add(name.as_str(), text.as_str()), context: false })
        .collect();
    let bytes: usize = world.iter().map(|(_, text)| text.len()).sum();
    println!("{} files, {bytes} bytes, {} threads", world.len(), rayon::current_num_threads());
    let trees = || world.iter().map(|(_, text)| yaml::read(FileId(0), text)).collect::<Vec<_>>();
    let values = || world.iter().map(|(_, text)| peer(text)).collect::<Vec<_>>();
    // In turn: the speed of a machine changes from one second to the next.
    let runs: Vec<[Duration; 3]> = (0..RUNS)
        .map(|_| [timed(trees), timed(|| load(&files, &inputs, &LoadOptions::default())), timed(values)])
        .collect();
    let times = |case: usize| runs.iter().filter_map(|run| run.get(case)).copied().collect::<Vec<_>>();
    let peer = times(2);
    for (place, case) in ["trees, one thread", "model", "serde_yaml, one thread"].into_iter().enumerate() {
        line(case, bytes, &times(place), &peer);
    }
    println!("{} documents", values().iter().map(Vec::len).sum::<usize>());
}

/// Parses all files below a directory with the peer, for a whole run to stand beside.
fn parse_with_peer(directory: &str) {
    let entries = walkdir::WalkDir::new(directory).sort_by_file_name().into_iter().filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_file());
    let texts = files.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
    println!("{} documents", texts.map(|text| peer(&text).len()).sum::<usize>());
}

/// Writes a mesh as files.
fn write(directory: &str, files: Vec<(String, String)>) -> std::io::Result<()> {
    for (name, text) in files {
        let path = Path::new(directory).join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match asked.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["write", directory, workloads] => {
            let workloads = workloads.parse().unwrap_or(5000);
            return write(directory, manifests::manifests(workloads, POLICIES * workloads, 1));
        }
        ["few-rules", directory, workloads] => {
            return write(directory, manifests::few_rules(workloads.parse().unwrap_or(200)));
        }
        ["peer", directory] => parse_with_peer(directory),
        [workloads] => reading(workloads.parse().unwrap_or(1250)),
        _ => reading(1250),
    }
    Ok(())
}
