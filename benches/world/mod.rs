//! Generated meshes: the same from the same seed on every machine.

#![expect(clippy::indexing_slicing, reason = "words and workloads are chosen by number")]

mod dice;

use std::sync::Arc;

use meshlint::space::{ByteSet, Cube, Dimension, Domain, PathTest, Pattern, Piece, Test, Universe, Values};

pub(crate) use dice::Dice;

/// A policy: what it decides on, and which workloads it is about.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// Whether it denies
    pub(crate) deny: bool,
    /// Which requests
    pub(crate) cubes: Vec<Arc<Cube>>,
}

/// A mesh: its policies, and which of them each workload has.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// Every policy
    pub(crate) policies: Vec<Policy>,
    /// Policies by number, for each workload
    pub(crate) workloads: Vec<Vec<usize>>,
}

/// A path pattern of the usual mix: 70 % prefixes, 20 % exact, 5 % suffixes, 3 % templates, 2 % expressions.
pub(crate) fn path_pattern(dice: &mut Dice) -> Pattern {
    const WORDS: [&str; 16] = [
        "api", "v1", "v2", "users", "orders", "admin", "internal", "health", "items", "cart", "pay", "auth", "search",
        "static", "reports", "export",
    ];
    let word = |dice: &mut Dice| {
        let word = WORDS[dice.below(WORDS.len())];
        if dice.chance(85) { format!("{word}{}", dice.below(400)) } else { word.to_owned() }
    };
    let mut path = String::new();
    for _ in 0..2 + dice.below(3) {
        path.push('/');
        path.push_str(&word(dice));
    }
    match dice.below(100) {
        0..70 => Pattern::Prefix(if dice.chance(80) { format!("{path}/").into() } else { path.into() }),
        70..90 => Pattern::Exact(path.into()),
        90..95 => Pattern::Suffix(format!("/{}", word(dice)).into()),
        95..98 => Pattern::sequence(&[
            Piece::Literal(format!("{path}/").into()),
            Piece::Repeat { bytes: ByteSet::SEGMENT, at_least: 1 },
            Piece::Literal(format!("/{}", word(dice)).into()),
        ]),
        _ => Pattern::regex(&format!("{path}/[0-9]+(/.*)?")).unwrap_or(Pattern::Any),
    }
}

/// Some of the identities of a mesh.
fn identities(dice: &mut Dice, namespaces: usize) -> Vec<Pattern> {
    (0..=dice.below(3))
        .map(|_| {
            let namespace = dice.below(namespaces);
            Pattern::Exact(format!("cluster.local/ns/ns{namespace}/sa/sa{}", dice.below(8)).into())
        })
        .collect()
}

/// Who a rule is about: some identities, a namespace, or anyone.
fn source(dice: &mut Dice, namespaces: usize) -> Cube {
    let cube = Cube::default();
    match dice.below(10) {
        0..6 => cube.any(Dimension::Peer, identities(dice, namespaces)),
        6..8 => {
            let namespace = format!("/ns/ns{}/", dice.below(namespaces));
            let any = || Piece::Repeat { bytes: ByteSet::ANY, at_least: 0 };
            let pattern = Pattern::sequence(&[any(), Piece::Literal(namespace.into()), any()]);
            cube.any(Dimension::Peer, vec![pattern])
        }
        _ => cube,
    }
}

/// A rule of a policy.
fn cube(dice: &mut Dice, namespaces: usize) -> Cube {
    let mut cube = source(dice, namespaces);
    if dice.chance(30) {
        let methods = ["GET", "POST", "PUT", "DELETE"];
        let some = (0..=dice.below(2)).map(|_| Pattern::Exact(methods[dice.below(4)].into())).collect();
        cube = cube.any(Dimension::Method, some);
    }
    if dice.chance(8) {
        let name = ["x-env", "x-team", "x-debug"][dice.below(3)];
        let value = Pattern::Exact(format!("v{}", dice.below(4)).into());
        cube = cube.any(Dimension::Header(name.into()), vec![value]);
    }
    if dice.chance(5) {
        let block = format!("10.{}.0.0/16", dice.below(64)).parse().map_or(Pattern::Any, Pattern::Cidr);
        cube = cube.with(Test::none(Dimension::SourceIp, vec![block]));
    }
    // A rule for everything would decide whole workloads at once.
    if dice.chance(85) || cube.tests.is_empty() {
        let some = (0..=dice.below(3)).map(|_| path_pattern(dice)).collect();
        let none_of = if dice.chance(10) { vec![path_pattern(dice)] } else { Vec::new() };
        cube = cube.with_path(PathTest { any_of: Some(some), none_of });
    }
    cube
}

/// The rules of a policy.
pub(crate) fn cubes(dice: &mut Dice, namespaces: usize) -> Vec<Arc<Cube>> {
    (0..=dice.below(5)).map(|_| Arc::new(cube(dice, namespaces))).collect()
}

/// What can occur in a request: any identity of a mesh or none, and the usual methods.
pub(crate) fn universe() -> Universe {
    let label = ByteSet::from_bytes(b"abcdefghijklmnopqrstuvwxyz0123456789-.");
    let part = || Piece::Repeat { bytes: label, at_least: 1 };
    let [ns, sa] = ["/ns/", "/sa/"].map(|text| Piece::Literal(text.into()));
    let identity = Values::Language(Pattern::sequence(&[part(), ns, part(), sa, part()]));
    let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"].map(str::to_owned).to_vec();
    let peer = Domain {
        values: identity,
        absent: true,
        several: false,
        preferred: vec!["cluster.local/ns/other/sa/default".into()],
    };
    let method = Domain { values: Values::Finite(methods), absent: false, several: false, preferred: Vec::new() };
    let mut universe = Universe::default();
    universe.set(Dimension::Peer, peer);
    universe.set(Dimension::Method, method);
    universe
}

/// How many policies are mesh-wide, however large the mesh: those of its platform team.
const MESH_WIDE: usize = 10;

/// A mesh of so many workloads and policies, in the order in which the files of its namespaces are read: some policies
/// mesh-wide, each one rule about a source and a path; of the others six in a hundred namespace-wide, the rest by label.
pub(crate) fn world(workloads: usize, policies: usize, seed: u64) -> World {
    let mut dice = Dice::new(seed);
    let namespaces = (workloads / 8).max(1);
    let mut all = Vec::with_capacity(policies);
    let mut chosen: Vec<Vec<usize>> = vec![Vec::new(); workloads];
    for number in 0..policies {
        let deny = dice.chance(20);
        if number < MESH_WIDE {
            let cube = source(&mut dice, namespaces).path(vec![path_pattern(&mut dice)]);
            all.push(Policy { deny, cubes: vec![Arc::new(cube)] });
            for policies in &mut chosen {
                policies.push(number);
            }
            continue;
        }
        all.push(Policy { deny, cubes: cubes(&mut dice, namespaces) });
        let first = number * namespaces / policies * 8;
        let label = (!dice.chance(6)).then(|| dice.below(6));
        let own = (first..first + 8).filter(|workload| label.is_none_or(|label| workload % 8 % 6 == label));
        own.for_each(|workload| chosen[workload].push(number));
    }
    World { policies: all, workloads: chosen }
}
