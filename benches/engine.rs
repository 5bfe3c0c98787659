//! The engine on a generated mesh.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a measurement that people read"
)]

mod world;
use meshlint::space::{
    Budget, ByteSet, Cube, CubeId, Dimension, Domain, Label, Pattern, Piece, RuleList, RuleStore, Universe, Values,
};
use std::collections::BTreeSet;
use std::time::Instant;
fn universe() -> Universe {
    let mut universe = Universe::default();
    let label = ByteSet::from_bytes(b"abcdefghijklmnopqrstuvwxyz0123456789-.");
    let part = |bytes| Piece::Repeat { bytes, at_least: 1 };
    let identity = Pattern::sequence(&[
        part(label),
        Piece::Literal("/ns/".into()),
        part(label),
        Piece::Literal("/sa/".into()),
        part(label),
    ]);
    universe.domains.insert(
        Dimension::Peer,
        Domain {
            values: Values::Language(identity),
            absent: true,
            several: false,
            preferred: vec!["cluster.local/ns/other/sa/default".into()],
        },
    );
    let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"].map(str::to_owned).to_vec();
    universe.domains.insert(
        Dimension::Method,
        Domain { values: Values::Finite(methods), absent: false, several: false, preferred: vec![] },
    );
    universe
}
fn main() {
    let start = Instant::now();
    let world = world::world(5000, 10000, 1);
    println!("world {:?}", start.elapsed());
    let start = Instant::now();
    let mut store = RuleStore::new(universe());
    let bounds = store.bounds(&Cube::default());
    let ids: Vec<Vec<CubeId>> = world
        .policies
        .iter()
        .map(|p| p.cubes.iter().map(|c| store.cube(&std::sync::Arc::new(c.clone()))).collect())
        .collect();
    println!("intern {:?}", start.elapsed());
    let start = Instant::now();
    let space = store.freeze(&Budget::default());
    println!("freeze {:?}", start.elapsed());
    for blame in [false, true] {
        let start = Instant::now();
        let lists: BTreeSet<RuleList> = world
            .workloads
            .iter()
            .map(|policies| {
                let mut rules = Vec::new();
                let mut allow = false;
                for deny in [true, false] {
                    for number in policies {
                        let policy = &world.policies[*number];
                        allow |= !policy.deny;
                        if policy.deny == deny {
                            let label = if blame { Label(10 + *number as u32) } else { Label(u32::from(deny)) };
                            rules.extend(ids[*number].iter().map(|id| (*id, label)));
                        }
                    }
                }
                RuleList { rules, default: if allow { Label(2) } else { Label(0) } }
            })
            .collect();
        println!("fingerprints {} {:?}", lists.len(), start.elapsed());
        let start = Instant::now();
        let (mut labels, mut nodes, mut classes, mut unknown, mut leaves) = (0, 0, 0, 0, 0);
        for list in &lists {
            let p = space.partition(list, &bounds);
            nodes += p.nodes();
            classes += p.path_classes();
            if std::env::var("LABELS").is_ok() {
                labels += p.labels().len();
                unknown += usize::from(p.unsettled().is_some());
            }
            leaves += 1;
        }
        println!(
            "blame {blame}: {:?}, lists {leaves} labels {labels} nodes {nodes} path classes {classes} unsettled {unknown}",
            start.elapsed()
        );
    }
}
