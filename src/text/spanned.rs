//! Values together with the bytes they were read from.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::files::{FileId, Span};

/// A value and where it stands. Compares by value alone.
#[derive(Debug, Clone)]
pub struct Spanned<T> {
    /// The value
    pub value: T,
    /// Where it stands: quotes included, a container from its first to its last child
    pub span: Span,
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

impl<T: PartialOrd> PartialOrd for Spanned<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: Ord> Ord for Spanned<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.value.cmp(&other.value)
    }
}

/// The name by which a deserializer knows that a span is asked for. It then gives a single entry, whose key is one number
/// of file, start and end, 32 bits each, and whose value is the value: for each text of a mesh there is no name to compare,
/// and nothing that might be missing to hand through.
pub(crate) const SPANNED_NAME: &str = "$meshlint::Spanned";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple_struct(SPANNED_NAME, 1, SpannedVisitor(PhantomData))
    }
}

/// Whoever writes the value sees nothing of its place.
impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Reads what stands behind [`SPANNED_NAME`].
struct SpannedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SpannedVisitor<T> {
    type Value = Spanned<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let place: u128 = parts.next_key()?.ok_or_else(|| A::Error::custom("no span"))?;
        let part = |shift: u32| u32::try_from(place >> shift & u128::from(u32::MAX)).unwrap_or_default();
        let span = Span { file: FileId(part(64)), start: part(32), end: part(0) };
        Ok(Spanned { value: parts.next_value()?, span })
    }
}
