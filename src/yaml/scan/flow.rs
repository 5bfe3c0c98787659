//! Flow style on one line, for the fast reader.

use super::super::node::{Entry, Index, Text, Value, offset};
use super::scalar::is_key_byte;
use super::{Key, Scanner};

/// Brackets within one another, beyond which the document is declined.
const MAX_DEPTH: usize = 16;

impl Scanner<'_> {
    /// Reads the container whose bracket stands at a place: its node, and the place behind it.
    pub(super) fn flow(&mut self, start: usize, end: usize, depth: usize) -> Option<(Index, usize)> {
        if depth == MAX_DEPTH {
            return None;
        }
        let mapping = self.byte(start) == b'{';
        let close = if mapping { b'}' } else { b']' };
        let (entries, items) = (self.entries.len(), self.items.len());
        let mut at = self.skip_spaces(start + 1);
        while self.byte(at) != close {
            at = if mapping { self.flow_entry(at, end, depth)? } else { self.flow_item(at, end, depth)? };
            at = self.skip_spaces(at);
            match self.byte(at) {
                b',' => at = self.skip_spaces(at + 1),
                byte if byte == close => {}
                _ => return None,
            }
        }
        let value = if mapping { self.mapping(entries)? } else { self.sequence(items) };
        Some((self.document.push(offset(start), offset(at + 1), value), at + 1))
    }

    /// Reads an item: the place behind it.
    fn flow_item(&mut self, at: usize, end: usize, depth: usize) -> Option<usize> {
        let (node, behind) = self.flow_value(at, end, depth)?;
        self.items.push(node);
        Some(behind)
    }

    /// Reads a key and its value: the place behind them.
    fn flow_entry(&mut self, at: usize, end: usize, depth: usize) -> Option<usize> {
        let key = self.flow_key(at, end)?;
        let content = self.skip_spaces(key.behind);
        let (value, behind) = self.flow_value(content, end, depth)?;
        let (key_start, key_end) = (offset(key.start), offset(key.end));
        self.entries.push(Entry { key: key.text, key_start, key_end, value });
        Some(behind)
    }

    /// Reads a key with a colon and a space behind it.
    fn flow_key(&mut self, start: usize, end: usize) -> Option<Key> {
        let key = if matches!(self.byte(start), b'"' | b'\'') {
            let close = self.closing_quote(start, end)?;
            let text = Text::Written(offset(start + 1), offset(close));
            Key { text, start, end: close + 1, behind: close + 2 }
        } else {
            let behind = self.word_end(start)?;
            Key { text: self.key_text(start, behind)?, start, end: behind, behind: behind + 1 }
        };
        (self.byte(key.end) == b':' && self.byte(key.behind) == b' ').then_some(key)
    }

    /// Reads a value: its node, and the place behind it.
    fn flow_value(&mut self, start: usize, end: usize, depth: usize) -> Option<(Index, usize)> {
        match self.byte(start) {
            b'[' | b'{' => self.flow(start, end, depth + 1),
            b'"' | b'\'' => {
                let close = self.closing_quote(start, end)?;
                let value = Value::String(Text::Written(offset(start + 1), offset(close)));
                Some((self.document.push(offset(start), offset(close + 1), value), close + 1))
            }
            _ => {
                let behind = self.word_end(start)?;
                let value = self.scalar(start, behind)?;
                Some((self.document.push(offset(start), offset(behind), value), behind))
            }
        }
    }

    /// The end of the plain word that begins at a place: bytes about which there is no doubt, and colons within.
    fn word_end(&self, start: usize) -> Option<usize> {
        if !self.byte(start).is_ascii_alphanumeric() && self.byte(start) != b'/' {
            return None;
        }
        let mut at = start + 1;
        while is_key_byte(self.byte(at)) || (self.byte(at) == b':' && is_key_byte(self.byte(at + 1))) {
            at += 1;
        }
        Some(at)
    }
}
