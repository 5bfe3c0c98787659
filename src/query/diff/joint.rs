//! Lists that say what several say together.

use super::fate::Fate;
use super::lists::{Decided, joint_universe};
use crate::space::{Cube, DecisionList, Dimension, Label, Pattern, Rule, Test};

/// Rules that a product of two lists may have.
const MOST_RULES: usize = 50_000;

/// Pairs of rules that are looked at for it.
const MOST_PAIRS: usize = 4_000_000;

/// A list that asks about another dimension.
pub(super) fn renamed(list: DecisionList, from: &Dimension, to: &Dimension) -> DecisionList {
    if !list.dimensions().contains(from) {
        return list;
    }
    let rule = |rule: &Rule| {
        let mut cube = Cube::clone(&rule.cube);
        cube.tests.iter_mut().filter(|test| test.dimension == *from).for_each(|test| test.dimension = to.clone());
        Rule::new(cube, rule.label)
    };
    DecisionList { rules: list.rules.iter().map(rule).collect(), default: list.default }
}

impl Decided {
    /// What both decide together.
    pub(super) fn with(&self, other: &Self, both: impl Fn(&Fate, &Fate) -> Fate) -> Result<Self, String> {
        let mut fates: Vec<Fate> = Vec::new();
        let list = product(&self.list, &other.list, |one, another| {
            let (Some(one), Some(another)) = (self.fate(one), other.fate(another)) else { return Label::IMPOSSIBLE };
            let fate = both(one, another);
            let known = fates.iter().position(|known| *known == fate).unwrap_or_else(|| {
                fates.push(fate);
                fates.len() - 1
            });
            Label(u32::try_from(known).unwrap_or(u32::MAX - 1))
        })?;
        let universe = joint_universe(self, other)?;
        Ok(Self { list, universe, fates })
    }
}

/// A list that says of each request what both lists say of it. What both begin with is kept as it is: who is decided
/// there is decided there by both.
pub(super) fn product(
    one: &DecisionList,
    other: &DecisionList,
    mut both: impl FnMut(Label, Label) -> Label,
) -> Result<DecisionList, String> {
    let shared = one.rules.iter().zip(&other.rules).take_while(|(one, other)| one.cube == other.cube).count();
    let mut rules: Vec<Rule> = Vec::new();
    for (first, second) in one.rules.iter().zip(&other.rules).take(shared) {
        rules.push(Rule { cube: first.cube.clone(), label: both(first.label, second.label) });
    }
    let (left, right) = (one.rules.iter().skip(shared), || other.rules.iter().skip(shared));
    if (one.rules.len() - shared + 1).saturating_mul(other.rules.len() - shared + 1) > MOST_PAIRS {
        return Err(too_many());
    }
    for first in left {
        for second in right() {
            let label = both(first.label, second.label);
            rules.extend(overlap(&first.cube, &second.cube).map(|cube| Rule::new(cube, label)));
        }
        rules.push(Rule { cube: first.cube.clone(), label: both(first.label, other.default) });
        if rules.len() > MOST_RULES {
            return Err(too_many());
        }
    }
    for second in right() {
        rules.push(Rule { cube: second.cube.clone(), label: both(one.default, second.label) });
    }
    Ok(DecisionList { rules, default: both(one.default, other.default) })
}

/// Why a product is not made.
fn too_many() -> String {
    format!("the rules of both sides combine in more than {MOST_RULES} ways")
}

/// Both cubes at once. `None`: no request is in both, as far as single tests tell.
pub(super) fn overlap(one: &Cube, other: &Cube) -> Option<Cube> {
    let apart = one.tests.iter().any(|test| other.tests.iter().any(|second| are_apart(test, second)));
    (!apart).then(|| one.and(other))
}

/// Whether two tests hold for no value of their dimension together.
fn are_apart(one: &Test, other: &Test) -> bool {
    if one.dimension != other.dimension {
        return false;
    }
    let covers = |pattern: &Pattern, narrow: &Pattern| {
        let Pattern::Exact(text) = narrow else { return *pattern == Pattern::Any || pattern == narrow };
        pattern.matches(text)
    };
    let shut = |yes: &Test, no: &Test| {
        let all = |pattern: &Pattern| no.none_of.iter().any(|excluded| covers(excluded, pattern));
        yes.any_of.as_ref().is_some_and(|any_of| any_of.iter().all(all))
    };
    if shut(one, other) || shut(other, one) {
        return true;
    }
    // A header or a claim may have a value for either.
    let single = !matches!(one.dimension, Dimension::Header(_) | Dimension::Claim(_));
    let (Some(some), Some(others)) = (&one.any_of, &other.any_of) else { return false };
    let exact = |pattern: &&Pattern| matches!(pattern, Pattern::Exact(_));
    let meets = |pattern: &Pattern| others.iter().any(|other| covers(other, pattern));
    single && some.iter().all(|pattern| exact(&pattern)) && !some.iter().any(meets)
}
