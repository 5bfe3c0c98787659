//! The engine on generated meshes: `cargo bench --bench engine [-- CASE…]`. What the cases are and what they must
//! reach stands in `benches/README.md`.
#![expect(clippy::print_stdout, reason = "a table that people read")]
#![expect(clippy::disallowed_methods, reason = "the cases to run, and the peak of the memory")]

mod world;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use comfy_table::Table;
use meshlint::space::{
    Bounds, Budget, Change, Cube, DecisionList, Label, PathTest, Pattern, Rule, RuleList, RuleStore, Search, Space,
};
use rayon::prelude::*;
use world::{Dice, World};

/// What lists say of requests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Whether they get in
    Effect,
    /// Which policy decides
    Blame,
}

/// What an evaluation found, so that none of it is left out as unused.
#[derive(Default, Clone, Copy)]
struct Counts {
    /// Distinct lists
    lists: usize,
    /// Labels that some request gets
    labels: usize,
    /// Classes of paths
    path_classes: usize,
    /// Lists of which something is not settled
    unsettled: usize,
}

/// The rules of a mesh, numbered, and what each workload has of them.
struct Numbered {
    /// The space that they span
    space: Arc<Space>,
    /// No bounds
    bounds: Bounds,
    /// By workload
    lists: Vec<RuleList>,
}

/// The label of a policy.
fn label(asked: Asked, number: usize, deny: bool) -> Label {
    match asked {
        Asked::Effect => Label(u32::from(deny)),
        Asked::Blame => Label(u32::try_from(number).map_or(u32::MAX - 1, |number| number + 3)),
    }
}

/// The rules of a workload: DENY before ALLOW, and nothing gets in that no ALLOW names where there is one.
fn list(store: &mut RuleStore, world: &World, policies: &[usize], asked: Asked) -> RuleList {
    let mut list = RuleList { rules: Vec::new(), default: Label(0) };
    for deny in [true, false] {
        for number in policies {
            let Some(policy) = world.policies.get(*number).filter(|policy| policy.deny == deny) else { continue };
            let label = label(asked, *number, deny);
            list.rules.extend(policy.cubes.iter().map(|cube| (store.cube(cube), label)));
            if !deny {
                list.default = Label(2);
            }
        }
    }
    list
}

/// Numbers the rules of a mesh.
fn number(world: &World, asked: Asked) -> Numbered {
    let mut store = RuleStore::new(world::universe());
    let bounds = store.bounds(&Cube::default());
    let lists = world.workloads.iter().map(|policies| list(&mut store, world, policies, asked)).collect();
    Numbered { space: store.freeze(&Budget::default()), bounds, lists }
}

/// Partitions every distinct list and asks for a witness of each of its labels.
fn evaluate(numbered: &Numbered) -> Counts {
    let distinct: Vec<&RuleList> = numbered.lists.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let count = |list: &&RuleList| {
        let partition = numbered.space.partition(list, &numbered.bounds);
        let found = partition.labels().into_values().filter(|search| matches!(search, Search::Found(_)));
        let unsettled = usize::from(partition.unsettled().is_some());
        Counts { lists: 1, labels: found.count(), path_classes: partition.path_classes(), unsettled }
    };
    let sum = |a: Counts, b: Counts| Counts {
        lists: a.lists + b.lists,
        labels: a.labels + b.labels,
        path_classes: a.path_classes + b.path_classes,
        unsettled: a.unsettled + b.unsettled,
    };
    distinct.par_iter().map(count).reduce(Counts::default, sum)
}

/// One workload with so many path patterns, a fifth of them denied.
fn one_workload(patterns: usize, asked: Asked) -> (DecisionList, usize) {
    let mut dice = Dice::new(7);
    let (mut deny, mut allow): (Vec<Pattern>, Vec<Pattern>) = (Vec::new(), Vec::new());
    for _ in 0..patterns {
        let pattern = world::path_pattern(&mut dice);
        if dice.chance(20) { deny.push(pattern) } else { allow.push(pattern) }
    }
    let rules: Vec<Rule> = match asked {
        Asked::Effect => [(deny, Label(1)), (allow, Label(0))]
            .into_iter()
            .map(|(patterns, label)| Rule::new(Cube::default().with_path(PathTest::any(patterns)), label))
            .collect(),
        Asked::Blame => (3_u32..)
            .zip(deny.into_iter().chain(allow))
            .map(|(label, pattern)| Rule::new(Cube::default().path(vec![pattern]), Label(label)))
            .collect(),
    };
    (DecisionList { rules, default: Label(2) }, patterns)
}

/// The time of a run and what it gave.
fn timed<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let value = run();
    (start.elapsed(), value)
}

/// The most memory that this process ever held, in MiB. `None` where the system does not say.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok().map(|kib| kib / 1024)
}

/// A duration in milliseconds.
fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// A whole mesh, from numbered rules to witnesses.
fn mesh(table: &mut Table, case: &str, workloads: usize, policies: usize, asked: Asked) {
    let world = world::world(workloads, policies, 1);
    let before = peak_mib();
    let (time, counts) = timed(|| evaluate(&number(&world, asked)));
    let beyond = peak_mib().zip(before).map_or_else(String::new, |(after, before)| {
        format!(", peak {} MiB beyond the world's {before} MiB", after - before)
    });
    let Counts { lists, labels, path_classes, unsettled } = counts;
    let found = format!("{lists} lists, {labels} labels, {path_classes} path classes, {unsettled} unsettled{beyond}");
    table.add_row([case.to_owned(), ms(time), found]);
}

/// One workload with ten thousand path patterns.
fn patterns(table: &mut Table, case: &str, asked: Asked) {
    let (list, patterns) = one_workload(10_000, asked);
    let (time, labels) =
        timed(|| meshlint::space::partition(&list, &Cube::default(), &world::universe(), &Budget::default()).labels());
    let found = labels.values().filter(|search| matches!(search, Search::Found(_))).count();
    table.add_row([case.to_owned(), ms(time), format!("{patterns} patterns, {found} labels of {}", labels.len())]);
}

/// What changes when one policy of ten thousand does, both meshes numbered.
fn diff(table: &mut Table) {
    let old = world::world(5_000, 10_000, 1);
    let mut dice = Dice::new(99);
    let mut new = old.clone();
    if let Some(policy) = new.policies.get_mut(123) {
        policy.cubes = world::cubes(&mut dice, 625);
    }
    let mut store = RuleStore::new(world::universe());
    let bounds = store.bounds(&Cube::default());
    let mut lists = |world: &World| -> Vec<RuleList> {
        let workloads = world.workloads.iter();
        workloads.map(|policies| list(&mut store, world, policies, Asked::Effect)).collect()
    };
    let (before, after) = (lists(&old), lists(&new));
    let space = store.freeze(&Budget::default());
    let (time, changes) = timed(|| {
        let pairs: BTreeSet<(&RuleList, &RuleList)> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
        let found = pairs.iter().map(|(a, b)| space.changes(a, b, &bounds)).collect::<Vec<_>>();
        (pairs.len(), found.iter().flat_map(|changes| changes.keys().copied()).collect::<BTreeSet<Change>>())
    });
    table.add_row(["diff".to_owned(), ms(time), format!("{} lists changed, {:?}", changes.0, changes.1)]);
}

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |case: &str| asked.is_empty() || asked.iter().any(|one| one == case);
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_header(["case", "time", "found"]);
    let meshes =
        [("effect-small", 500, Asked::Effect), ("effect", 5_000, Asked::Effect), ("blame", 5_000, Asked::Blame)];
    for (case, workloads, what) in meshes {
        if wanted(case) {
            mesh(&mut table, case, workloads, 2 * workloads, what);
        }
    }
    for (case, what) in [("patterns-effect", Asked::Effect), ("patterns-blame", Asked::Blame)] {
        if wanted(case) {
            patterns(&mut table, case, what);
        }
    }
    if wanted("diff") {
        diff(&mut table);
    }
    println!("{table}");
}
