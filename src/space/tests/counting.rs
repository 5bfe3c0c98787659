//! The cells counted: over finite dimensions and all paths up to a length, they are every request once.

use std::collections::HashMap;

use super::super::form::{DEAD, Form};
use super::super::residual::{ListMachine, ListState, PathList};
use super::super::*;
use super::random::Random;
use super::world::{self, Axis, World};

/// Letters of the counted paths.
const LETTERS: &[u8] = b"/abA.;-x%2";

/// How many paths there are up to a length, by the label that a list of path rules gives them.
fn paths_by_label(list: &DecisionList, form: &Form, most: usize) -> HashMap<Label, u128> {
    let rules = list.rules.iter().map(|rule| (rule.cube.path.clone(), rule.label)).collect();
    let mut machine = ListMachine::new(&PathList { rules, fallback: list.default });
    let mut states: Vec<((u8, ListState), u128)> = vec![((0, machine.start()), 1)];
    let mut counts: HashMap<Label, u128> = HashMap::new();
    for _ in 0..most {
        let mut next: HashMap<(u8, ListState), u128> = HashMap::new();
        for ((shape, state), count) in &states {
            for byte in LETTERS {
                let shape = form.step(*shape, *byte);
                if shape != DEAD {
                    *next.entry((shape, machine.step(state, *byte))).or_default() += count;
                }
            }
        }
        states = next.into_iter().collect();
        for ((_, state), count) in states.iter().filter(|((shape, _), _)| form.accepts(*shape)) {
            *counts.entry(machine.label(state).expect("every pattern is followed")).or_default() += count;
        }
    }
    counts
}

/// How many paths of the shape there are up to a length.
fn all_paths(form: &Form, most: usize) -> u128 {
    let mut states = vec![(0_u8, 1_u128)];
    let mut all = 0;
    for _ in 0..most {
        let mut next: HashMap<u8, u128> = HashMap::new();
        for (shape, count) in &states {
            for shape in LETTERS.iter().map(|byte| form.step(*shape, *byte)).filter(|shape| *shape != DEAD) {
                *next.entry(shape).or_default() += count;
            }
        }
        states = next.into_iter().collect();
        all += states.iter().filter(|(shape, _)| form.accepts(*shape)).map(|(_, count)| count).sum::<u128>();
    }
    all
}

#[test]
fn the_cells_are_every_request_once() {
    let mut random = Random(97);
    let world = World::new();
    let form = Form::paths(world.universe.path);
    let known = [Dimension::Port, Dimension::Peer, Dimension::Token];
    let axes: Vec<&Axis> = world.axes.iter().filter(|axis| known.contains(&axis.dimension)).collect();
    let wide = |axis: &&Axis| u128::try_from(axis.values.len()).unwrap();
    for most in [1, 3, 9] {
        let paths = all_paths(form, most);
        let expected = axes.iter().map(wide).product::<u128>() * paths;
        for _ in 0..40 {
            // Requests that cannot occur are in no cell.
            let mut list = world::list(&mut random, &axes, "/abA.;");
            list.rules.retain(|rule| rule.label != Label::IMPOSSIBLE);
            let partition = partition(&list, &Cube::default(), &world.universe, &Budget::default());
            let mut counted = 0;
            for cell in partition.cells() {
                let mut requests = 1;
                let mut rest = list.clone();
                for axis in &axes {
                    let atoms = cell.constraints.iter().find(|(dimension, _)| *dimension == axis.dimension);
                    requests *= match atoms {
                        Some((_, atoms)) => {
                            u128::try_from(axis.values.iter().filter(|values| atoms.contains(values)).count()).unwrap()
                        }
                        None => wide(axis),
                    };
                    // A free dimension takes any value.
                    let own = cell.witness.values(&axis.dimension);
                    let any = if atoms.is_some() { own } else { axis.values.last().map_or(&[][..], Vec::as_slice) };
                    rest = rest.specialise(&axis.dimension, &any.iter().map(String::as_str).collect::<Vec<_>>());
                }
                counted += requests * paths_by_label(&rest, form, most).get(&cell.label).copied().unwrap_or(0);
            }
            assert_eq!(counted, expected, "up to {most} bytes: {list:?}");
        }
    }
}
