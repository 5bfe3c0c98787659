//! How far aliases may be followed: as far as go-yaml follows them.

use std::collections::HashMap;

use super::node::Index;

/// Counts what go-yaml decodes, in the order in which it does so, and how much of that aliases make it decode again.
///
/// go-yaml (`decode.go`, `unmarshal` and `allowedAliasRatio`, v2) refuses a document once aliases are too much of it:
/// 99 % while it is small, 10 % where it is large.
#[derive(Debug)]
pub(super) struct Aliases {
    /// Nodes decoded so far
    decoded: u64,
    /// Those of them that an alias led to
    aliased: u64,
    /// For each finished node but single scalars, how many nodes decoding it decodes
    sizes: HashMap<Index, u64>,
    /// Containers not finished: what was decoded before each
    open: Vec<(Index, u64)>,
}

impl Default for Aliases {
    fn default() -> Self {
        // The document itself is counted as a node.
        Self { decoded: 1, aliased: 0, sizes: HashMap::new(), open: Vec::new() }
    }
}

impl Aliases {
    /// Counts a scalar.
    pub(super) fn scalar(&mut self) -> Result<(), String> {
        self.decoded += 1;
        self.judge()
    }

    /// Counts a container whose children come next.
    pub(super) fn open(&mut self, index: Index) -> Result<(), String> {
        self.open.push((index, self.decoded));
        self.decoded += 1;
        self.judge()
    }

    /// The innermost container is finished.
    pub(super) fn close(&mut self) {
        if let Some((index, before)) = self.open.pop() {
            self.sizes.insert(index, self.decoded - before);
        }
    }

    /// Counts an alias and what it leads to.
    pub(super) fn alias(&mut self, target: Index) -> Result<(), String> {
        let size = self.sizes.get(&target).copied().unwrap_or(1);
        self.decoded = self.decoded.saturating_add(size).saturating_add(1);
        self.aliased = self.aliased.saturating_add(size);
        self.judge()
    }

    /// Whether aliases are too much of it by now.
    #[expect(clippy::cast_precision_loss, reason = "go-yaml divides so")]
    fn judge(&self) -> Result<(), String> {
        const LOW: f64 = 400_000.0;
        const HIGH: f64 = 4_000_000.0;
        if self.aliased <= 100 || self.decoded <= 1000 {
            return Ok(());
        }
        let decoded = self.decoded as f64;
        let allowed = 0.99 - 0.89 * ((decoded - LOW) / (HIGH - LOW)).clamp(0.0, 1.0);
        if self.aliased as f64 / decoded > allowed {
            return Err("aliases make too much of it, as kubectl counts".to_owned());
        }
        Ok(())
    }
}
