//! Files, spans and line tables: whose bytes, which bytes. Knows nothing of YAML.

mod decode;
mod files;
mod spanned;

pub use decode::{Undecodable, decode};
pub use files::{FileId, Files, Position, Span};
pub use spanned::Spanned;
pub(crate) use spanned::{SPANNED_FIELDS, SPANNED_NAME};
