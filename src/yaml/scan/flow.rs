//! Flow style on one line, for the fast reader.

use super::super::node::{Index, Text, Value, offset};
use super::scalar::is_key_byte;
use super::word::Word;
use super::{Beginning, Scanner};

/// Brackets within one another, beyond which the document is declined.
const MAX_DEPTH: usize = 16;

impl Scanner<'_> {
    /// Reads the container whose bracket stands at a place: its node, and the place behind it.
    pub(super) fn flow(&mut self, start: usize, depth: usize) -> Option<(Index, usize)> {
        if depth == MAX_DEPTH {
            return None;
        }
        let mapping = self.byte(start) == b'{';
        let close = if mapping { b'}' } else { b']' };
        let (entries, items) = (self.entries.len(), self.items.len());
        let mut at = self.skip_spaces(start + 1);
        while self.byte(at) != close {
            at = if mapping { self.flow_entry(at, depth)? } else { self.flow_item(at, depth)? };
            at = self.skip_spaces(at);
            match self.byte(at) {
                b',' => at = self.skip_spaces(at + 1),
                byte if byte == close => {}
                _ => return None,
            }
        }
        let value = self.settled(mapping, if mapping { entries } else { items })?;
        Some((self.document.push(offset(start), offset(at + 1), value), at + 1))
    }

    /// Reads an item: the place behind it.
    fn flow_item(&mut self, at: usize, depth: usize) -> Option<usize> {
        let (node, behind) = self.flow_value(at, depth)?;
        self.items.push(node);
        Some(behind)
    }

    /// Reads a key and its value: the place behind them.
    fn flow_entry(&mut self, at: usize, depth: usize) -> Option<usize> {
        let end = self.flow_key(at)?;
        let content = self.skip_spaces(end + 1);
        let (value, behind) = self.flow_value(content, depth)?;
        self.entries.last_mut()?.value = value;
        Some(behind)
    }

    /// Reads a key with a colon and a space behind it: the place of the colon.
    fn flow_key(&mut self, start: usize) -> Option<usize> {
        if !self.byte(start).is_ascii_alphanumeric() && !matches!(self.byte(start), b'/' | b'"' | b'\'') {
            return None;
        }
        match self.key(start)? {
            Beginning::Key(end) if self.byte(end + 1) == b' ' => Some(end),
            Beginning::Key(_) | Beginning::Other(_) => None,
        }
    }

    /// Reads a value: its node, and the place behind it.
    fn flow_value(&mut self, start: usize, depth: usize) -> Option<(Index, usize)> {
        match self.byte(start) {
            b'[' | b'{' => self.flow(start, depth + 1),
            b'"' | b'\'' => {
                let close = self.closing_quote(start)?;
                let value = Value::String(Text::Written(offset(start + 1), offset(close)));
                Some((self.document.push(offset(start), offset(close + 1), value), close + 1))
            }
            _ => {
                let behind = self.word_end(start)?;
                Some((self.scalar(start, behind)?, behind))
            }
        }
    }

    /// The end of the plain word that begins at a place: bytes about which there is no doubt, and colons within.
    fn word_end(&self, start: usize) -> Option<usize> {
        if !self.byte(start).is_ascii_alphanumeric() && self.byte(start) != b'/' {
            return None;
        }
        let mut at = start + 1;
        loop {
            at = self.find(at, Word::no_key);
            if self.byte(at) != b':' || !is_key_byte(self.byte(at + 1)) {
                return Some(at);
            }
            at += 1;
        }
    }
}
