//! Files, spans and line tables: whose bytes, which bytes. Knows nothing of YAML.

mod decode;
mod files;
mod replacement;
mod spanned;

pub use decode::{Undecodable, decode, is_utf16};
pub use files::{FileId, Files, Position, Span};
pub use replacement::{Replacement, moved};
pub(crate) use spanned::SPANNED_NAME;
pub use spanned::Spanned;
