//! Counted repetitions unrolled, as RE2 does before it compiles.

use std::rc::Rc;

use super::super::factor::alike;
use super::super::shape::{one_or, squashed};
use super::super::tree::{Flags, Op, Tree};

/// The tree without counted repetitions.
pub(super) fn simplified(tree: &Rc<Tree>) -> Rc<Tree> {
    unrolled(&coalesced(tree))
}

/// Joins neighbouring repetitions of the same character: `a*a` is `a+`.
fn coalesced(tree: &Rc<Tree>) -> Rc<Tree> {
    match &**tree {
        Tree::Concat(parts) => {
            let mut parts: Vec<Rc<Tree>> = parts.iter().map(coalesced).collect();
            let mut changed = false;
            for at in 1..parts.len() {
                if let [Some(first), Some(second)] = [parts.get(at - 1), parts.get(at)]
                    && let Some([first, second]) = join(first, second)
                {
                    changed = true;
                    parts.splice(at - 1..=at, [first, second]);
                }
            }
            if changed {
                parts.retain(|part| **part != Tree::Empty);
            }
            Rc::new(Tree::Concat(parts))
        }
        Tree::Alternate(parts) => Rc::new(Tree::Alternate(parts.iter().map(coalesced).collect())),
        Tree::Repeat(op, part, flags) => Rc::new(Tree::Repeat(*op, coalesced(part), *flags)),
        Tree::Count(part, min, max, flags) => Rc::new(Tree::Count(coalesced(part), *min, *max, *flags)),
        Tree::Capture(part, number) => Rc::new(Tree::Capture(coalesced(part), *number)),
        Tree::Nothing | Tree::Empty | Tree::Text(..) | Tree::Class(_) | Tree::Any | Tree::Look(_) => Rc::clone(tree),
    }
}

/// The bounds of a repetition of a single character.
fn bounds(tree: &Tree) -> Option<(&Rc<Tree>, u32, Option<u32>, Flags)> {
    let (part, min, max, flags) = match tree {
        Tree::Repeat(Op::Star, part, flags) => (part, 0, None, *flags),
        Tree::Repeat(Op::Plus, part, flags) => (part, 1, None, *flags),
        Tree::Repeat(Op::Quest, part, flags) => (part, 0, Some(1), *flags),
        Tree::Count(part, min, max, flags) => (part, *min, *max, *flags),
        Tree::Nothing
        | Tree::Empty
        | Tree::Text(..)
        | Tree::Class(_)
        | Tree::Any
        | Tree::Look(_)
        | Tree::Concat(_)
        | Tree::Alternate(_)
        | Tree::Capture(..) => return None,
    };
    Some((part, min, max, flags))
}

/// Two neighbours as one repetition, and what stands before or behind it.
fn join(first: &Rc<Tree>, second: &Rc<Tree>) -> Option<[Rc<Tree>; 2]> {
    let (part, min, max, flags) = bounds(first).filter(|(part, ..)| part.single().is_some())?;
    let count = |more: u32, most: Option<u32>| {
        let max = max.and_then(|max| Some(max + most?));
        Rc::new(Tree::Count(Rc::clone(part), min + more, max, flags))
    };
    if let Some((_, more, most, _)) =
        bounds(second).filter(|(other, _, _, other_flags)| alike(part, other) && flags.ungreedy == other_flags.ungreedy)
    {
        return Some([Rc::new(Tree::Empty), count(more, most)]);
    }
    if alike(part, second) {
        return Some([Rc::new(Tree::Empty), count(1, Some(1))]);
    }
    let (Tree::Text(one, ignore_case), Tree::Text(bytes, same)) = (&**part, &**second) else { return None };
    let same_start = bytes.iter().take_while(|byte| one.first() == Some(*byte)).count();
    if ignore_case != same || same_start == 0 {
        return None;
    }
    let more = u32::try_from(same_start).unwrap_or(u32::MAX);
    if same_start == bytes.len() {
        return Some([Rc::new(Tree::Empty), count(more, Some(more))]);
    }
    let rest = bytes.get(same_start..).unwrap_or(&[]).to_vec();
    Some([count(more, Some(more)), Rc::new(Tree::Text(rest, *same))])
}

/// Unrolls counted repetitions.
fn unrolled(tree: &Rc<Tree>) -> Rc<Tree> {
    match &**tree {
        Tree::Concat(parts) => Rc::new(Tree::Concat(parts.iter().map(unrolled).collect())),
        Tree::Alternate(parts) => Rc::new(Tree::Alternate(parts.iter().map(unrolled).collect())),
        Tree::Capture(part, number) => Rc::new(Tree::Capture(unrolled(part), *number)),
        Tree::Repeat(op, part, flags) => {
            let simple = unrolled(part);
            // Only what unrolling made is squashed here; the parser has done the rest.
            let same = simple.repeated().is_some_and(|(inner, _, same)| inner == *op && same == *flags);
            if same || *simple == Tree::Empty { simple } else { Rc::new(Tree::Repeat(*op, simple, *flags)) }
        }
        Tree::Count(part, min, max, flags) => {
            let simple = unrolled(part);
            if *simple == Tree::Empty { simple } else { copies(&simple, *min, *max, *flags) }
        }
        Tree::Nothing | Tree::Empty | Tree::Text(..) | Tree::Class(_) | Tree::Any | Tree::Look(_) => Rc::clone(tree),
    }
}

/// So many copies: `x{2,4}` is `xx(x(x)?)?`.
fn copies(part: &Rc<Tree>, mut min: u32, mut max: Option<u32>, flags: Flags) -> Rc<Tree> {
    let is_look = |tree: &Tree| matches!(tree, Tree::Look(_));
    let all_look = |parts: &[Rc<Tree>]| parts.iter().all(|part| is_look(part));
    let idle = if let Tree::Concat(parts) | Tree::Alternate(parts) = &**part { all_look(parts) } else { is_look(part) };
    if idle {
        min = min.min(1);
        max = max.map(|max| max.min(1));
    }
    let times = |count: u32| (0..count).map(|_| Rc::clone(part));
    match (min, max) {
        (0, None) => squashed(Op::Star, part, flags),
        (1, None) => squashed(Op::Plus, part, flags),
        (_, None) => Rc::new(Tree::Concat(times(min - 1).chain([squashed(Op::Plus, part, flags)]).collect())),
        (0, Some(0)) => Rc::new(Tree::Empty),
        (1, Some(1)) => Rc::clone(part),
        (_, Some(max)) => {
            let first = (min > 0).then(|| one_or(times(min).collect(), Tree::Concat));
            let mut more = (max > min).then(|| squashed(Op::Quest, part, flags));
            for _ in min + 1..max {
                more = more.map(|more| squashed(Op::Quest, &Rc::new(Tree::Concat(vec![Rc::clone(part), more])), flags));
            }
            one_or(first.into_iter().chain(more).collect(), Tree::Concat)
        }
    }
}
