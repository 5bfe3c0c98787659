//! Files, spans and line tables: whose bytes, which bytes. Knows nothing of YAML.

mod decode;
mod files;
mod replacement;
mod spanned;

pub use decode::{Undecodable, decode, is_utf16};
pub use files::{FileId, Files, Position, Span};
pub use replacement::{Replacement, moved};
pub use spanned::Spanned;
pub(crate) use spanned::{SPANNED_FIELDS, SPANNED_NAME};
