//! The tree of one document, and how it is built up.

#![expect(clippy::wildcard_enum_match_arm, reason = "what is no container has no children")]

use std::ops::Range;

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

/// Text of a document: mostly it stands in the file as it is read, and is not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// These bytes of the file
    Written(u32, u32),
    /// These bytes of the document's own pool: escapes, folded lines, keys that are no strings
    Pooled(u32, u32),
}

/// A part of one of a document's lists of children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Children {
    /// Place of the first one
    pub(super) first: u32,
    /// Behind the last one
    pub(super) end: u32,
}

impl Children {
    /// The children in the list.
    fn of<T>(self, list: &[T]) -> &[T] {
        list.get(self.first as usize..self.end as usize).unwrap_or_default()
    }
}

/// The value of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    String(Text),
    /// Items, among the document's items
    Sequence(Children),
    /// Keys as text with their places, and values, among the document's entries; each key once
    Mapping(Children),
}

/// A key and its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// The key as text
    pub(super) key: Text,
    /// Where it stands
    pub(super) key_start: u32,
    /// Behind it
    pub(super) key_end: u32,
    /// Its value
    pub(super) value: Index,
}

/// One node.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeData {
    /// First byte
    pub(super) start: u32,
    /// Behind the last byte
    pub(super) end: u32,
    /// What it is
    pub(super) value: Value,
}

/// A document: its nodes and which of them is the root.
#[derive(Debug, Clone)]
pub struct Document<'t> {
    /// The file it stands in
    pub(super) file: FileId,
    /// The text of the whole file
    pub(super) text: &'t str,
    /// Texts that do not stand in the file as they are read
    pub(super) pool: String,
    /// All nodes
    pub(super) nodes: Vec<NodeData>,
    /// Items of sequences, those of one in a row
    pub(super) items: Vec<Index>,
    /// Entries of mappings, those of one in a row
    pub(super) entries: Vec<Entry>,
    /// The root
    pub(super) root: Index,
    /// Known to hold nothing odd, as [`Node::is_in_plain_document`] has it
    pub(super) plain: bool,
}

/// Which node of its document one is, for when no view of it can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeId(Index);

/// A view of one node.
#[derive(Debug, Clone, Copy)]
pub struct Node<'d> {
    /// The document it belongs to
    document: &'d Document<'d>,
    /// Which node
    index: Index,
}

/// A byte offset as spans have it. Texts beyond 4 GiB are cut there.
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl<'t> Document<'t> {
    /// A document without nodes.
    pub(super) fn new(file: FileId, text: &'t str) -> Self {
        let (nodes, items, entries) = (Vec::new(), Vec::new(), Vec::new());
        Self { file, text, pool: String::new(), nodes, items, entries, root: 0, plain: false }
    }

    /// The root node.
    pub fn root(&self) -> Node<'_> {
        Node { document: self, index: self.root }
    }

    /// The node of this document that an id was taken of.
    pub fn node_of(&self, id: NodeId) -> Node<'_> {
        Node { document: self, index: id.0 }
    }

    /// The text behind a reference to it.
    pub(super) fn text(&self, text: Text) -> &str {
        let (whole, range) = self.place(text);
        whole.get(range).unwrap_or_default()
    }

    /// The bytes of the text behind a reference to it: enough to compare it, and nobody looks for its characters.
    pub(super) fn bytes(&self, text: Text) -> &[u8] {
        let (whole, range) = self.place(text);
        whole.as_bytes().get(range).unwrap_or_default()
    }

    /// Where a text stands.
    fn place(&self, text: Text) -> (&str, Range<usize>) {
        match text {
            Text::Written(start, end) => (self.text, start as usize..end as usize),
            Text::Pooled(start, end) => (&self.pool, start as usize..end as usize),
        }
    }

    /// Keeps a text that does not stand in the file.
    pub(super) fn keep(&mut self, text: &str) -> Text {
        let start = offset(self.pool.len());
        self.pool.push_str(text);
        Text::Pooled(start, offset(self.pool.len()))
    }

    /// Adds a node.
    pub(super) fn push(&mut self, start: u32, end: u32, value: Value) -> Index {
        self.nodes.push(NodeData { start, end, value });
        offset(self.nodes.len() - 1)
    }

    /// Adds the items of a sequence.
    pub(super) fn sequence(&mut self, items: &[Index]) -> Value {
        let first = offset(self.items.len());
        self.items.extend_from_slice(items);
        Value::Sequence(Children { first, end: offset(self.items.len()) })
    }

    /// Adds the entries of a mapping, no key twice.
    pub(super) fn mapping(&mut self, entries: &[Entry]) -> Value {
        let first = offset(self.entries.len());
        self.entries.extend_from_slice(entries);
        Value::Mapping(Children { first, end: offset(self.entries.len()) })
    }

    /// A node, if there is one of that index.
    pub(super) fn node(&self, index: Index) -> Option<&NodeData> {
        self.nodes.get(index as usize)
    }

    /// The entries of a node.
    pub(super) fn entries(&self, value: Value) -> &[Entry] {
        match value {
            Value::Mapping(children) => children.of(&self.entries),
            _ => &[],
        }
    }

    /// The items of a node.
    pub(super) fn items(&self, value: Value) -> &[Index] {
        match value {
            Value::Sequence(children) => children.of(&self.items),
            _ => &[],
        }
    }
}

/// What an index of another document would be: nothing.
static NOTHING: NodeData = NodeData { start: 0, end: 0, value: Value::Null };

impl<'d> Node<'d> {
    /// The node's own part.
    fn data(self) -> &'d NodeData {
        self.document.node(self.index).unwrap_or(&NOTHING)
    }

    /// Which one it is.
    pub fn id(self) -> NodeId {
        NodeId(self.index)
    }

    /// What it holds.
    pub(super) fn value(self) -> Value {
        self.data().value
    }

    /// Another node of the same document.
    fn at(self, index: Index) -> Self {
        Node { document: self.document, index }
    }

    /// Whether no scalar of the document holds a `{`, `$` or `<`, and none reads otherwise than it looks, as `0644` does
    /// or `on` as a key. `false` where that is not known.
    pub fn is_in_plain_document(self) -> bool {
        self.document.plain
    }

    /// What it is.
    pub fn kind(self) -> NodeKind {
        match self.value() {
            Value::Null => NodeKind::Null,
            Value::Bool(_) => NodeKind::Bool,
            Value::Int(_) => NodeKind::Int,
            Value::Float(_) => NodeKind::Float,
            Value::String(_) => NodeKind::String,
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
        let entries = self.document.entries(self.value()).iter();
        let mut named = entries.filter(|entry| self.document.bytes(entry.key) == key.as_bytes());
        named.next().map(|entry| self.at(entry.value))
    }

    /// The node at the end of a way of keys.
    pub fn pointer(self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Keys, their places and their values.
    pub fn entries(self) -> impl DoubleEndedIterator<Item = (&'d str, Span, Self)> + ExactSizeIterator {
        self.document.entries(self.value()).iter().map(move |entry| {
            let span = Span { file: self.document.file, start: entry.key_start, end: entry.key_end };
            (self.document.text(entry.key), span, self.at(entry.value))
        })
    }

    /// Items of a sequence.
    pub fn items(self) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        self.document.items(self.value()).iter().map(move |index| self.at(*index))
    }

    /// The text of a string.
    pub fn as_str(self) -> Option<&'d str> {
        match self.value() {
            Value::String(text) => Some(self.document.text(text)),
            _ => None,
        }
    }

    /// Whether both are the same data, whatever the order of keys.
    pub fn equals(self, other: Node<'_>) -> bool {
        match (self.value(), other.value()) {
            (Value::String(_), Value::String(_)) => self.as_str() == other.as_str(),
            (Value::Sequence(_), Value::Sequence(_)) => {
                self.items().len() == other.items().len() && self.items().zip(other.items()).all(|(a, b)| a.equals(b))
            }
            (Value::Mapping(_), Value::Mapping(_)) => {
                self.entries().len() == other.entries().len()
                    && self.entries().all(|(key, _, value)| other.get(key).is_some_and(|other| value.equals(other)))
            }
            (a, b) => a == b,
        }
    }
}
