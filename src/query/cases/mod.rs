//! Policy unit tests: a file of requests and the answers that are expected of them.

mod expectation;
mod file;
mod run;

pub use expectation::Expectation;
pub use file::{Case, CaseProblem, read_cases};
pub use run::{CaseResult, run_cases};
