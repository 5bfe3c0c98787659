//! Keys and values of a mapping as entries.

use std::collections::HashMap;

use super::build::{Builder, Failure};
use super::node::{Entry, Index, Text, Value};
use super::stream::{Problem, ProblemKind};
use crate::text::Span;

impl Builder<'_> {
    /// Keys and values as entries: keys as text, the last of equal ones, merge keys followed.
    pub(super) fn mapping(&mut self, children: &[Index]) -> Result<Value, Failure> {
        let mut entries: Vec<Entry> = Vec::with_capacity(children.len() / 2);
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut merged: Vec<Index> = Vec::new();
        for pair in children.chunks_exact(2) {
            let [key, value] = pair else {
                continue;
            };
            let Some(node) = self.document.node(*key).copied() else {
                continue;
            };
            let at = (node.start as usize).saturating_sub(self.base);
            let text = match node.value {
                Value::Null => return Err((at, "a key that is null".to_owned())),
                Value::Sequence(_) | Value::Mapping(_) => return Err((at, "a key that is no scalar".to_owned())),
                Value::Bool(truth) => self.document.keep(if truth { "true" } else { "false" }),
                Value::Int(number) => self.document.keep(&number.to_string()),
                Value::Float(_) => Text::Written(node.start, node.end),
                Value::String(text) => text,
            };
            let key = self.document.text(text).to_owned();
            let quoted = self.body.get(at..).is_some_and(|rest| rest.starts_with(['"', '\'']));
            if key == "<<" && !quoted {
                merged.push(*value);
                continue;
            }
            let entry = Entry { key: text, key_start: node.start, key_end: node.end, value: *value };
            if let Some(earlier) = known.get(&key).and_then(|index| entries.get_mut(*index)) {
                self.problems.push(Problem {
                    kind: ProblemKind::DuplicateKey,
                    span: Span { file: self.file, start: entry.key_start, end: entry.key_end },
                    message: format!("`{key}` is written twice; the first one is ignored"),
                });
                *earlier = entry;
            } else {
                known.insert(key, entries.len());
                entries.push(entry);
            }
        }
        for index in merged {
            self.merge(index, &mut entries, &mut known);
        }
        Ok(self.document.mapping(entries))
    }

    /// Adds the entries of a merged mapping, or of several, that are not there yet.
    fn merge(&self, index: Index, entries: &mut Vec<Entry>, known: &mut HashMap<String, usize>) {
        let Some(node) = self.document.node(index) else { return };
        for entry in self.document.entries(node.value) {
            let key = self.document.text(entry.key);
            if !known.contains_key(key) {
                known.insert(key.to_owned(), entries.len());
                entries.push(*entry);
            }
        }
        for item in self.document.items(node.value) {
            self.merge(*item, entries, known);
        }
    }
}
