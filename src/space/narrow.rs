//! What a bound on the path settles of a condition by its letters alone, before any automaton is built.

use super::list::{Cube, DecisionList, Dimension, PathTest, Rule, Test};
use super::pattern::Pattern;

/// What is known of a condition within a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Narrowed {
    /// No path within the bound satisfies it.
    Never,
    /// Every path within the bound satisfies it.
    Always,
    /// It depends on the path.
    Open,
}

/// What a bound settles of a condition.
pub(super) fn narrowed(test: &PathTest, bound: &PathTest) -> Narrowed {
    let Some(within) = &bound.any_of else { return Narrowed::Open };
    let missed = |patterns: &[Pattern]| patterns.iter().all(|one| within.iter().all(|part| are_disjoint(one, part)));
    let covered = |patterns: &[Pattern]| within.iter().all(|part| patterns.iter().any(|one| covers(one, part)));
    if test.any_of.as_deref().is_some_and(missed) || covered(&test.none_of) {
        return Narrowed::Never;
    }
    if test.any_of.as_deref().is_none_or(covered) && missed(&test.none_of) {
        return Narrowed::Always;
    }
    Narrowed::Open
}

impl DecisionList {
    /// The list without rules that decide no request within a cube, as far as the letters of their patterns tell, and
    /// without those at its end that say what the default says.
    #[must_use]
    pub fn near(&self, within: &Cube) -> Self {
        let is_near = |rule: &&Rule| !are_apart(&rule.cube, within) && !is_void(&rule.cube);
        let mut rules: Vec<Rule> = self.rules.iter().filter(is_near).cloned().collect();
        let end = rules.iter().rposition(|rule| rule.label != self.default).map_or(0, |last| last + 1);
        rules.truncate(end);
        Self { rules, default: self.default }
    }
}

/// Whether no request is in both cubes, as far as the letters of their patterns tell.
fn are_apart(one: &Cube, other: &Cube) -> bool {
    let apart = |a: &Option<Vec<Pattern>>, b: &Option<Vec<Pattern>>| {
        let (Some(a), Some(b)) = (a, b) else { return false };
        a.iter().all(|one| b.iter().all(|other| are_disjoint(one, other)))
    };
    let has_one_value = |test: &&Test| !matches!(test.dimension, Dimension::Header(_) | Dimension::Claim(_));
    let tests_apart = |test: &Test| {
        let mut theirs = other.tests.iter().filter(|other| other.dimension == test.dimension);
        theirs.any(|other| apart(&test.any_of, &other.any_of))
    };
    let never = |test: &PathTest, bound: &PathTest| narrowed(test, bound) == Narrowed::Never;
    let paths_apart = |test: &PathTest| other.path.iter().any(|bound| never(test, bound) || never(bound, test));
    one.tests.iter().filter(has_one_value).any(tests_apart) || one.path.iter().any(paths_apart)
}

/// Whether no request is in a cube, as far as the letters of its patterns tell: what it asks for it leaves out again.
fn is_void(cube: &Cube) -> bool {
    let left_out = |any_of: &Option<Vec<Pattern>>, none_of: &[Pattern]| {
        let gone = |one: &Pattern| none_of.iter().any(|other| covers(other, one));
        any_of.as_deref().is_some_and(|any_of| any_of.iter().all(gone))
    };
    let of_test = |test: &Test| {
        let mut tests = cube.tests.iter().filter(|other| other.dimension == test.dimension);
        tests.any(|other| left_out(&test.any_of, &other.none_of))
    };
    let of_path = |test: &PathTest| cube.path.iter().any(|other| left_out(&test.any_of, &other.none_of));
    cube.tests.iter().any(of_test) || cube.path.iter().any(of_path)
}

/// The text that a value must be or begin with, and whether it must be it.
pub(super) fn stem(pattern: &Pattern) -> Option<(&str, bool)> {
    match pattern {
        Pattern::Exact(text) => Some((text, true)),
        Pattern::Prefix(text) => Some((text, false)),
        Pattern::Any => Some(("", false)),
        Pattern::Language(language) => Some((language.stem(), false)),
        Pattern::Suffix(_)
        | Pattern::Contains(_)
        | Pattern::NonEmpty
        | Pattern::ExactIgnoreCase(_)
        | Pattern::PrefixIgnoreCase(_)
        | Pattern::SuffixIgnoreCase(_)
        | Pattern::Cidr(_) => None,
    }
}

/// Whether no value matches both, as far as their letters tell.
pub(super) fn are_disjoint(one: &Pattern, other: &Pattern) -> bool {
    match (one, other) {
        (Pattern::Exact(text), pattern) | (pattern, Pattern::Exact(text)) => return !pattern.matches(text),
        (Pattern::ExactIgnoreCase(a), Pattern::ExactIgnoreCase(b)) => return !a.eq_ignore_ascii_case(b),
        _ => {}
    }
    let (Some((a, _)), Some((b, _))) = (stem(one), stem(other)) else { return false };
    !a.starts_with(b) && !b.starts_with(a)
}

/// Whether every value of the second matches the first, as far as their letters tell.
pub(super) fn covers(one: &Pattern, other: &Pattern) -> bool {
    match (one, other) {
        (Pattern::Any, _) => return true,
        (_, Pattern::Exact(text)) => return one.matches(text),
        (Pattern::NonEmpty, Pattern::Prefix(text) | Pattern::Suffix(text) | Pattern::Contains(text)) => {
            return !text.is_empty();
        }
        (Pattern::Suffix(a), Pattern::Suffix(b)) => return b.ends_with(&**a),
        // A language begins so, and not everything that begins so is in it.
        (Pattern::Language(_), _) => return one == other,
        _ => {}
    }
    let (Some((a, whole)), Some((b, other_whole))) = (stem(one), stem(other)) else { return one == other };
    if whole { other_whole && a == b } else { b.starts_with(a) }
}

#[cfg(test)]
mod tests {
    use super::{Narrowed, narrowed};
    use crate::space::{PathTest, Pattern};

    /// The paths `/api` and below.
    fn bound() -> PathTest {
        PathTest::any(vec![Pattern::Exact("/api".into()), Pattern::Prefix("/api/".into())])
    }

    /// What the bound settles of a condition.
    fn check(any_of: Option<&[Pattern]>, none_of: &[Pattern], expected: Narrowed) {
        let test = PathTest { any_of: any_of.map(<[Pattern]>::to_vec), none_of: none_of.to_vec() };
        assert_eq!(narrowed(&test, &bound()), expected, "{test:?}");
        // Whatever is settled must be so on every path within the bound.
        for path in ["/api", "/api/", "/api/x", "/api/x/y", "/api/users/7", "/api//"] {
            match expected {
                Narrowed::Never => assert!(!test.holds(path), "{test:?} holds for {path}"),
                Narrowed::Always => assert!(test.holds(path), "{test:?} fails for {path}"),
                Narrowed::Open => {}
            }
        }
    }

    #[test]
    fn a_bound_settles_what_lies_beside_it_and_what_holds_all_of_it() {
        let exact = |text: &str| Pattern::Exact(text.into());
        let prefix = |text: &str| Pattern::Prefix(text.into());
        let suffix = |text: &str| Pattern::Suffix(text.into());
        check(Some(&[prefix("/users")]), &[], Narrowed::Never);
        check(Some(&[exact("/apis"), prefix("/apix/")]), &[], Narrowed::Never);
        check(Some(&[]), &[], Narrowed::Never);
        check(Some(&[prefix("/a")]), &[], Narrowed::Always);
        check(Some(&[exact("/api"), prefix("/api/")]), &[], Narrowed::Always);
        check(Some(&[prefix("/api/")]), &[], Narrowed::Open);
        check(Some(&[prefix("/api/users")]), &[], Narrowed::Open);
        check(Some(&[Pattern::regex("/users/.*").unwrap()]), &[], Narrowed::Never);
        check(Some(&[Pattern::regex("/ap.*").unwrap()]), &[], Narrowed::Open);
        check(Some(&[suffix("/x")]), &[], Narrowed::Open);
        check(None, &[prefix("/")], Narrowed::Never);
        check(None, &[prefix("/users"), exact("/ap")], Narrowed::Always);
        check(None, &[prefix("/api/users")], Narrowed::Open);
        check(Some(&[prefix("/a")]), &[suffix("/x")], Narrowed::Open);
        check(Some(&[prefix("/a")]), &[prefix("/api")], Narrowed::Never);
        check(Some(&[suffix("/x")]), &[Pattern::Any], Narrowed::Never);
        check(Some(&[Pattern::NonEmpty]), &[], Narrowed::Always);
    }
}
