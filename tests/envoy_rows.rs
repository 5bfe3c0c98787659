//! The observed rows about policies and paths, each a test of its name.

mod rows;

/// The rows of the table of observations that are asked here: first and last of each run. The others are about routes, or
/// about runtime features that no proxy of the mesh switches.
const SPECIFIED: &[(usize, usize)] =
    &[(1, 128), (193, 196), (201, 332), (459, 466), (482, 483), (512, 564), (584, 630), (695, 699), (701, 835)];

fn main() {
    let numbers = SPECIFIED.iter().flat_map(|(first, last)| *first..=*last);
    let specified: Vec<String> = numbers.map(|number| format!("E{number}")).collect();
    rows::run(rows::read("envoy.txt"), &specified);
}
