//! The tree of one document.

#![expect(clippy::wildcard_enum_match_arm, reason = "what is no container has no children")]

use crate::text::{FileId, Span};

/// Index of a node in its document.
pub(super) type Index = u32;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants say it")]
pub enum NodeKind {
    Null,
    Bool,
    Int,
    Float,
    String,
    Sequence,
    Mapping,
}

/// The value of a node.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nothing
    Null,
    /// A truth value
    Bool(bool),
    /// A whole number
    Int(i64),
    /// Any other number
    Float(f64),
    /// Text: quoted, block, tagged, or plain and nothing else
    String,
    /// Items
    Sequence(Vec<Index>),
    /// Keys as text with their places, and values; each key once
    Mapping(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The key as text
    pub(super) key: Box<str>,
    /// Where it stands
    pub(super) key_start: u32,
    /// Behind it
    pub(super) key_end: u32,
    /// Its value
    pub(super) value: Index,
}

/// One node.
#[derive(Debug, Clone)]
pub(super) struct NodeData {
    /// First byte
    pub(super) start: u32,
    /// Behind the last byte
    pub(super) end: u32,
    /// The text of a scalar as read
    pub(super) text: String,
    /// What it is
    pub(super) value: Value,
}

/// A document: its nodes and which of them is the root.
#[derive(Debug, Clone)]
pub struct Document {
    /// The file it stands in
    pub(super) file: FileId,
    /// All nodes
    pub(super) nodes: Vec<NodeData>,
    /// The root
    pub(super) root: Index,
}

/// A view of one node.
#[derive(Debug, Clone, Copy)]
pub struct Node<'d> {
    /// The document it belongs to
    pub(super) document: &'d Document,
    /// Which node
    pub(super) index: Index,
}

impl Document {
    /// The root node.
    pub fn root(&self) -> Node<'_> {
        Node { document: self, index: self.root }
    }
}

/// What an index of another document would be: nothing.
static NOTHING: NodeData = NodeData { start: 0, end: 0, text: String::new(), value: Value::Null };

impl<'d> Node<'d> {
    /// The node's own part.
    pub(super) fn data(self) -> &'d NodeData {
        self.document.nodes.get(self.index as usize).unwrap_or(&NOTHING)
    }

    /// Another node of the same document.
    fn at(self, index: Index) -> Self {
        Node { document: self.document, index }
    }

    /// What it is.
    pub fn kind(self) -> NodeKind {
        match self.data().value {
            Value::Null => NodeKind::Null,
            Value::Bool(_) => NodeKind::Bool,
            Value::Int(_) => NodeKind::Int,
            Value::Float(_) => NodeKind::Float,
            Value::String => NodeKind::String,
            Value::Sequence(_) => NodeKind::Sequence,
            Value::Mapping(_) => NodeKind::Mapping,
        }
    }

    /// Its bytes: quotes included; a container from its first to its last child.
    pub fn span(self) -> Span {
        let data = self.data();
        Span { file: self.document.file, start: data.start, end: data.end }
    }

    /// The value of a key.
    pub fn get(self, key: &str) -> Option<Self> {
        self.entries().find(|(known, ..)| *known == key).map(|(_, _, node)| node)
    }

    /// The node at the end of a way of keys.
    pub fn pointer(self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Keys, their places and their values.
    pub fn entries(self) -> impl Iterator<Item = (&'d str, Span, Self)> {
        let entries = match &self.data().value {
            Value::Mapping(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(move |entry| {
            let span = Span { file: self.document.file, start: entry.key_start, end: entry.key_end };
            (&*entry.key, span, self.at(entry.value))
        })
    }

    /// Items of a sequence.
    pub fn items(self) -> impl Iterator<Item = Self> {
        let items = match &self.data().value {
            Value::Sequence(items) => items.as_slice(),
            _ => &[],
        };
        items.iter().map(move |index| self.at(*index))
    }

    /// The text of a string.
    pub fn as_str(self) -> Option<&'d str> {
        matches!(self.data().value, Value::String).then(|| self.data().text.as_str())
    }

    /// Whether both are the same data, whatever the order of keys.
    pub fn equals(self, other: Node<'_>) -> bool {
        match (&self.data().value, &other.data().value) {
            (Value::String, Value::String) => self.data().text == other.data().text,
            (Value::Sequence(a), Value::Sequence(b)) => {
                a.len() == b.len() && self.items().zip(other.items()).all(|(a, b)| a.equals(b))
            }
            (Value::Mapping(a), Value::Mapping(b)) => {
                a.len() == b.len()
                    && self.entries().all(|(key, _, value)| other.get(key).is_some_and(|other| value.equals(other)))
            }
            (a, b) => a == b,
        }
    }
}
