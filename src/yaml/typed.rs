//! Typed reading: a `serde::Deserializer` over nodes that knows every place and records the keys nobody read.

#![expect(clippy::wildcard_enum_match_arm, reason = "serde knows more kinds of values than YAML has")]

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::value::{StrDeserializer, U128Deserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer as _, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::choice::ONE_OR_MANY;
use super::node::{Node, NodeKind, Value};
use crate::text::{SPANNED_NAME, Span};

/// A value read from a node, and what was in the node and nobody read.
#[derive(Debug, Clone)]
pub struct Typed<T> {
    /// The value, or what does not fit
    pub value: Result<T, TypeError>,
    /// Keys of structs that the struct does not have
    pub unread: Vec<Unread>,
}

/// A node that does not fit its type.
#[derive(Debug, Clone)]
pub struct TypeError {
    /// The node
    pub span: Span,
    /// The way to it, such as `rules[0].to`
    pub field_path: String,
    /// What was expected and found
    pub message: String,
}

/// A key that the struct around it does not have.
#[derive(Debug, Clone)]
pub struct Unread {
    /// The key
    pub key: String,
    /// Where it stands
    pub key_span: Span,
    /// The way to the mapping it stands in
    pub field_path: String,
    /// The keys that the struct has
    pub known: &'static [&'static str],
}

/// Reads a node as a type.
pub fn from_node<T: DeserializeOwned>(node: Node<'_>) -> Typed<T> {
    let context = Context::default();
    let read = T::deserialize(NodeReader { node, way: &Way::Root, context: &context });
    let value = read.map_err(|Failure(happened)| TypeError {
        span: happened.span.unwrap_or_else(|| node.span()),
        field_path: happened.path.unwrap_or_default(),
        message: happened.message,
    });
    Typed { value, unread: context.unread.into_inner() }
}

/// What one reading shares.
#[derive(Default)]
struct Context {
    /// Keys nobody read
    unread: RefCell<Vec<Unread>>,
    /// Whether the value read last was one that nobody wants
    ignored: Cell<bool>,
}

/// The way to a node, innermost step first. Made into text only where somebody asks for it.
enum Way<'w> {
    /// Where the reading began
    Root,
    /// To the value of a key
    Key(&'w Self, &'w str),
    /// To an item
    Item(&'w Self, usize),
}

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Self::Root, key) => f.write_str(key),
            Self::Key(way, key) => write!(f, "{way}.{key}"),
            Self::Item(way, index) => write!(f, "{way}[{index}]"),
        }
    }
}

/// An error on its way out, before it knows its place. In a box: values that are read pass through many hands, errors
/// hardly ever.
#[derive(Debug)]
struct Failure(Box<Happened>);

/// What went wrong.
#[derive(Debug)]
struct Happened {
    /// What does not fit
    message: String,
    /// The innermost node that it happened in
    span: Option<Span>,
    /// The way to that node
    path: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// Keeps the innermost place.
    fn at(mut self, reader: NodeReader<'_, '_>) -> Self {
        self.0.span.get_or_insert_with(|| reader.node.span());
        self.0.path.get_or_insert_with(|| reader.way.to_string());
        self
    }
}

impl serde::de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new(Happened { message: message.to_string(), span: None, path: None }))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        let found = match found {
            Unexpected::Bool(truth) => format!("the boolean `{truth}`"),
            Unexpected::Signed(number) => format!("the number `{number}`"),
            Unexpected::Unsigned(number) => format!("the number `{number}`"),
            Unexpected::Float(number) => format!("the number `{number}`"),
            Unexpected::Str(text) => format!("the string `{text}`"),
            Unexpected::Unit => "nothing".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a mapping".to_owned(),
            other => other.to_string(),
        };
        Self::custom(format!("must be {}, not {found}", expected_words(expected)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let known: Vec<String> = expected.iter().map(|word| format!("`{word}`")).collect();
        Self::custom(format!("must be one of {}, not `{variant}`", known.join(", ")))
    }
}

/// What a visitor expects, in the words of YAML.
fn expected_words(expected: &dyn serde::de::Expected) -> String {
    let words = expected.to_string();
    if words.starts_with("struct ") || words == "a map" {
        return "a mapping".to_owned();
    }
    match words.as_str() {
        "a sequence" => "a list".to_owned(),
        "i64" | "u32" | "u16" | "f64" => "a number".to_owned(),
        _ => words,
    }
}

/// Reads one node.
#[derive(Clone, Copy)]
struct NodeReader<'d, 'c> {
    /// The node
    node: Node<'d>,
    /// The way to it
    way: &'c Way<'c>,
    /// What the reading shares
    context: &'c Context,
}

impl<'de> NodeReader<'_, '_> {
    /// Hands the node to a visitor as what it is.
    fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.node.value() {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(truth),
            Value::Int(number) => visitor.visit_i64(number),
            Value::Float(number) => visitor.visit_f64(number),
            Value::String(_) => visitor.visit_str(self.node.as_str().unwrap_or_default()),
            Value::Sequence(_) => visitor.visit_seq(Items { reader: self, rest: self.node.items(), index: 0 }),
            Value::Mapping(_) => {
                visitor.visit_map(Entries { reader: self, rest: self.node.entries(), pending: None, known: None })
            }
        }
        .map_err(|failure: Failure| failure.at(self))
    }
}

impl<'de> Deserializer<'de> for NodeReader<'_, '_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.visit(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        // Most values are texts.
        match self.node.as_str() {
            Some(text) => visitor.visit_str(text).map_err(|failure: Failure| failure.at(self)),
            None => self.visit(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.node.kind() == NodeKind::Null {
            return visitor.visit_none();
        }
        let value = visitor.visit_some(self);
        // A field may be there only for somebody to know that it is written.
        self.context.ignored.set(false);
        value
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        match (name, self.node.kind()) {
            (ONE_OR_MANY, NodeKind::Sequence) => self.visit(visitor),
            (ONE_OR_MANY, _) => visitor.visit_seq(One { reader: Some(self) }),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        if name == SPANNED_NAME { visitor.visit_map(Place::of(self.node.span(), self)) } else { self.visit(visitor) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        if self.node.kind() != NodeKind::Mapping {
            return self.visit(visitor);
        }
        visitor
            .visit_map(Entries { reader: self, rest: self.node.entries(), pending: None, known: Some(fields) })
            .map_err(|failure: Failure| failure.at(self))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let result = match self.node.as_str() {
            Some(text) => visitor.visit_enum(Variant(text)),
            None => self.visit(visitor),
        };
        result.map_err(|failure| failure.at(self))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.context.ignored.set(true);
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple map
        identifier
    }
}

/// Items of a sequence.
struct Items<'d, 'c, I> {
    /// The sequence
    reader: NodeReader<'d, 'c>,
    /// What is left
    rest: I,
    /// Index of the next one
    index: usize,
}

impl<'de, 'd, I: Iterator<Item = Node<'d>>> SeqAccess<'de> for Items<'d, '_, I> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let Some(node) = self.rest.next() else {
            return Ok(None);
        };
        let NodeReader { way, context, .. } = self.reader;
        let way = &Way::Item(way, self.index);
        self.index += 1;
        seed.deserialize(NodeReader { node, way, context }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.rest.size_hint().1
    }
}

/// A value that stands for a list of one.
struct One<'d, 'c> {
    /// The value, until it is read
    reader: Option<NodeReader<'d, 'c>>,
}

impl<'de> SeqAccess<'de> for One<'_, '_> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        self.reader.take().map(|reader| seed.deserialize(reader)).transpose()
    }
}

/// Entries of a mapping.
struct Entries<'d, 'c, I> {
    /// The mapping
    reader: NodeReader<'d, 'c>,
    /// What is left
    rest: I,
    /// Key, its place and its value, whose key was given last
    pending: Option<(&'d str, Span, Node<'d>)>,
    /// The fields, where a struct is read
    known: Option<&'static [&'static str]>,
}

impl<'de, 'd, I: Iterator<Item = (&'d str, Span, Node<'d>)>> MapAccess<'de> for Entries<'d, '_, I> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        while let Some((key, key_span, node)) = self.rest.next() {
            // Kubernetes drops fields that are null.
            if let Some(known) = self.known
                && node.kind() == NodeKind::Null
            {
                if !known.contains(&key) {
                    self.unread(key, key_span, known);
                }
                continue;
            }
            self.pending = Some((key, key_span, node));
            return seed.deserialize(KeyReader { key, span: key_span }).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let Some((key, key_span, node)) = self.pending.take() else {
            return Err(Failure::custom("a value without a key"));
        };
        let NodeReader { way, context, .. } = self.reader;
        let value = seed.deserialize(NodeReader { node, way: &Way::Key(way, key), context });
        // What reads a struct ignores the values of keys that the struct does not have.
        if context.ignored.take()
            && let Some(known) = self.known
        {
            self.unread(key, key_span, known);
        }
        value
    }

    fn size_hint(&self) -> Option<usize> {
        self.rest.size_hint().1
    }
}

impl<I> Entries<'_, '_, I> {
    /// Notes a key that the struct does not have.
    fn unread(&self, key: &str, key_span: Span, known: &'static [&'static str]) {
        let unread = Unread { key: key.to_owned(), key_span, field_path: self.reader.way.to_string(), known };
        self.reader.context.unread.borrow_mut().push(unread);
    }
}

/// Reads a key.
struct KeyReader<'d> {
    /// The key
    key: &'d str,
    /// Where it stands
    span: Span,
}

impl<'de> Deserializer<'de> for KeyReader<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_str(self.key)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        if name == SPANNED_NAME { visitor.visit_map(Place::of(self.span, self)) } else { visitor.visit_str(self.key) }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple map struct enum identifier ignored_any
    }
}

/// A value by its span, as [`crate::text::Spanned`] asks for it.
struct Place<D> {
    /// The span, until it is read
    span: Option<Span>,
    /// The value, until it is read
    value: Option<D>,
}

impl<D> Place<D> {
    /// A value and its place.
    fn of(span: Span, value: D) -> Self {
        Self { span: Some(span), value: Some(value) }
    }
}

impl<'de, D: Deserializer<'de, Error = Failure>> MapAccess<'de> for Place<D> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let Some(Span { file, start, end }) = self.span.take() else { return Ok(None) };
        let place = u128::from(file.0) << 64 | u128::from(start) << 32 | u128::from(end);
        let place: U128Deserializer<Failure> = place.into_deserializer();
        seed.deserialize(place).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        match self.value.take() {
            Some(value) => seed.deserialize(value),
            None => Err(Failure::custom("a value that is read twice")),
        }
    }
}

/// A unit variant by its name.
struct Variant<'d>(&'d str);

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Failure;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Failure> {
        let name: StrDeserializer<'_, Failure> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Failure> {
        Err(Failure::custom("a variant with a value"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Failure> {
        Err(Failure::custom("a variant with values"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Failure> {
        Err(Failure::custom("a variant with fields"))
    }
}
