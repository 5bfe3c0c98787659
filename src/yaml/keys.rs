//! Keys and values of a mapping as entries.

use std::collections::HashMap;

use super::build::{Builder, Failure};
use super::node::{Entry, Index, NodeData, Value};
use super::scalar::float_key;
use super::stream::{Problem, ProblemKind};
use crate::text::Span;

impl Builder<'_> {
    /// Keys and values as entries: keys as text, the last of equal ones, merge keys followed where they stand.
    ///
    /// go-yaml writes into the mapping in the order of the keys, so a merge key replaces what was written before it
    /// (`decode.go`, `mapping` and `merge`, v2).
    pub(super) fn mapping(&mut self, children: &[Index]) -> Result<Value, Failure> {
        let mut found = Entries { list: Vec::with_capacity(children.len() / 2), places: HashMap::new() };
        for pair in children.chunks_exact(2) {
            let [key, value] = pair else {
                continue;
            };
            let Some(node) = self.document.node(*key).copied() else {
                continue;
            };
            if self.merge_keys.contains(key) {
                self.merge(node, *value, &mut found)?;
                continue;
            }
            let at = (node.start as usize).saturating_sub(self.base);
            let text = match node.value {
                Value::Null => return Err((at, "a key that is null".to_owned())),
                Value::Sequence(_) | Value::Mapping(_) => return Err((at, "a key that is no scalar".to_owned())),
                Value::Bool(truth) => self.document.keep(if truth { "true" } else { "false" }),
                Value::Int(number) => self.document.keep(&number.to_string()),
                Value::Float(number) => self.document.keep(&float_key(number)),
                Value::String(text) => text,
            };
            let key = self.document.text(text).to_owned();
            let entry = Entry { key: text, key_start: node.start, key_end: node.end, value: *value };
            let span = Span { file: self.file, start: entry.key_start, end: entry.key_end };
            if found.put(&key, entry, true) {
                let message = format!("`{key}` is written twice; the first one is ignored");
                self.problems.push(Problem { kind: ProblemKind::DuplicateKey, span, message });
            }
        }
        Ok(self.document.mapping(&found.list))
    }

    /// Adds the entries of a merged mapping, or of several of which the first counts most.
    fn merge(&mut self, key: NodeData, value: Index, found: &mut Entries) -> Result<(), Failure> {
        let at = (key.start as usize).saturating_sub(self.base);
        let refused = || Err((at, "`<<` merges something that is no mapping".to_owned()));
        let Some(node) = self.document.node(value).copied() else { return refused() };
        let merged: Vec<Index> = match node.value {
            Value::Mapping(_) => vec![value],
            // An alias stands for a node that was written before the key.
            Value::Sequence(_) if node.start >= key.end => {
                self.document.items(node.value).iter().rev().copied().collect()
            }
            Value::Sequence(_) | Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) => {
                return refused();
            }
        };
        for index in merged {
            let Some(Value::Mapping(_)) = self.document.node(index).map(|node| node.value) else { return refused() };
            let entries: Vec<Entry> =
                self.document.node(index).map_or(&[][..], |node| self.document.entries(node.value)).to_vec();
            for entry in entries {
                let name = self.document.text(entry.key).to_owned();
                if found.put(&name, entry, false) {
                    self.problems.push(Problem {
                        kind: ProblemKind::DuplicateKey,
                        span: Span { file: self.file, start: key.start, end: key.end },
                        message: format!("`<<` replaces `{name}`, which is written before it"),
                    });
                }
            }
        }
        Ok(())
    }
}

/// The entries of a mapping that is read.
struct Entries {
    /// In the order of their keys
    list: Vec<Entry>,
    /// Where each key is in the list, and whether it was written there and not merged
    places: HashMap<String, (usize, bool)>,
}

impl Entries {
    /// Adds an entry or replaces the one of its key: whether it replaces one that was written.
    fn put(&mut self, key: &str, entry: Entry, written: bool) -> bool {
        if let Some((place, was_written)) = self.places.get_mut(key) {
            if let Some(earlier) = self.list.get_mut(*place) {
                *earlier = entry;
            }
            return std::mem::replace(was_written, written);
        }
        self.places.insert(key.to_owned(), (self.list.len(), written));
        self.list.push(entry);
        false
    }
}
