//! The tree as RE2 has it when it counts: neighbouring characters are one string, alternatives share their
//! beginnings, repetitions of repetitions are one.

use std::rc::Rc;

use super::factor::factored;
use super::tree::{Flags, Op, Tree};

/// The tree that RE2's parser builds (google/re2 `re2/parse.cc`).
pub(super) fn shaped(tree: &Rc<Tree>) -> Rc<Tree> {
    match &**tree {
        Tree::Concat(parts) => concat(parts),
        Tree::Alternate(parts) => alternate(parts),
        Tree::Repeat(op, part, flags) => squashed(*op, &shaped(part), *flags),
        Tree::Count(part, min, max, flags) => Rc::new(Tree::Count(shaped(part), *min, *max, *flags)),
        Tree::Capture(part, number) => Rc::new(Tree::Capture(shaped(part), *number)),
        Tree::Nothing | Tree::Empty | Tree::Text(..) | Tree::Class(_) | Tree::Any | Tree::Look(_) => Rc::clone(tree),
    }
}

/// A repetition, one with what it repeats where that is one with the same flags: `(?:a+)?` is `a*`.
pub(super) fn squashed(op: Op, part: &Rc<Tree>, flags: Flags) -> Rc<Tree> {
    match part.repeated() {
        Some((inner, deep, same)) if same == flags => {
            Rc::new(Tree::Repeat(if inner == op { op } else { Op::Star }, Rc::clone(deep), flags))
        }
        _ => Rc::new(Tree::Repeat(op, Rc::clone(part), flags)),
    }
}

/// Joins neighbouring characters, then concatenations within the concatenation.
fn concat(parts: &[Rc<Tree>]) -> Rc<Tree> {
    let mut joined: Vec<Rc<Tree>> = Vec::new();
    for part in parts.iter().map(shaped) {
        if let (Some(Tree::Text(before, ignored)), Tree::Text(bytes, ignore)) =
            (joined.last().map(|last| &**last), &*part)
            && ignored == ignore
        {
            let text = Tree::Text([&before[..], &bytes[..]].concat(), *ignore);
            joined.pop();
            joined.push(Rc::new(text));
        } else {
            joined.push(part);
        }
    }
    flattened(joined, |tree| if let Tree::Concat(inner) = tree { Some(inner) } else { None }, Tree::Concat)
}

/// Lets a dot that matches everything stand for single characters beside it, flattens and factors.
fn alternate(parts: &[Rc<Tree>]) -> Rc<Tree> {
    let mut branches: Vec<Rc<Tree>> = Vec::new();
    for part in parts.iter().map(shaped) {
        match branches.last().map(|last| &**last) {
            Some(Tree::Any) if part.single().is_some() => {}
            Some(last) if last.single().is_some() && *part == Tree::Any => {
                branches.pop();
                branches.push(part);
            }
            _ => branches.push(part),
        }
    }
    let flat =
        flattened(branches, |tree| if let Tree::Alternate(inner) = tree { Some(inner) } else { None }, Tree::Alternate);
    if let Tree::Alternate(parts) = &*flat { one_or(factored(parts), Tree::Alternate) } else { flat }
}

/// Takes in parts of the same kind.
fn flattened(
    parts: Vec<Rc<Tree>>,
    inner: impl Fn(&Tree) -> Option<&Vec<Rc<Tree>>>,
    join: impl Fn(Vec<Rc<Tree>>) -> Tree,
) -> Rc<Tree> {
    if parts.len() == 1 {
        return one_or(parts, join);
    }
    let flat = parts.iter().flat_map(|part| inner(part).cloned().unwrap_or_else(|| vec![Rc::clone(part)])).collect();
    one_or(flat, join)
}

/// The only part, or all of them joined.
pub(super) fn one_or(parts: Vec<Rc<Tree>>, join: impl Fn(Vec<Rc<Tree>>) -> Tree) -> Rc<Tree> {
    match <[Rc<Tree>; 1]>::try_from(parts) {
        Ok([only]) => only,
        Err(parts) => Rc::new(join(parts)),
    }
}
