//! Eight bytes of a text looked at together: most bytes of a manifest only lead from one that means something to the next.

/// Eight bytes, the first of them lowest.
#[derive(Clone, Copy)]
pub(super) struct Word(u64);

/// How many bytes a word has.
pub(super) const WIDTH: usize = 8;

/// The highest bit of each byte.
const HIGHEST: u64 = each(0x80);

/// The same byte everywhere.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; WIDTH])
}

/// Which bytes of a word are meant: in each of them a bit is set, in the others none.
#[derive(Clone, Copy)]
pub(super) struct Marks(u64);

impl Word {
    /// The first bytes of a text; line feeds behind its end.
    pub(super) fn of(text: &[u8]) -> Self {
        if let Some(bytes) = text.first_chunk() {
            return Self(u64::from_le_bytes(*bytes));
        }
        Self(text.iter().rev().fold(each(b'\n'), |word, byte| word << 8 | u64::from(*byte)))
    }

    /// The bytes of a range of ASCII, `low` not 0.
    pub(super) fn between(self, low: u8, high: u8) -> Marks {
        // Without their highest bits, bytes may be added to without any carry from one to the next.
        let bytes = self.0 & !HIGHEST;
        let (from_low, beyond_high) = (bytes + each(0x80 - low), bytes + each(0x7F - high));
        Marks(from_low & !beyond_high & !self.0 & HIGHEST)
    }

    /// The bytes that are one of ASCII.
    pub(super) fn equal(self, byte: u8) -> Marks {
        self.between(byte, byte)
    }

    /// The bytes that are not one.
    pub(super) fn other_than(self, byte: u8) -> Marks {
        Marks(self.0 ^ each(byte))
    }

    /// The bytes of which [`super::scalar::is_key_byte`] is not true.
    pub(super) fn no_key(self) -> Marks {
        // In lower case: no other byte becomes a letter by that.
        let letters = Self(self.0 | each(0x20)).between(b'a', b'z');
        let Marks(key) = letters.or(self.between(b'-', b'9')).or(self.equal(b'_'));
        Marks(key ^ HIGHEST)
    }
}

impl Marks {
    /// What either means.
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Which byte is the first that is meant.
    pub(super) fn first(self) -> Option<usize> {
        (self.0 != 0).then(|| self.0.trailing_zeros() as usize / 8)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scalar::is_key_byte;
    use super::*;

    /// Whether the byte in the middle is meant, the ones around it being what they are.
    fn is_meant(byte: u8, around: u8, marks: impl Fn(Word) -> Marks) -> bool {
        let Marks(found) = marks(Word::of(&[around, around, around, byte, around, around, around, around]));
        found.to_le_bytes()[3] != 0
    }

    #[test]
    fn bytes_are_told_apart_whatever_stands_beside_them() {
        for around in [0, b'\n', b' ', b'a', b'~', 0x7F, 0x80, 0xFF] {
            for byte in 0..=u8::MAX {
                assert_eq!(is_meant(byte, around, |word| word.equal(b':')), byte == b':', "{byte} by {around}");
                assert_eq!(is_meant(byte, around, |word| word.other_than(b' ')), byte != b' ', "{byte} by {around}");
                assert_eq!(is_meant(byte, around, Word::no_key), !is_key_byte(byte), "{byte} by {around}");
            }
        }
    }

    #[test]
    fn a_text_that_is_too_short_ends_in_line_feeds() {
        assert_eq!(Word::of(b"ab").equal(b'\n').first(), Some(2));
        assert_eq!(Word::of(b"abcdefgh").equal(b'\n').first(), None);
        assert_eq!(Word::of(b"a:b:c:d:").equal(b':').first(), Some(1));
    }
}
