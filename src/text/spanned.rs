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

/// The struct name by which a deserializer knows that a span is asked for.
pub(crate) const SPANNED_NAME: &str = "$meshlint::Spanned";
/// The fields that such a deserializer then gives, in this order.
pub(crate) const SPANNED_FIELDS: &[&str] = &["$file", "$start", "$end", "$value"];

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct(SPANNED_NAME, SPANNED_FIELDS, SpannedVisitor(PhantomData))
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

/// Reads the fields of [`SPANNED_FIELDS`].
struct SpannedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SpannedVisitor<T> {
    type Value = Spanned<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut number = || -> Result<u32, A::Error> {
            let entry: Option<(String, u32)> = map.next_entry()?;
            entry.map(|(_, number)| number).ok_or_else(|| A::Error::custom("no span"))
        };
        let (file, start, end) = (number()?, number()?, number()?);
        let (_, value): (String, T) = map.next_entry()?.ok_or_else(|| A::Error::custom("no value"))?;
        Ok(Spanned { value, span: Span { file: FileId(file), start, end } })
    }
}
