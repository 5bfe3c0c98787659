//! Writes YAML: proposes a text, evaluates the world with it, and only then offers it.

mod derive;
mod fix;
mod generate;
mod init;
mod policy;
mod policy_path;
mod proof;
mod row;
mod table_text;
mod vocabulary;

pub use fix::{Kept, Left, Load, Mended, Worlds, mend, with_proven};
pub use generate::{Generated, generate};
pub use init::{Proposed, init};
