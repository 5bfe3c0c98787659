//! Long lists of path rules, looked up by the letters of their patterns: which rule takes a path, and which rules
//! have to do with a label at all.
#![expect(clippy::indexing_slicing, reason = "rules and conditions are numbered by their list")]

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::list::{Label, PathTest};
use super::narrow::{are_disjoint, covers, stem};
use super::pattern::Pattern;
use super::residual::PathList;

/// Rules of a list by what their paths begin or end with.
pub(super) struct PathIndex<'a> {
    /// The list.
    list: &'a PathList,
    /// Rules by a text that their paths must begin with.
    heads: FxHashMap<&'a [u8], Vec<u32>>,
    /// The lengths of those texts.
    head_lengths: BTreeSet<usize>,
    /// Rules by a text that their paths must end with.
    tails: FxHashMap<&'a [u8], Vec<u32>>,
    /// The lengths of those texts.
    tail_lengths: BTreeSet<usize>,
    /// Rules of which neither is known.
    others: Vec<u32>,
}

/// The patterns of which a path must match one: those of the first condition that names any.
pub(super) fn needed<'a>(tests: impl IntoIterator<Item = &'a PathTest>) -> Option<&'a [Pattern]> {
    tests.into_iter().find_map(|test| test.any_of.as_deref())
}

impl<'a> PathIndex<'a> {
    /// The index of a list.
    pub(super) fn new(list: &'a PathList) -> Self {
        let mut index = Self {
            list,
            heads: FxHashMap::default(),
            head_lengths: BTreeSet::new(),
            tails: FxHashMap::default(),
            tail_lengths: BTreeSet::new(),
            others: Vec::new(),
        };
        for (at, (tests, _)) in (0_u32..).zip(&list.rules) {
            let Some(patterns) = needed(tests) else {
                index.others.push(at);
                continue;
            };
            for pattern in patterns {
                if let Some((text, _)) = stem(pattern) {
                    index.heads.entry(text.as_bytes()).or_default().push(at);
                    index.head_lengths.insert(text.len());
                } else if let Pattern::Suffix(text) = pattern {
                    index.tails.entry(text.as_bytes()).or_default().push(at);
                    index.tail_lengths.insert(text.len());
                } else {
                    index.others.push(at);
                }
            }
        }
        index
    }

    /// The label of a path.
    pub(super) fn label(&self, path: &str) -> Label {
        let bytes = path.as_bytes();
        let heads = self.head_lengths.iter().take_while(|length| **length <= bytes.len());
        let heads = heads.filter_map(|length| self.heads.get(&bytes[..*length]));
        let tails = self.tail_lengths.iter().take_while(|length| **length <= bytes.len());
        let tails = tails.filter_map(|length| self.tails.get(&bytes[bytes.len() - length..]));
        let mut likely: Vec<u32> = heads.chain(tails).flatten().chain(&self.others).copied().collect();
        likely.sort_unstable();
        likely.dedup();
        let rules = likely.into_iter().map(|at| &self.list.rules[at as usize]);
        let mut taking = rules.filter(|(tests, _)| tests.iter().all(|test| test.holds(path)));
        taking.next().map_or(self.list.fallback, |(_, label)| *label)
    }
}

/// The last rule of each label.
pub(super) fn last_rules(list: &PathList) -> BTreeMap<Label, usize> {
    list.rules.iter().enumerate().map(|(at, (_, label))| (*label, at)).collect()
}

/// Whether earlier rules take every path of a label, as far as the letters of single patterns tell.
pub(super) fn is_shadowed(list: &PathList, label: Label) -> bool {
    let takes = |tests: &[PathTest], pattern: &Pattern| match tests {
        [PathTest { any_of: Some(some), none_of }] if none_of.is_empty() => some.iter().any(|one| covers(one, pattern)),
        _ => false,
    };
    let gone = |at: usize, pattern: &Pattern| list.rules[..at].iter().any(|(tests, _)| takes(tests, pattern));
    let mut own = list.rules.iter().enumerate().filter(|(_, (_, of))| *of == label);
    list.fallback != label
        && own.all(|(at, (tests, _))| {
            needed(tests).is_some_and(|patterns| patterns.iter().all(|pattern| gone(at, pattern)))
        })
}

/// The part of a list that decides which paths get a label: its own rules, and those before the last of them that
/// may take a path from it. Every other label is joined to one that nobody asks about.
pub(super) fn relevant(list: &PathList, label: Label, end: Option<usize>) -> PathList {
    const ELSEWHERE: Label = Label::IMPOSSIBLE;
    if list.fallback == label {
        let joined = |of: Label| if of == label { label } else { ELSEWHERE };
        let rules = list.rules.iter().map(|(tests, of)| (tests.clone(), joined(*of)));
        return PathList { rules: rules.collect(), fallback: label };
    }
    let rules = &list.rules[..end.map_or(0, |end| end + 1)];
    let own = rules.iter().filter(|(_, of)| *of == label).map(|(tests, _)| needed(tests));
    // Without patterns that every path of the label matches, any rule may have to do with it.
    let patterns: Option<Vec<&[Pattern]>> = own.collect();
    let touches = |tests: &[PathTest]| {
        let (Some(theirs), Some(ours)) = (needed(tests), &patterns) else { return true };
        theirs.iter().any(|one| ours.iter().flat_map(|some| some.iter()).any(|own| !are_disjoint(one, own)))
    };
    let kept = rules.iter().filter(|(tests, of)| *of == label || touches(tests));
    let kept = kept.map(|(tests, of)| (tests.clone(), if *of == label { label } else { ELSEWHERE }));
    PathList { rules: kept.collect(), fallback: ELSEWHERE }
}

#[cfg(test)]
mod tests {
    use super::super::residual::PathList;
    use super::super::tests::{Random, texts};
    use super::super::{DecisionList, Label};
    use super::{PathIndex, is_shadowed, last_rules, relevant};

    /// The rules of a list on nothing but paths.
    fn path_list(list: &DecisionList) -> PathList {
        let rules = list.rules.iter().map(|rule| (rule.cube.path.clone(), rule.label)).collect();
        PathList { rules, fallback: list.default }
    }

    #[test]
    fn the_index_and_the_relevant_part_say_what_the_list_says() {
        let mut random = Random(31);
        let paths: Vec<String> = texts("abA.;", 4).into_iter().map(|text| format!("/{text}")).collect();
        for round in 0..300 {
            let list = path_list(&random.path_list("/abA.;", 12, 6));
            let index = PathIndex::new(&list);
            let ends = last_rules(&list);
            let parts: Vec<(Label, PathList)> = (0..6)
                .map(|label| (Label(label), relevant(&list, Label(label), ends.get(&Label(label)).copied())))
                .collect();
            for path in &paths {
                let label = list.label(path);
                assert_eq!(index.label(path), label, "round {round}: {path} in {list:?}");
                for (of, part) in &parts {
                    assert_eq!(part.label(path) == *of, label == *of, "round {round}: {path}, {of:?} in {list:?}");
                    assert!(label != *of || !is_shadowed(&list, *of), "round {round}: {path}, {of:?} in {list:?}");
                }
            }
        }
    }
}
