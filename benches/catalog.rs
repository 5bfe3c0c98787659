//! What the checks of the catalog cost beside the matrix, on a generated mesh: `cargo bench --bench catalog [-- WORKLOADS]`.
//! What it must reach stands in `benches/README.md`.
#![expect(clippy::print_stdout, reason = "a table that people read")]

#[path = "world/dice.rs"]
mod dice;
#[path = "world/manifests.rs"]
#[expect(dead_code, reason = "another bench writes meshes of few rules")]
mod manifests;

use std::time::{Duration, Instant};

use meshlint::check::{Ground, observations};
use meshlint::config::Config;
use meshlint::matrix::{Fronts, Judged};
use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::rule::{Report, ask_namespaces};
use meshlint::semantics::{World, WorldOptions};
use meshlint::text::Files;

/// The policies for each workload of a mesh.
const POLICIES: usize = 2;

/// Repetitions, of which the one of the median ratio counts.
const RUNS: usize = 5;

/// The times of one run, in its order.
struct Times {
    /// Doors and gateways judged
    judging: Duration,
    /// The mission's questions asked of them
    asking: Duration,
    /// All checks of the catalog
    catalog: Duration,
}

impl Times {
    /// How much the catalog costs for each second of the matrix.
    fn ratio(&self) -> f64 {
        self.catalog.as_secs_f64() / (self.judging + self.asking).as_secs_f64()
    }
}

/// One run: what a whole check does between reading and sorting, in the same order.
fn run(files: &Files, world: &World) -> (Times, usize, usize) {
    let start = Instant::now();
    let (fronts, judged) = rayon::join(|| Fronts::of(world), || Judged::of(world));
    let judging = start.elapsed();
    let ground = Ground { world, files, fronts: &fronts, judged: &judged };
    let mut report = Report::default();
    let start = Instant::now();
    ask_namespaces(ground, &Config::default(), &mut report);
    let asking = start.elapsed();
    let start = Instant::now();
    let seen = observations(ground).len();
    let catalog = start.elapsed();
    (Times { judging, asking, catalog }, report.findings.len(), seen)
}

fn main() {
    let asked = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let workloads: usize = asked.unwrap_or(5000);
    let texts = manifests::manifests(workloads, POLICIES * workloads, 1);
    let mut files = Files::default();
    let inputs: Vec<InputFile> = texts
        .iter()
        .map(|(name, text)| InputFile { file: files.add(name.as_str(), text.as_str()), context: false })
        .collect();
    let loaded = load(&files, &inputs, &LoadOptions::default());
    let (world, _) = World::admit(loaded.mesh, WorldOptions::from(&Config::default()));
    let mut runs: Vec<(Times, usize, usize)> = (0..RUNS).map(|_| run(&files, &world)).collect();
    runs.sort_by(|a, b| a.0.ratio().total_cmp(&b.0.ratio()));
    let Some((times, findings, seen)) = runs.get(RUNS / 2) else { return };
    println!("{workloads} workloads, {} policies, {} threads", POLICIES * workloads, rayon::current_num_threads());
    for (case, time, found) in [
        ("matrix: doors and gateways", times.judging, String::new()),
        ("matrix: the mission's questions", times.asking, format!("{findings} findings")),
        ("catalog", times.catalog, format!("{seen} observations")),
    ] {
        println!("{case:<32} {:>8.0} ms {found}", time.as_secs_f64() * 1000.0);
    }
    println!("{:<32} {:>8.2}", "catalog / matrix", times.ratio());
}
