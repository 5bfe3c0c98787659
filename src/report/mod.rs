//! From findings, answers and rows to what people and programs read. The only user of miette.

mod concise;
mod diff;
mod explain;
mod json;
mod quote;
mod request;
mod rows;
mod source;
mod summary;
mod text;

pub use concise::concise;
pub use diff::{diff_json, diff_markdown, diff_summary, diff_text};
pub use explain::{explain, list_rules};
pub use json::{answer_line, error_line, findings_json};
pub use request::{configuration_problems, trace};
pub use rows::matrix_table;
pub use summary::summary;
pub use text::{Look, text};
