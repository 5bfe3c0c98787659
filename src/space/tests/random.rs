//! A small deterministic source of random choices, patterns and lists.

use std::sync::Arc;

use super::super::{ByteSet, Cube, DecisionList, Dimension, Label, PathTest, Pattern, Piece, Rule, Test};

pub(in super::super) struct Random(pub(in super::super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[self.below(some.len())]
    }

    /// A text over a small alphabet.
    pub(super) fn text(&mut self, letters: &str, most: usize) -> String {
        let letters: Vec<char> = letters.chars().collect();
        (0..self.below(most + 1)).map(|_| *self.pick(&letters)).collect()
    }

    pub(super) fn path_pattern(&mut self, letters: &str) -> Pattern {
        let text: Box<str> = self.text(letters, 4).into();
        let path: Box<str> = format!("/{}", self.text(letters, 3)).into();
        match self.below(12) {
            0..=2 => Pattern::Prefix(path),
            3..=4 => Pattern::Exact(path),
            5 => [Pattern::Suffix(text.clone()), Pattern::Contains(text)][self.below(2)].clone(),
            6 => Pattern::PrefixIgnoreCase(path),
            7 => {
                let folded = [Pattern::ExactIgnoreCase("/aB".into()), Pattern::SuffixIgnoreCase("Ba".into())];
                self.pick(&[vec![Pattern::Any, Pattern::NonEmpty], folded.to_vec()].concat()).clone()
            }
            8..=9 => {
                let class = if self.chance(50) { ByteSet::SEGMENT } else { ByteSet::from_bytes(b"abAB.-;") };
                let at_least = u8::from(self.chance(50));
                let mut pieces = vec![Piece::Literal(path), Piece::Repeat { bytes: class, at_least }];
                if self.chance(50) {
                    pieces.push(Piece::Literal(text));
                }
                Pattern::sequence(&pieces)
            }
            _ => {
                let some = ["/a.*", "/(a|b)+", "/[^a]*", "/a?b?/?.*b", "(?i)/A.*", "/.*\\.\\..*", "/.?;?.*"];
                Pattern::regex(some[self.below(some.len())]).unwrap()
            }
        }
    }

    pub(super) fn path_test(&mut self, letters: &str) -> PathTest {
        let mut some =
            |most: usize| -> Vec<Pattern> { (0..self.below(most + 1)).map(|_| self.path_pattern(letters)).collect() };
        let none_of = some(1);
        let any_of = some(3);
        PathTest { any_of: (!any_of.is_empty() || self.chance(5)).then_some(any_of), none_of }
    }

    pub(super) fn test(&mut self, dimension: Dimension, pattern: &mut impl FnMut(&mut Self) -> Pattern) -> Test {
        let none_of = (0..self.below(2)).map(|_| pattern(self)).collect();
        let any_of: Vec<Pattern> = (0..self.below(3)).map(|_| pattern(self)).collect();
        Test { dimension, any_of: (!any_of.is_empty()).then_some(any_of), none_of }
    }

    /// A list of path rules alone.
    pub(in super::super) fn path_list(&mut self, letters: &str, rules: usize, labels: usize) -> DecisionList {
        let rules = (0..=self.below(rules)).map(|_| {
            let path = (0..=self.below(2)).map(|_| self.path_test(letters)).collect();
            Rule::new(Cube { tests: Vec::new(), path }, self.label(labels))
        });
        let rules = rules.collect();
        DecisionList { rules, default: self.label(labels) }
    }

    pub(super) fn label(&mut self, labels: usize) -> Label {
        Label(u32::try_from(self.below(labels)).unwrap())
    }
}

/// Every text over some letters up to a length.
pub(in super::super) fn texts(letters: &str, most: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..most {
        last = last.iter().flat_map(|text| letters.chars().map(move |c| format!("{text}{c}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

#[test]
fn equal_patterns_are_one() {
    let twice = [(); 2].map(|()| Pattern::regex("a|b").unwrap());
    assert_eq!(twice[0], twice[1]);
    let Pattern::Language(language) = &twice[0] else { unreachable!("a regex is a language") };
    assert_eq!(Arc::strong_count(language), 1);
}
