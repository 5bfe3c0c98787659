//! Writes YAML: proposes a text, evaluates the world with it, and only then offers it.

mod derive;
mod generate;
mod init;
mod policy;
mod policy_path;
mod row;
mod table_text;
mod vocabulary;

pub use generate::{Generated, generate};
pub use init::{Proposed, init};
