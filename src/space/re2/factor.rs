//! Alternatives that begin alike, as RE2 factors them (google/re2 `re2/parse.cc`, `FactorAlternation`): by their
//! text, then by their first part where that is simple, and at last single characters as one class.

use std::rc::Rc;

use super::super::bytes::ByteSet;
use super::shape::one_or;
use super::tree::Tree;

/// The same alternatives, factored.
pub(super) fn factored(branches: &[Rc<Tree>]) -> Vec<Rc<Tree>> {
    merged(&by_first_part(&by_text(branches)))
}

/// What is common, then the factored rests.
fn share(common: Tree, rests: &[Rc<Tree>]) -> Rc<Tree> {
    Rc::new(Tree::Concat(vec![Rc::new(common), one_or(factored(rests), Tree::Alternate)]))
}

/// Factors out common texts at the start.
fn by_text(branches: &[Rc<Tree>]) -> Vec<Rc<Tree>> {
    let mut out = Vec::new();
    let mut run: Vec<Rc<Tree>> = Vec::new();
    let mut common: (Vec<u8>, bool) = (Vec::new(), false);
    let mut close = |run: &mut Vec<Rc<Tree>>, (text, ignore_case): (Vec<u8>, bool)| {
        if run.len() > 1 {
            let rests: Vec<Rc<Tree>> = run.iter().map(|branch| without_text(branch, text.len())).collect();
            out.push(share(Tree::Text(text, ignore_case), &rests));
        } else {
            out.append(run);
        }
        run.clear();
    };
    for branch in branches {
        let (text, ignore_case) = leading_text(branch);
        let same = common.0.iter().zip(text).take_while(|(a, b)| a == b).count();
        if same > 0 && ignore_case == common.1 {
            common.0.truncate(same);
        } else {
            close(&mut run, std::mem::replace(&mut common, (text.to_vec(), ignore_case)));
        }
        run.push(Rc::clone(branch));
    }
    close(&mut run, common);
    out
}

/// The text that a tree begins with.
fn leading_text(tree: &Tree) -> (&[u8], bool) {
    if let Tree::Text(bytes, ignore_case) = tree {
        return (bytes, *ignore_case);
    }
    let first = if let Tree::Concat(parts) = tree { parts.first() } else { None };
    first.map_or((&[], false), |first| leading_text(first))
}

/// A tree without so much of its leading text.
fn without_text(tree: &Rc<Tree>, length: usize) -> Rc<Tree> {
    if let Tree::Text(bytes, ignore_case) = &**tree {
        return Rc::new(match bytes.get(length..) {
            Some(rest @ [_, ..]) => Tree::Text(rest.to_vec(), *ignore_case),
            Some([]) | None => Tree::Empty,
        });
    }
    let parts = if let Tree::Concat(parts) = &**tree { parts.split_first() } else { None };
    let Some((first, rest)) = parts else { return Rc::clone(tree) };
    let first = Some(without_text(first, length)).filter(|first| **first != Tree::Empty);
    one_or(first.into_iter().chain(rest.iter().cloned()).collect(), Tree::Concat)
}

/// Factors out common first parts.
fn by_first_part(branches: &[Rc<Tree>]) -> Vec<Rc<Tree>> {
    let mut out = Vec::new();
    let groups = branches.chunk_by(|a, b| match (first_part(a), first_part(b)) {
        (Some(a), Some(b)) => is_simple(a) && alike(a, b),
        _ => false,
    });
    for group in groups {
        match group {
            [first, _, ..] => {
                let rests: Vec<Rc<Tree>> = group.iter().map(without_first_part).collect();
                out.push(share(first_part(first).cloned().unwrap_or(Tree::Empty), &rests));
            }
            alone => out.extend(alone.iter().cloned()),
        }
    }
    out
}

/// The first part of a tree.
fn first_part(tree: &Tree) -> Option<&Tree> {
    let first = if let Tree::Concat(parts) = tree { parts.first()? } else { tree };
    (*first != Tree::Empty).then_some(first)
}

/// A tree without its first part.
fn without_first_part(tree: &Rc<Tree>) -> Rc<Tree> {
    if let Tree::Concat(parts) = &**tree {
        one_or(parts.iter().skip(1).cloned().collect(), Tree::Concat)
    } else {
        Rc::new(Tree::Empty)
    }
}

/// Whether a part may be factored out.
fn is_simple(tree: &Tree) -> bool {
    match tree {
        Tree::Look(_) | Tree::Class(_) | Tree::Nothing | Tree::Any => true,
        Tree::Count(part, min, max, _) => Some(*min) == *max && part.single().is_some(),
        Tree::Empty | Tree::Text(..) | Tree::Concat(_) | Tree::Alternate(_) | Tree::Repeat(..) | Tree::Capture(..) => {
            false
        }
    }
}

/// Whether RE2 takes two parts for equal: of the flags only greed counts.
pub(super) fn alike(a: &Tree, b: &Tree) -> bool {
    match (a, b) {
        (Tree::Count(a, min, max, flags), Tree::Count(b, other_min, other_max, other)) => {
            flags.ungreedy == other.ungreedy && min == other_min && max == other_max && a == b
        }
        _ => a == b,
    }
}

/// Joins neighbouring single characters and classes.
fn merged(branches: &[Rc<Tree>]) -> Vec<Rc<Tree>> {
    let members = |tree: &Rc<Tree>| tree.single().filter(|_| **tree != Tree::Any);
    let mut out = Vec::new();
    for group in branches.chunk_by(|a, b| members(a).is_some() && members(b).is_some()) {
        match group {
            [_, _, ..] => {
                let all = group.iter().filter_map(members).fold(ByteSet::NONE, ByteSet::union);
                out.push(Rc::new(if all == ByteSet::NONE { Tree::Nothing } else { Tree::Class(all) }));
            }
            alone => out.extend(alone.iter().cloned()),
        }
    }
    out
}
