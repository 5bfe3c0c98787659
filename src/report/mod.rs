//! From findings, answers and rows to what people and programs read. The only user of miette.

mod concise;
mod curl;
mod diff;
mod explain;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod quote;
mod request;
mod rows;
mod sarif;
mod secret;
mod shown;
mod source;
mod summary;
mod text;
mod uri;
mod words;

pub use concise::concise;
pub use diff::{diff_json, diff_markdown, diff_summary, diff_text};
pub use explain::{explain, list_rules};
pub use github::github;
pub use gitlab::gitlab;
pub use json::{answer_line, error_line, findings_json};
pub use junit::junit;
pub use markdown::markdown;
pub use request::{configuration_problems, trace};
pub use rows::matrix_table;
pub use sarif::sarif;
pub use summary::summary;
pub use text::{Look, text};
