//! The two readings of the semantics agree: on generated worlds and requests, `eval` never finds them apart.

use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::query::{EvalError, Evaluator};
use meshlint::semantics::{Decision, World, WorldOptions};
use meshlint::text::Files;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

mod changes;
mod pairs;
mod policies;
mod requests;
mod routes;
mod words;
mod world;

use requests::request;
use world::world;

/// The world of a text, and whatever is wrong with it.
fn admitted(text: &str) -> (World, Vec<String>) {
    let mut files = Files::default();
    let file = files.add("world.yaml", text.to_owned());
    let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
    let options = WorldOptions { assume_injected: true, ..WorldOptions::default() };
    let (world, refused) = World::admit(loaded.mesh, options);
    let problems = loaded.problems.iter().chain(&refused);
    (world, problems.map(|problem| problem.message.clone()).collect())
}

/// The property is worth something only if worlds and requests meet.
#[test]
fn generated_requests_end_in_every_way() {
    let mut runner = TestRunner::deterministic();
    let mut counts = [0_usize; 3];
    for _ in 0..100 {
        let drawn = (world(), prop::collection::vec(request(), 20)).new_tree(&mut runner).expect("it can be drawn");
        let (text, requests) = drawn.current();
        let (world, _) = admitted(&text);
        let evaluator = Evaluator::new(&world);
        for answer in requests.iter().filter_map(|request| evaluator.answer(request).ok()) {
            counts[match answer.outcome.decision {
                Decision::Allowed => 0,
                Decision::Denied => 1,
                Decision::Undetermined => 2,
            }] += 1;
        }
    }
    assert!(counts.iter().all(|count| *count > 150), "allowed, denied, undetermined: {counts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Step by step, rule by rule and through the partition the answer is the same.
    #[test]
    fn both_readings_agree_on_every_world(text in world(), requests in prop::collection::vec(request(), 30)) {
        let (world, problems) = admitted(&text);
        prop_assert!(problems.is_empty(), "{:?}\n{}", problems, text);
        let evaluator = Evaluator::new(&world);
        for request in requests {
            if let Err(EvalError::Disagreement(what)) = evaluator.answer(&request) {
                prop_assert!(false, "{}\n{}\n{}", what, serde_json::to_string(&request).expect("JSON"), text);
            }
        }
    }
}
