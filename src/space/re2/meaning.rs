//! What an expression matches, as an expression over bytes.

use std::rc::Rc;

use regex_syntax::hir::{self, Class, ClassBytes, ClassBytesRange, Hir};

use super::super::bytes::ByteSet;
use super::tree::{Look, Op, Tree};

/// The meaning of a tree.
pub(super) fn of(tree: &Tree) -> Hir {
    let all = |parts: &[Rc<Tree>]| parts.iter().map(|part| of(part)).collect();
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
        Tree::Repeat(Op::Star, part, _) => repetition(part, 0, None),
        Tree::Repeat(Op::Plus, part, _) => repetition(part, 1, None),
        Tree::Repeat(Op::Quest, part, _) => repetition(part, 0, Some(1)),
        Tree::Count(part, min, max, _) => repetition(part, *min, *max),
        Tree::Capture(part, _) => of(part),
    }
}

/// A repetition. Greed changes which match is found, never whether there is one.
fn repetition(part: &Tree, min: u32, max: Option<u32>) -> Hir {
    Hir::repetition(hir::Repetition { min, max, greedy: true, sub: Box::new(of(part)) })
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
