//! How many instructions RE2's program of an expression has: repetitions are unrolled, the tree is compiled, and
//! the program flattened into lists (google/re2 `re2/simplify.cc`, `re2/compile.cc`, `re2/prog.cc`). Envoy holds
//! the number against its limit, so it must be the same; `fixtures/space/re2.jsonl` has it of a real RE2.

mod compile;
mod flatten;
mod simplify;

use std::rc::Rc;

use super::shape::one_or;
use super::tree::{Look, Tree};

/// An instruction and where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inst {
    /// No match.
    Fail,
    /// Either.
    Alt(u32, u32),
    /// Either, where one reads anything and comes back and the other is the end.
    AltMatch(u32, u32),
    /// A byte of a range; whether it is any byte.
    Byte(u32, bool),
    /// A border of a group.
    Capture(u32),
    /// A condition on the place.
    Look(u32),
    /// Nothing.
    Nop(u32),
    /// A match.
    Match,
}

/// The size of the program of a tree in the shape of RE2; `None` where RE2 gives up, or where it is certain early
/// that there are more instructions than `most`.
pub(super) fn size(tree: &Rc<Tree>, most: usize) -> Option<usize> {
    // What stands beside a part that never matches is dropped, so nothing is certain early.
    let most = if tree.has_nothing() { usize::MAX } else { most };
    // A text behind an anchor is compared apart.
    let unanchored = without_required_prefix(tree);
    let simple = simplify::simplified(&unanchored);
    let (simple, anchored) = match without_anchor(&simple, true, 0) {
        Some(simple) => (simple, true),
        None => (simple, false),
    };
    let simple = without_anchor(&simple, false, 0).unwrap_or(simple);
    let program = compile::compiled(&simple, anchored, most)?;
    Some(flatten::flat_size(program))
}

/// The tree behind `^` and a text, if it begins so.
fn without_required_prefix(tree: &Rc<Tree>) -> Rc<Tree> {
    let Tree::Concat(parts) = &**tree else { return Rc::clone(tree) };
    let anchors = parts.iter().take_while(|part| ***part == Tree::Look(Look::Start)).count();
    match parts.get(anchors).map(|part| &**part) {
        Some(Tree::Text(..)) if anchors > 0 => {
            let rest: Vec<Rc<Tree>> = parts.iter().skip(anchors + 1).cloned().collect();
            if rest.is_empty() { Rc::new(Tree::Empty) } else { one_or(rest, Tree::Concat) }
        }
        _ => Rc::clone(tree),
    }
}

/// The tree without an anchor at its start or end, if it has one that RE2 finds.
fn without_anchor(tree: &Rc<Tree>, start: bool, depth: u32) -> Option<Rc<Tree>> {
    if depth >= 4 {
        return None;
    }
    let within = |part: &Rc<Tree>| without_anchor(part, start, depth + 1);
    match &**tree {
        Tree::Concat(parts) => {
            let mut parts = parts.clone();
            let outer = if start { parts.first_mut() } else { parts.last_mut() }?;
            *outer = within(outer)?;
            Some(Rc::new(Tree::Concat(parts)))
        }
        Tree::Capture(part, number) => Some(Rc::new(Tree::Capture(within(part)?, *number))),
        Tree::Look(look) => {
            let anchors = if start { *look == Look::Start } else { matches!(look, Look::End | Look::Dollar) };
            anchors.then(|| Rc::new(Tree::Empty))
        }
        Tree::Nothing
        | Tree::Empty
        | Tree::Text(..)
        | Tree::Class(_)
        | Tree::Any
        | Tree::Alternate(_)
        | Tree::Repeat(..)
        | Tree::Count(..) => None,
    }
}
