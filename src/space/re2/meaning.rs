//! What an expression matches, as an expression over bytes.

use std::rc::Rc;

use regex_syntax::hir::{self, Class, ClassBytes, ClassBytesRange, Hir};

use super::super::bytes::ByteSet;
use super::tree::{Flags, Look, Op, Tree};

/// The meaning of a tree: which values match.
pub(super) fn of(tree: &Tree) -> Hir {
    meaning(tree, false)
}

/// The meaning of a tree with its groups and its greed.
pub(super) fn with_groups(tree: &Tree) -> Hir {
    meaning(tree, true)
}

/// The meaning of a tree. `groups`: also what its groups match, and which match goes before others.
fn meaning(tree: &Tree, groups: bool) -> Hir {
    let all = |parts: &[Rc<Tree>]| parts.iter().map(|part| meaning(part, groups)).collect();
    let repetition = |part: &Tree, min: u32, max: Option<u32>, flags: &Flags| {
        // Greed changes which match is found, never whether there is one.
        let greedy = !groups || !flags.ungreedy;
        Hir::repetition(hir::Repetition { min, max, greedy, sub: Box::new(meaning(part, groups)) })
    };
    match tree {
        Tree::Nothing => Hir::fail(),
        Tree::Empty => Hir::empty(),
        Tree::Text(bytes, false) => Hir::literal(bytes.clone()),
        Tree::Text(bytes, true) => Hir::concat(bytes.iter().map(|byte| class(either_case(*byte))).collect()),
        Tree::Class(bytes) => class(*bytes),
        Tree::Any => class(ByteSet::ANY),
        Tree::Look(look) => Hir::look(match look {
            Look::Start => hir::Look::Start,
            Look::End | Look::Dollar => hir::Look::End,
            Look::LineStart => hir::Look::StartLF,
            Look::LineEnd => hir::Look::EndLF,
            Look::Word => hir::Look::WordAscii,
            Look::NoWord => hir::Look::WordAsciiNegate,
        }),
        Tree::Concat(parts) => Hir::concat(all(parts)),
        Tree::Alternate(parts) => Hir::alternation(all(parts)),
        Tree::Repeat(Op::Star, part, flags) => repetition(part, 0, None, flags),
        Tree::Repeat(Op::Plus, part, flags) => repetition(part, 1, None, flags),
        Tree::Repeat(Op::Quest, part, flags) => repetition(part, 0, Some(1), flags),
        Tree::Count(part, min, max, flags) => repetition(part, *min, *max, flags),
        Tree::Capture(part, number) => {
            let sub = meaning(part, groups);
            match u32::try_from(*number) {
                Ok(index) if groups => Hir::capture(hir::Capture { index, name: None, sub: Box::new(sub) }),
                _ => sub,
            }
        }
    }
}

/// Both cases of a letter.
fn either_case(byte: u8) -> ByteSet {
    ByteSet::NONE.with(byte.to_ascii_lowercase()).with(byte.to_ascii_uppercase())
}

/// A class as an expression.
fn class(bytes: ByteSet) -> Hir {
    let ranges = bytes.ranges().into_iter().map(|(first, last)| ClassBytesRange::new(first, last));
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}
