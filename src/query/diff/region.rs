//! Requests that the gateways of both sides treat in one way each.

use std::collections::BTreeMap;

use indexmap::IndexSet;

use super::fate::Fate;
use super::joint::overlap;
use super::lists::Decided;
use crate::semantics::Verdict;
use crate::space::{Budget, Change, Cube, DecisionList, Label, Point, Rule, RuleStore, Search, Universe};

/// Rules that the list of a region may have.
const MOST_RULES: usize = 50_000;

/// What becomes of requests at a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    fn numbered(&self, meanings: &mut IndexSet<Meaning>) -> DecisionList {
        let numbers = self.meanings.iter().map(|meaning| {
            let (number, _) = meanings.insert_full(meaning.clone());
            Label(u32::try_from(number).unwrap_or(u32::MAX - 1))
        });
        let numbers: Vec<Label> = numbers.collect();
        let number = |label: Label| {
            let known = usize::try_from(label.0).ok().and_then(|index| numbers.get(index));
            known.copied().unwrap_or(Label::IMPOSSIBLE)
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
        let mut meanings = IndexSet::new();
        let lists = [before.numbered(&mut meanings), now.numbered(&mut meanings)];
        let (mut regions, mut unsettled) = (Vec::new(), Vec::new());
        let meaning = |label: Label| usize::try_from(label.0).ok().and_then(|at| meanings.get_index(at)).cloned();
        for ((was, is), search) in changes(&lists, universe) {
            let (Some(before), Some(now)) = (meaning(was), meaning(is)) else { continue };
            match search {
                Search::Found(point) => regions.push(Self { before, now, witness: Some(point) }),
                Search::OutOfBudget { why } => unsettled.push(why.to_string()),
                Search::Empty => {}
            }
        }
        let of_both = |meaning: &&Meaning| before.meanings.contains(meaning) && now.meanings.contains(meaning);
        let kept = meanings.iter().filter(|meaning| matches!(meaning, Meaning::Way(way) if touched(*way)));
        let kept = kept.filter(of_both);
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
        if std::ptr::eq(before, now) {
            let rules = new.rules.iter().map(|rule| Rule { cube: rule.cube.clone(), label: label(rule.label) });
            return Ok(around(DecisionList { rules: rules.collect(), default: label(new.default) }));
        }
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
            return Ok(around(DecisionList { rules, default: Self::ELSEWHERE }));
        }
        rules.extend(new.rules.iter().map(|other| Rule { cube: other.cube.clone(), label: label(other.label) }));
        Ok(DecisionList { rules, default: label(new.default) })
    }
}

/// What changes from one list to the other.
fn changes(lists: &[DecisionList; 2], universe: &Universe) -> BTreeMap<Change, Search> {
    if lists[0] == lists[1] {
        return BTreeMap::new();
    }
    let mut store = RuleStore::new(universe.clone());
    let [old, new] = lists.each_ref().map(|list| store.list(list));
    let bounds = store.bounds(&Cube::default());
    store.freeze(&Budget::default()).changes(&old, &new, &bounds)
}

/// A list that says the same of the requests of its region, without rules that are about others.
fn around(list: DecisionList) -> DecisionList {
    if list.default == Region::WITHIN {
        return list;
    }
    let within: Vec<&Rule> = list.rules.iter().filter(|rule| rule.label == Region::WITHIN).collect();
    let Some(end) = list.rules.iter().rposition(|rule| rule.label == Region::WITHIN) else { return list };
    let meets = |rule: &&Rule| within.iter().any(|other| overlap(&rule.cube, &other.cube).is_some());
    let rules = list.rules.iter().take(end + 1).filter(meets).cloned().collect();
    DecisionList { rules, default: list.default }
}
