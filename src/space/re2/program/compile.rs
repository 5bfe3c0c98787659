//! From a tree to instructions.
#![expect(clippy::indexing_slicing, reason = "instructions are numbered here")]

use std::rc::Rc;

use super::super::tree::{Op, Tree};
use super::Inst;

/// The most instructions: two thirds of RE2's eight mebibytes, eight bytes each, less the program itself.
const MOST: usize = (8 << 20) * 2 / 3 / 8 - 100;

/// The program of an expression.
#[derive(Debug, Default)]
pub(super) struct Program {
    /// The instructions by number; the first fails.
    pub(super) insts: Vec<Inst>,
    /// Where a match begins.
    pub(super) start: u32,
    /// Where a search begins.
    pub(super) unanchored: u32,
    /// How many instructions may still be added of those that the flattened program keeps.
    left: usize,
}

/// A piece of the program with open ends.
struct Frag {
    /// Where it begins; 0 where nothing matches.
    begin: u32,
    /// The ends: instructions, and whether it is their second way.
    ends: Vec<(u32, bool)>,
    /// Whether it may match the empty value.
    nullable: bool,
}

impl Frag {
    /// Nothing matches.
    const fn nothing() -> Self {
        Self { begin: 0, ends: Vec::new(), nullable: false }
    }
}

/// Compiles a tree without counted repetitions; `None` where it is too large, or certain to be larger than `most`.
pub(super) fn compiled(tree: &Tree, anchored: bool, most: usize) -> Option<Program> {
    let mut program = Program { insts: vec![Inst::Fail], left: most, ..Program::default() };
    let whole = program.frag(tree)?;
    let end = program.add(Inst::Match)?;
    let whole = program.cat(&whole, Frag { begin: end, ends: Vec::new(), nullable: false });
    program.start = whole.begin;
    program.unanchored = whole.begin;
    if !anchored {
        let any = program.byte(true)?;
        let any = program.repeat(Op::Star, any, true)?;
        program.unanchored = program.cat(&any, whole).begin;
    }
    Some(program)
}

impl Program {
    /// Adds an instruction.
    fn add(&mut self, inst: Inst) -> Option<u32> {
        let id = u32::try_from(self.insts.len()).ok().filter(|_| self.insts.len() < MOST)?;
        if matches!(inst, Inst::Byte(..) | Inst::Capture(_) | Inst::Look(_)) {
            self.left = self.left.checked_sub(1)?;
        }
        self.insts.push(inst);
        Some(id)
    }

    /// Lets open ends lead somewhere.
    fn patch(&mut self, ends: &[(u32, bool)], target: u32) {
        for (id, second) in ends {
            match (&mut self.insts[*id as usize], second) {
                (Inst::Alt(_, out), true)
                | (Inst::Alt(out, _) | Inst::Byte(out, _) | Inst::Capture(out) | Inst::Look(out) | Inst::Nop(out), _) =>
                {
                    *out = target;
                }
                (Inst::Fail | Inst::AltMatch(..) | Inst::Match, _) => {}
            }
        }
    }

    /// A piece of one instruction.
    fn single(&mut self, inst: Inst, nullable: bool) -> Option<Frag> {
        let id = self.add(inst)?;
        Some(Frag { begin: id, ends: vec![(id, false)], nullable })
    }

    /// One byte.
    fn byte(&mut self, any: bool) -> Option<Frag> {
        self.single(Inst::Byte(0, any), false)
    }

    /// One piece behind another.
    fn cat(&mut self, first: &Frag, second: Frag) -> Frag {
        if first.begin == 0 || second.begin == 0 {
            return Frag::nothing();
        }
        self.patch(&first.ends, second.begin);
        // A lone instruction that does nothing is left out.
        let idle = first.ends.first() == Some(&(first.begin, false))
            && matches!(self.insts[first.begin as usize], Inst::Nop(_));
        if idle {
            return second;
        }
        Frag { begin: first.begin, ends: second.ends, nullable: first.nullable && second.nullable }
    }

    /// Either piece.
    fn alt(&mut self, mut first: Frag, mut second: Frag) -> Option<Frag> {
        if first.begin == 0 {
            return Some(second);
        }
        if second.begin == 0 {
            return Some(first);
        }
        let begin = self.add(Inst::Alt(first.begin, second.begin))?;
        first.ends.append(&mut second.ends);
        Some(Frag { begin, ends: first.ends, nullable: first.nullable || second.nullable })
    }

    /// A repeated piece.
    fn repeat(&mut self, op: Op, mut part: Frag, ungreedy: bool) -> Option<Frag> {
        if op == Op::Star && part.nullable {
            let plus = self.repeat(Op::Plus, part, ungreedy)?;
            return self.repeat(Op::Quest, plus, ungreedy);
        }
        if op == Op::Quest && part.begin == 0 {
            return self.single(Inst::Nop(0), true);
        }
        let id = self.add(if ungreedy { Inst::Alt(0, part.begin) } else { Inst::Alt(part.begin, 0) })?;
        let open = (id, !ungreedy);
        Some(match op {
            Op::Quest => {
                part.ends.push(open);
                Frag { begin: id, ends: part.ends, nullable: true }
            }
            Op::Star | Op::Plus => {
                self.patch(&part.ends, id);
                let star = op == Op::Star;
                let begin = if star { id } else { part.begin };
                Frag { begin, ends: vec![open], nullable: star || part.nullable }
            }
        })
    }

    /// The piece of a tree. Without recursion: counted repetitions leave trees a thousand deep.
    fn frag(&mut self, tree: &Tree) -> Option<Frag> {
        let (mut steps, mut pieces) = (vec![Step::Enter(tree)], Vec::new());
        while let Some(step) = steps.pop() {
            let piece = match step {
                Step::Enter(tree) => {
                    let Some(parts) = parts(tree) else {
                        pieces.push(self.leaf(tree)?);
                        continue;
                    };
                    steps.push(Step::Leave(tree, parts.len()));
                    steps.extend(parts.iter().rev().map(|part| Step::Enter(part)));
                    continue;
                }
                Step::Leave(tree, count) => {
                    let parts = pieces.split_off(pieces.len() - count);
                    self.joined(tree, parts)?
                }
            };
            pieces.push(piece);
        }
        pieces.pop()
    }

    /// The piece of a tree without parts.
    fn leaf(&mut self, tree: &Tree) -> Option<Frag> {
        match tree {
            Tree::Nothing => Some(Frag::nothing()),
            Tree::Text(bytes, _) => {
                let mut whole = self.byte(false)?;
                for _ in 1..bytes.len() {
                    let next = self.byte(false)?;
                    whole = self.cat(&whole, next);
                }
                Some(whole)
            }
            Tree::Class(bytes) => {
                let mut whole = Frag::nothing();
                for any in instructions_of(*bytes) {
                    let next = self.byte(any)?;
                    whole = self.alt(whole, next)?;
                }
                Some(whole)
            }
            Tree::Any => self.byte(true),
            Tree::Look(_) => self.single(Inst::Look(0), true),
            Tree::Empty
            | Tree::Concat(_)
            | Tree::Alternate(_)
            | Tree::Repeat(..)
            | Tree::Count(..)
            | Tree::Capture(..) => self.single(Inst::Nop(0), true),
        }
    }

    /// The piece of a tree whose parts have been compiled.
    fn joined(&mut self, tree: &Tree, parts: Vec<Frag>) -> Option<Frag> {
        if let Tree::Alternate(_) = tree {
            return parts.into_iter().try_fold(Frag::nothing(), |whole, next| self.alt(whole, next));
        }
        let part = parts.into_iter().reduce(|whole, next| self.cat(&whole, next))?;
        if let Tree::Repeat(op, _, flags) = tree {
            return self.repeat(*op, part, flags.ungreedy);
        }
        if matches!(tree, Tree::Capture(..)) && part.begin != 0 {
            let begin = self.add(Inst::Capture(part.begin))?;
            let end = self.add(Inst::Capture(0))?;
            self.patch(&part.ends, end);
            return Some(Frag { begin, ends: vec![(end, false)], nullable: part.nullable });
        }
        Some(part)
    }
}

/// What is to be done with a tree.
enum Step<'t> {
    /// Compile its parts
    Enter(&'t Tree),
    /// Join so many of them, which are compiled
    Leave(&'t Tree, usize),
}

/// The parts of a tree; nothing where it has none. Counted repetitions have been written out.
fn parts(tree: &Tree) -> Option<&[Rc<Tree>]> {
    match tree {
        Tree::Concat(parts) => Some(parts).filter(|parts| !parts.is_empty()).map(Vec::as_slice),
        Tree::Alternate(parts) => Some(parts.as_slice()),
        Tree::Repeat(_, part, _) | Tree::Count(part, ..) | Tree::Capture(part, _) => Some(std::slice::from_ref(part)),
        Tree::Nothing | Tree::Empty | Tree::Text(..) | Tree::Class(_) | Tree::Any | Tree::Look(_) => None,
    }
}

/// The instructions of a class: one for each range. Where case does not matter the upper letters are left out.
fn instructions_of(bytes: super::super::super::bytes::ByteSet) -> Vec<bool> {
    let folds = (b'a'..=b'z').all(|lower| bytes.contains(lower) == bytes.contains(lower.to_ascii_uppercase()));
    let upper = |(first, last): &(u8, u8)| folds && *first >= b'A' && *last <= b'Z';
    bytes.ranges().into_iter().filter(|range| !upper(range)).map(|range| range == (0, u8::MAX)).collect()
}
