//! `eval`: requests in, decisions out.

#![expect(clippy::disallowed_methods, reason = "this layer alone touches files and streams")]

use std::io::Read as _;

use super::args::EvalArgs;
use super::error::Failure;
use super::{input, output};
use crate::query::{EvalError, Evaluator};
use crate::report;
use crate::semantics::{Request, World, WorldOptions};

/// Answers each line; one that is no request makes the run fail after the rest is answered.
pub(super) fn eval(args: &EvalArgs) -> Result<bool, Failure> {
    let input = input::read(&args.input)?;
    let requests = if let Some(path) = &args.requests {
        std::fs::read_to_string(path).map_err(|source| Failure::Unreadable { path: path.clone(), source })?
    } else {
        let mut text = String::new();
        let read = std::io::stdin().lock().read_to_string(&mut text);
        read.map_err(|source| Failure::Unreadable { path: "-".into(), source })?;
        text
    };
    let (world, _) = World::admit(input.loaded.mesh, WorldOptions::from(&input.config));
    let evaluator = Evaluator::new(&world);
    let mut failed = 0;
    let mut lines = String::new();
    for line in requests.lines().filter(|line| !line.trim().is_empty()) {
        let answered = serde_json::from_str::<Request>(line).map_err(|error| {
            let id = serde_json::from_str::<serde_json::Value>(line).ok();
            let id = id.and_then(|value| value.get("id")?.as_str().map(str::to_owned));
            (id, format!("this line is no request: {error}"))
        });
        let answered = answered.and_then(|request| match evaluator.answer(&request) {
            Ok(answer) => Ok(report::answer_line(&input.files, &request, &answer)),
            Err(EvalError::Unanswerable(why)) => Err((request.id, why)),
            Err(EvalError::Disagreement(what)) => {
                Err((request.id, format!("internal error, please report it: the two readings disagree {what}")))
            }
        });
        lines.push_str(&answered.unwrap_or_else(|(id, error)| {
            failed += 1;
            report::error_line(id.as_deref(), &error)
        }));
    }
    output::say(&lines)?;
    if failed > 0 {
        return Err(Failure::Usage(format!("{failed} lines are no requests that can be answered")));
    }
    Ok(true)
}
