//! Truth vectors.

use smallvec::SmallVec;

/// A vector of truths.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Bits(SmallVec<[u64; 2]>);

impl Bits {
    /// All false.
    pub(super) fn none(length: usize) -> Self {
        Self(SmallVec::from_elem(0, length.div_ceil(64)))
    }

    /// Collects truths in order.
    pub(super) fn collect(truths: impl ExactSizeIterator<Item = bool>) -> Self {
        let mut bits = Self::none(truths.len());
        for (index, _) in truths.enumerate().filter(|(_, truth)| *truth) {
            bits.set(index);
        }
        bits
    }

    /// Makes one true.
    pub(super) fn set(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    /// Whether one is true.
    pub(super) fn get(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| (word >> (index % 64)) & 1 == 1)
    }

    /// True where either is.
    pub(super) fn or(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a | b).collect())
    }

    /// Whether both are true somewhere.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// Which are true, ascending.
    pub(super) fn ones(&self) -> impl Iterator<Item = usize> {
        self.0
            .iter()
            .enumerate()
            .flat_map(|(at, word)| (0..64).filter(move |bit| (word >> bit) & 1 == 1).map(move |bit| at * 64 + bit))
    }
}
