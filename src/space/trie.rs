//! Sets of strings read from the front (a trie) and from the back (the same with failure links).
#![expect(clippy::indexing_slicing, reason = "nodes are numbered here and never leave their arrays")]

use smallvec::SmallVec;

use super::bytes::ByteSet;

/// The state of a trie or of tails that nobody asks about any more.
pub(super) const DROPPED: u32 = u32::MAX;
/// Marks a state that has left the trie; the rest is the last node that still says something.
const LEFT: u32 = 1 << 31;

/// A trie whose nodes are numbered in preorder, so a subtree is a range.
#[derive(Clone, Debug, Default)]
pub(super) struct Trie {
    /// The children of each node by byte, ascending.
    children: Vec<Vec<(u8, u32)>>,
    /// The end of each node's subtree.
    end: Vec<u32>,
    /// The nearest node on the way from the root, itself included, at which a prefix ends; else the root.
    anchor: Vec<u32>,
}

impl Trie {
    /// Builds from texts, each with whether it is a prefix. Returns the node of each.
    pub(super) fn build(texts: &[(Vec<u8>, bool)]) -> (Self, Vec<u32>) {
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by(|a, b| texts[*a].0.cmp(&texts[*b].0));
        let mut children: Vec<Vec<(u8, u32)>> = vec![Vec::new()];
        let mut parent: Vec<u32> = vec![0];
        let mut is_prefix = vec![false];
        let mut nodes = vec![0; texts.len()];
        for index in order {
            let mut node = 0_u32;
            for byte in &texts[index].0 {
                let last = children[node as usize].last().copied();
                node = match last {
                    Some((known, child)) if known == *byte => child,
                    _ => {
                        let fresh = u32::try_from(children.len()).unwrap_or(DROPPED);
                        children[node as usize].push((*byte, fresh));
                        children.push(Vec::new());
                        parent.push(node);
                        is_prefix.push(false);
                        fresh
                    }
                };
            }
            is_prefix[node as usize] |= texts[index].1;
            nodes[index] = node;
        }
        let mut end: Vec<u32> = (1..=children.len()).map(|end| u32::try_from(end).unwrap_or(DROPPED)).collect();
        for node in (1..children.len()).rev() {
            let up = parent[node] as usize;
            end[up] = end[up].max(end[node]);
        }
        let mut anchor = vec![0; children.len()];
        for node in 1..children.len() {
            anchor[node] =
                if is_prefix[node] { u32::try_from(node).unwrap_or(0) } else { anchor[parent[node] as usize] };
        }
        (Self { children, end, anchor }, nodes)
    }

    /// The child of a node.
    fn child(&self, node: u32, byte: u8) -> Option<u32> {
        let children = &self.children[node as usize];
        let at = children.binary_search_by_key(&byte, |(byte, _)| *byte).ok()?;
        Some(children[at].1)
    }

    /// The state after one more byte.
    pub(super) fn step(&self, state: u32, byte: u8) -> u32 {
        if state & LEFT != 0 {
            return state;
        }
        self.child(state, byte).unwrap_or_else(|| LEFT | self.anchor[state as usize])
    }

    /// The bytes that lead to a child.
    pub(super) fn edges(&self, state: u32) -> ByteSet {
        let children = self.children.get(state as usize).map_or(&[][..], Vec::as_slice);
        children.iter().fold(ByteSet::NONE, |set, (byte, _)| set.with(*byte))
    }

    /// Whether the state is at, or behind, the node: what was read begins with its text.
    pub(super) fn is_within(&self, state: u32, node: u32) -> bool {
        let at = state & !LEFT;
        state != DROPPED && node <= at && at < self.end[node as usize]
    }

    /// Whether what was read is the text of the node.
    pub(super) fn is_at(state: u32, node: u32) -> bool {
        state == node
    }

    /// Whether what was read begins the text of the node.
    pub(super) fn may_reach(&self, state: u32, node: u32) -> bool {
        state & LEFT == 0 && state <= node && node < self.end[state as usize]
    }

    /// Every byte on some edge.
    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> {
        self.children.iter().flatten().map(|(byte, _)| *byte)
    }
}

/// Texts read from the back: the state is the longest text begun at the end of what was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Tails {
    /// The texts from the front.
    trie: Trie,
    /// Where to go on when a node has no such child.
    failure: Vec<u32>,
    /// The place of each node in the tree of failure links, and the end of its subtree there.
    span: Vec<(u32, u32)>,
    /// The texts that end at each node, by number, ascending.
    ends: Vec<SmallVec<[u32; 1]>>,
}

impl Tails {
    /// Builds from texts. Returns the node of each.
    pub(super) fn build(texts: &[Vec<u8>]) -> (Self, Vec<u32>) {
        let flagged: Vec<(Vec<u8>, bool)> = texts.iter().map(|text| (text.clone(), false)).collect();
        let (trie, nodes) = Trie::build(&flagged);
        let count = trie.children.len();
        let mut tails =
            Self { trie, failure: vec![0; count], span: vec![(0, 0); count], ends: vec![SmallVec::new(); count] };
        for (text, node) in nodes.iter().enumerate() {
            tails.ends[*node as usize].push(u32::try_from(text).unwrap_or(DROPPED));
        }
        let mut order = vec![0_u32];
        let mut at = 0;
        while let Some(&node) = order.get(at) {
            at += 1;
            for (byte, child) in tails.trie.children[node as usize].clone() {
                if node != 0 {
                    tails.failure[child as usize] = tails.step(tails.failure[node as usize], byte);
                }
                let shorter = tails.ends[tails.failure[child as usize] as usize].clone();
                if tails.failure[child as usize] != child {
                    tails.ends[child as usize].extend(shorter);
                    tails.ends[child as usize].sort_unstable();
                }
                order.push(child);
            }
        }
        tails.number();
        (tails, nodes)
    }

    /// Numbers the tree of failure links in preorder.
    fn number(&mut self) {
        let mut below: Vec<Vec<u32>> = vec![Vec::new(); self.failure.len()];
        for node in 1..self.failure.len() {
            below[self.failure[node] as usize].push(u32::try_from(node).unwrap_or(0));
        }
        let mut next = 0;
        let mut open = vec![(0_u32, false)];
        while let Some((node, done)) = open.pop() {
            if done {
                self.span[node as usize].1 = next;
                continue;
            }
            self.span[node as usize].0 = next;
            next += 1;
            open.push((node, true));
            open.extend(below[node as usize].iter().map(|child| (*child, false)));
        }
    }

    /// The state after one more byte.
    pub(super) fn step(&self, mut state: u32, byte: u8) -> u32 {
        if state == DROPPED {
            return state;
        }
        loop {
            match self.trie.child(state, byte) {
                Some(child) => return child,
                None if state == 0 => return 0,
                None => state = self.failure[state as usize],
            }
        }
    }

    /// The bytes that do not lead back to the root.
    pub(super) fn edges(&self, mut state: u32) -> ByteSet {
        if state == DROPPED {
            return ByteSet::NONE;
        }
        let mut edges = self.trie.edges(0);
        while state != 0 {
            edges = edges.union(self.trie.edges(state));
            state = self.failure[state as usize];
        }
        edges
    }

    /// The texts that what was read ends with, by number.
    pub(super) fn ending(&self, state: u32) -> &[u32] {
        if state == DROPPED { &[] } else { &self.ends[state as usize] }
    }

    /// Whether what was read ends with the text of the node.
    pub(super) fn ends_with(&self, state: u32, node: u32) -> bool {
        if state == DROPPED {
            return false;
        }
        let (first, end) = self.span[node as usize];
        let at = self.span[state as usize].0;
        first <= at && at < end
    }

    /// Every byte on some edge.
    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> {
        self.trie.bytes()
    }
}
