//! Requests that the gateways of both sides treat in one way each.

use std::collections::BTreeMap;

use super::fate::Fate;
use super::joint::overlap;
use super::lists::Decided;
use crate::semantics::Verdict;
use crate::space::{Budget, Cube, DecisionList, Label, Point, Rule, RuleStore, Search, Universe};

/// Rules that the list of a region may have.
const MOST_RULES: usize = 50_000;

/// What becomes of requests at a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// They end there
    End(Fate),
    /// They go on, by a way of this number
    Way(usize),
}

/// What a chain of a listener decides.
#[derive(Debug)]
pub(super) struct Gate {
    /// The list, and which values can occur
    pub(super) decided: Decided,
    /// The verdict of each label
    pub(super) verdicts: Vec<Verdict>,
    /// What each label comes to, the same on both sides where it is the same
    pub(super) meanings: Vec<Meaning>,
}

/// Requests that both sides treat in one way each.
#[derive(Debug)]
pub(super) struct Region {
    /// What became of them
    pub(super) before: Meaning,
    /// What becomes of them
    pub(super) now: Meaning,
    /// One of them, where it is known
    pub(super) witness: Option<Point>,
}

impl Gate {
    /// What a label comes to. `None` for requests that cannot occur.
    fn meaning(&self, label: Label) -> Option<&Meaning> {
        usize::try_from(label.0).ok().and_then(|index| self.meanings.get(index))
    }

    /// The list with the numbers of meanings as labels.
    fn numbered(&self, meanings: &mut Vec<Meaning>) -> DecisionList {
        let mut number = |label: Label| {
            let Some(meaning) = self.meaning(label) else { return Label::IMPOSSIBLE };
            let known = meanings.iter().position(|known| known == meaning).unwrap_or_else(|| {
                meanings.push(meaning.clone());
                meanings.len() - 1
            });
            Label(u32::try_from(known).unwrap_or(u32::MAX - 1))
        };
        let rules = self.decided.list.rules.iter();
        let rules = rules.map(|rule| Rule { cube: rule.cube.clone(), label: number(rule.label) }).collect();
        DecisionList { rules, default: number(self.decided.list.default) }
    }
}

impl Region {
    /// The label of the requests of a region.
    pub(super) const WITHIN: Label = Label(1);
    /// The label of all others.
    const ELSEWHERE: Label = Label(0);

    /// The regions in which something may change: where gateways treat requests in another way, and ways that lead to
    /// doors that are touched. And why there may be more.
    pub(super) fn all(
        before: &Gate,
        now: &Gate,
        universe: &Universe,
        touched: &dyn Fn(usize) -> bool,
    ) -> (Vec<Self>, Vec<String>) {
        let mut meanings = Vec::new();
        let lists = [before.numbered(&mut meanings), now.numbered(&mut meanings)];
        let mut store = RuleStore::new(universe.clone());
        let [old, new] = lists.each_ref().map(|list| store.list(list));
        let bounds = store.bounds(&Cube::default());
        let meaning = |label: Label| usize::try_from(label.0).ok().and_then(|at| meanings.get(at)).cloned();
        let mut regions = Vec::new();
        let mut unsettled = Vec::new();
        let changes =
            if old == new { BTreeMap::new() } else { store.freeze(&Budget::default()).changes(&old, &new, &bounds) };
        for ((was, is), search) in changes {
            let (Some(before), Some(now)) = (meaning(was), meaning(is)) else { continue };
            match search {
                Search::Found(point) => regions.push(Self { before, now, witness: Some(point) }),
                Search::OutOfBudget { why } => unsettled.push(why.to_string()),
                Search::Empty => {}
            }
        }
        let kept = before.meanings.iter().filter(|meaning| now.meanings.contains(meaning));
        let kept = kept.filter(|meaning| matches!(meaning, Meaning::Way(way) if touched(*way)));
        regions.extend(kept.map(|meaning| Self { before: meaning.clone(), now: meaning.clone(), witness: None }));
        (regions, unsettled)
    }

    /// The list that says which requests are in the region.
    pub(super) fn list(&self, before: &Gate, now: &Gate) -> Result<DecisionList, String> {
        let label = |label: Label| {
            if now.meaning(label) == Some(&self.now) { Self::WITHIN } else { Self::ELSEWHERE }
        };
        let (old, new) = (&before.decided.list, &now.decided.list);
        let holds = |label: Label| before.meaning(label) == Some(&self.before);
        let expanded = old.rules.iter().filter(|rule| holds(rule.label)).count() + 1;
        if expanded.saturating_mul(new.rules.len() + 1) > MOST_RULES {
            return Err(format!("the routes of both sides combine in more than {MOST_RULES} ways"));
        }
        let mut rules = Vec::new();
        for rule in &old.rules {
            if holds(rule.label) {
                let within = |other: &Rule| Some(Rule::new(overlap(&rule.cube, &other.cube)?, label(other.label)));
                rules.extend(new.rules.iter().filter_map(within));
                rules.push(Rule { cube: rule.cube.clone(), label: label(new.default) });
            } else {
                rules.push(Rule { cube: rule.cube.clone(), label: Self::ELSEWHERE });
            }
        }
        if !holds(old.default) {
            return Ok(DecisionList { rules, default: Self::ELSEWHERE });
        }
        rules.extend(new.rules.iter().map(|other| Rule { cube: other.cube.clone(), label: label(other.label) }));
        Ok(DecisionList { rules, default: label(new.default) })
    }
}
