//! Sets of bytes.

/// A set of bytes, as 256 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// Every byte.
    pub const ANY: Self = Self([u64::MAX; 4]);
    /// No byte.
    pub const NONE: Self = Self([0; 4]);
    /// Every byte but `/`.
    pub const SEGMENT: Self = Self([u64::MAX ^ (1 << 47), u64::MAX, u64::MAX, u64::MAX]);

    /// Collects the bytes of a slice.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        bytes.iter().fold(Self::NONE, |set, byte| set.with(*byte))
    }

    /// Adds one byte.
    #[must_use]
    pub fn with(mut self, byte: u8) -> Self {
        if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
            *word |= 1 << (byte & 63);
        }
        self
    }

    /// Adds an inclusive range of bytes.
    #[must_use]
    pub fn with_range(self, first: u8, last: u8) -> Self {
        (first..=last).fold(self, Self::with)
    }

    /// Takes one byte away.
    #[must_use]
    pub fn without(self, byte: u8) -> Self {
        self.intersection(Self::NONE.with(byte).complement())
    }

    /// Every byte of either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        self.joined(other, |a, b| a | b)
    }

    /// Every byte of both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        self.joined(other, |a, b| a & b)
    }

    /// The words of both sets, joined one by one.
    fn joined(mut self, other: Self, join: impl Fn(u64, u64) -> u64) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = join(*mine, theirs);
        }
        self
    }

    /// The set with every ASCII letter of it in both cases.
    #[must_use]
    pub fn in_both_cases(mut self) -> Self {
        /// `A` to `Z` in the second word; `a` to `z` stand 32 bits higher.
        const CAPITALS: u64 = ((1 << 26) - 1) << 1;
        let [_, letters, ..] = &mut self.0;
        let either = (*letters | *letters >> 32) & CAPITALS;
        *letters |= either | either << 32;
        self
    }

    /// Every byte that is not in the set.
    #[must_use]
    pub fn complement(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// Whether the byte is in the set.
    #[must_use]
    pub fn contains(self, byte: u8) -> bool {
        self.0.get(usize::from(byte >> 6)).is_some_and(|word| (word >> (byte & 63)) & 1 == 1)
    }

    /// The longest runs of neighbouring bytes, in ascending order, with their first and last byte.
    #[must_use]
    pub fn ranges(self) -> Vec<(u8, u8)> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for byte in self.iter() {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == byte => *last = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        ranges
    }

    /// The bytes in ascending order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |byte| self.contains(*byte))
    }
}

impl std::fmt::Debug for ByteSet {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == Self::ANY {
            return out.write_str("any");
        }
        out.debug_set().entries(self.iter().map(|byte| byte.escape_ascii().to_string())).finish()
    }
}
