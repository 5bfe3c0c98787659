//! Sets of bytes, and the pieces that sequences are made of.

/// A part of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// This text
    Literal(Box<str>),
    /// Any number of these bytes, but at least so many (0 or 1)
    Repeat {
        /// Which bytes
        bytes: ByteSet,
        /// How many at least
        at_least: u8,
    },
}

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// Every byte.
    pub const ANY: Self = Self([u64::MAX; 4]);

    /// These bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut set = Self([0; 4]);
        for byte in bytes {
            if let Some(word) = set.0.get_mut(usize::from(byte / 64)) {
                *word |= 1 << (byte % 64);
            }
        }
        set
    }

    /// All but one byte.
    #[must_use]
    pub fn without(mut self, byte: u8) -> Self {
        if let Some(word) = self.0.get_mut(usize::from(byte / 64)) {
            *word &= !(1 << (byte % 64));
        }
        self
    }

    /// Whether the byte is in it.
    pub fn contains(self, byte: u8) -> bool {
        self.0.get(usize::from(byte / 64)).is_some_and(|word| word & (1 << (byte % 64)) != 0)
    }
}
