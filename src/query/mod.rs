//! Questions about single requests: `eval` and `trace`. Both readings of the semantics are asked, and must agree.

mod addresses;
mod arrive;
mod cases;
mod confirm;
mod diff;
mod enter;
mod entrypoint;
mod eval;
mod hop;
mod judge;
mod onward;
mod settle;

pub use cases::{Case, CaseProblem, CaseResult, Expectation, read_cases, run_cases};
pub use confirm::confirm;
pub use diff::{Change, ChangeKind, Culprit, Diff, Fate, Group, Side, Unsettled, diff};
pub use entrypoint::{Entrypoint, find_workload, parse_entrypoint};
pub use eval::{EvalError, Evaluator};
pub use judge::judge;
