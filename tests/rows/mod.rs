//! The language of the tables of rows: what is in force, one request, and what happens to it.

#![expect(clippy::disallowed_methods, reason = "tests read their fixtures")]

use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::query::Evaluator;
use meshlint::semantics::{Answer, By, Decision, Proxy, World, WorldOptions, attached_policies};
use meshlint::text::Files;

mod export;
mod request;
mod world;

use request::Question;

/// A row: its id, and its test or the reason why nobody can ask it.
pub(crate) struct Row {
    /// As in the specification; a letter behind it tells variants apart
    pub(crate) id: String,
    /// The reason, for rows that are only listed
    pub(crate) unasked: Option<String>,
    /// What is in force, the request, and what happens
    cells: [String; 3],
}

impl Row {
    /// The id without the letter of a variant.
    pub(crate) fn specified(&self) -> &str {
        if self.id.contains('-') { &self.id } else { self.id.trim_end_matches(|last: char| last.is_ascii_lowercase()) }
    }
}

/// The rows of a table in `fixtures/semantics`.
pub(crate) fn read(name: &str) -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/semantics").join(name);
    let table = fs::read_to_string(path).expect("the table is there");
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    rows.map(|row| {
        let cells: Vec<String> = row.split(" | ").map(|cell| cell.trim().to_owned()).collect();
        match cells.as_slice() {
            [id, reason] => {
                let id = id.strip_prefix("- ").unwrap_or_else(|| panic!("four cells, or `- ID | reason`: {row}"));
                Row { id: id.to_owned(), unasked: Some(reason.clone()), cells: <[String; 3]>::default() }
            }
            [id, force, request, verdict] => {
                Row { id: id.clone(), unasked: None, cells: [force.clone(), request.clone(), verdict.clone()] }
            }
            _ => panic!("four cells, or `- ID | reason`: {row}"),
        }
    })
    .collect()
}

/// Runs every row that can be asked under its own name, and the test that all ids are there.
pub(crate) fn run(rows: Vec<Row>, specified: &[String]) {
    let missing: Vec<&String> =
        specified.iter().filter(|id| !rows.iter().any(|row| row.specified() == id.as_str())).collect();
    let unknown: Vec<&str> = rows.iter().map(Row::specified).filter(|id| !specified.iter().any(|s| s == id)).collect();
    let complete = if missing.is_empty() && unknown.is_empty() {
        Ok(())
    } else {
        Err(format!("neither asked nor listed: {missing:?}; unknown: {unknown:?}"))
    };
    let mut trials = vec![Trial::test("every_row_is_asked_or_listed", move || complete.map_err(Failed::from))];
    for row in rows.into_iter().filter(|row| row.unasked.is_none()) {
        let [force, request, verdict] = row.cells;
        let id = row.id.clone();
        trials.push(Trial::test(row.id, move || check(&id, &force, &request, &verdict)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Asks one row.
fn check(id: &str, force: &str, words: &str, verdict: &str) -> Result<(), Failed> {
    let text = world::world(force);
    let mut files = Files::default();
    let file = files.add("world.yaml", text.clone());
    let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
    if let Some(problem) = loaded.problems.first() {
        return Err(format!("{}\n{text}", problem.message).into());
    }
    let options = WorldOptions {
        world: world::setting(force),
        assume_injected: true,
        trusted: world::trusted(force),
        gateways: world::gateways(force),
        ingress: world::ingress(force),
        ..WorldOptions::default()
    };
    let (world, _) = World::admit(loaded.mesh, options);
    let found = match request::question(words) {
        Question::Attached { namespace, labels } => {
            let attached = attached_policies(&world.mesh, Proxy { namespace: &namespace, labels: &labels });
            let policies = [attached.custom, attached.deny, attached.allow, attached.idle].concat();
            vec![if policies.is_empty() { "none" } else { "attached" }.to_owned()]
        }
        Question::Gateways => gateways(&world),
        Question::Request(request) => {
            export::export(id, &text, &request);
            let answer = Evaluator::new(&world).answer(&request).map_err(|error| format!("{error:?}\n{text}"))?;
            words_of(&answer)
        }
    };
    // Every word of the row must be among those of the answer; the row may say less.
    let said = verdict.split_whitespace().all(|word| found.iter().any(|known| known == word));
    if said { Ok(()) } else { Err(format!("{} instead of {verdict}\n{text}", found.join(" ")).into()) }
}

/// How many workloads serve Gateways and how many identities are the ingress, each of them, and whether they are assumed.
fn gateways(world: &World) -> Vec<String> {
    let serving = &world.gateway_workloads;
    let counts = [format!("{}-serving", serving.len()), format!("{}-ingress", world.ingress.len())];
    let identities = serving.iter().flat_map(|gateway| gateway.identities.clone());
    let ingress = world.ingress.iter().map(|identity| format!("ingress={identity}"));
    let assumed = world.assumptions.iter().any(|assumption| assumption.kind == "gateway-identity");
    let origin = if assumed { "assumed" } else { "known" }.to_owned();
    counts.into_iter().chain(identities).chain(ingress).chain([origin]).collect()
}

/// An answer in the words of the tables.
fn words_of(answer: &Answer) -> Vec<String> {
    let outcome = &answer.outcome;
    let mut words: Vec<&str> = match (outcome.decision, outcome.by) {
        (Decision::Allowed, _) => vec!["allow"],
        (Decision::Denied, by) => match by {
            Some(By::Policy) if outcome.policy.is_some() => vec!["denied", "deny", "rule"],
            Some(By::Policy) => vec!["denied", "deny", "none"],
            Some(By::Closed) => vec!["denied", "closed"],
            Some(By::Jwt) => vec!["denied", "401"],
            Some(By::BadRequest) => vec!["denied", "400"],
            Some(By::NoRoute) => vec!["denied", "404"],
            Some(By::NoListener) => vec!["denied", "no-listener"],
            _ => vec!["denied"],
        },
        (Decision::Undetermined, _) => vec!["undetermined"],
    };
    if let Some(cause) = &outcome.cause {
        words.push(cause.kind.id());
    }
    let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    words.extend(outcome.path.clone());
    // The fields that do not hold, as the trace names them.
    let said = answer.trace.iter().flat_map(|step| step.what.split(' '));
    words.extend(said.filter(|word| word.starts_with('`')).map(str::to_owned));
    words.extend(outcome.at.as_ref().and_then(|at| at.split(' ').next()).map(|place| format!("@{place}")));
    words
}
