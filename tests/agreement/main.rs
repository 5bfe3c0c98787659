//! The two readings of the semantics agree: on generated worlds and requests, `eval` never finds them apart.

use meshlint::model::{InputFile, LoadOptions, load};
use meshlint::query::{EvalError, Evaluator};
use meshlint::semantics::{World, WorldOptions};
use meshlint::text::Files;
use proptest::prelude::*;

mod policies;
mod requests;
mod routes;
mod words;
mod world;

use requests::request;
use world::world;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Step by step, rule by rule and through the partition the answer is the same.
    #[test]
    fn both_readings_agree_on_every_world(text in world(), requests in prop::collection::vec(request(), 30)) {
        let mut files = Files::default();
        let file = files.add("world.yaml", text.clone());
        let loaded = load(&files, &[InputFile { file, context: false }], &LoadOptions::default());
        prop_assert!(loaded.problems.is_empty(), "{:?}\n{}", loaded.problems, text);
        let options = WorldOptions { assume_injected: true, ..WorldOptions::default() };
        let (world, _) = World::admit(loaded.mesh, options);
        let evaluator = Evaluator::new(&world);
        for request in requests {
            if let Err(EvalError::Disagreement(what)) = evaluator.answer(&request) {
                prop_assert!(false, "{}\n{}\n{}", what, serde_json::to_string(&request).expect("JSON"), text);
            }
        }
    }
}
