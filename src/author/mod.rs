//! Writes YAML: proposes a text, evaluates the world with it, and only then offers it.

mod generate;
mod policy;
mod policy_path;

pub use generate::{Generated, generate};
