//! The rows of the authorization semantics, each a test of its name.

mod rows;

/// The groups of rows of the specification, with how many there are of each.
const SPECIFIED: &[(&str, usize)] =
    &[("S", 28), ("A", 25), ("R", 11), ("H", 38), ("O", 13), ("I", 40), ("M", 19), ("J", 25), ("X", 20), ("T", 25)];

fn main() {
    let specified: Vec<String> = SPECIFIED
        .iter()
        .flat_map(|(group, count)| (1..=*count).map(move |number| format!("{group}{number}")))
        .collect();
    rows::run(rows::read("authorization.txt"), &specified);
}
