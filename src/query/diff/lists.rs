//! Two decision lists about the same requests, walked in lock-step.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexSet;

use super::change::ChangeKind;
use super::fate::Fate;
use crate::semantics::Decision;
use crate::space::{
    Bounds, Budget, Change as LabelChange, Cube, DecisionList, Dimension, Domain, Label, PathDomain, Rule, RuleList,
    RuleStore, Search, Space, Universe, Values,
};

/// What one side decides at a place.
#[derive(Debug, Clone)]
pub(super) struct Decided {
    /// First match wins
    pub(super) list: DecisionList,
    /// Which values can occur
    pub(super) universe: Universe,
    /// The meaning of label `n` at index `n`
    pub(super) fates: Vec<Fate>,
}

/// What differs between the lists of both sides.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// Fates before and now, and a request that meets them
    pub(super) found: Vec<(Fate, Fate, crate::space::Point)>,
    /// Why it cannot be told whether there is more
    pub(super) unsettled: Vec<String>,
    /// The paths that the requests have
    pub(super) path: Option<PathDomain>,
}

impl Decided {
    /// All requests end alike.
    pub(super) fn all(fate: Fate, universe: Universe) -> Self {
        Self { list: DecisionList { rules: Vec::new(), default: Label(0) }, universe, fates: vec![fate] }
    }

    /// The fate of a label. `None` for requests that cannot occur.
    pub(super) fn fate(&self, label: Label) -> Option<&Fate> {
        usize::try_from(label.0).ok().and_then(|index| self.fates.get(index))
    }

    /// The list with other labels.
    pub(super) fn relabelled(&self, mut label: impl FnMut(&Fate) -> Label) -> DecisionList {
        let mut new = |of: Label| self.fate(of).map_or(Label::IMPOSSIBLE, &mut label);
        let rules = self.list.rules.iter().map(|rule| Rule { cube: rule.cube.clone(), label: new(rule.label) });
        let rules = rules.collect();
        DecisionList { rules, default: new(self.list.default) }
    }

    /// Whether some rule asks for the path.
    pub(super) fn reads_path(&self) -> bool {
        self.list.rules.iter().any(|rule| !rule.cube.path.is_empty())
    }

    /// Whether every request ends alike.
    fn is_constant(&self) -> bool {
        self.list.rules.is_empty()
    }
}

/// The label of a decision.
fn by_decision(decision: Decision) -> Label {
    Label(match decision {
        Decision::Allowed => 0,
        Decision::Denied => 1,
        Decision::Undetermined => 2,
    })
}

/// The decision of a label.
fn decision_of(label: Label) -> Option<Decision> {
    [Decision::Allowed, Decision::Denied, Decision::Undetermined].into_iter().find(|known| by_decision(*known) == label)
}

/// What differs between the lists of both sides: first whether anything does, then why.
pub(super) fn compare(old: &Decided, new: &Decided) -> Differences {
    let mut differences = Differences::default();
    let universe = match joint_universe(old, new) {
        Ok(universe) => universe,
        Err(why) => {
            differences.unsettled.push(why);
            return differences;
        }
    };
    differences.path = Some(universe.path);
    let effect = |fate: &Fate| by_decision(fate.decision);
    let changed = changes(&universe, &old.relabelled(effect), &new.relabelled(effect));
    if changed.is_empty() {
        return differences;
    }
    // Fates are told apart where their decision is part of a change; the others stay together.
    let decisions: BTreeSet<Decision> =
        changed.keys().flat_map(|(before, now)| [decision_of(*before), decision_of(*now)]).flatten().collect();
    let mut fates: IndexSet<Fate> = IndexSet::new();
    let mut fine = |fate: &Fate| {
        if !decisions.contains(&fate.decision) {
            return by_decision(fate.decision);
        }
        let (index, _) = fates.insert_full(fate.clone());
        Label(u32::try_from(index + 3).unwrap_or(u32::MAX - 1))
    };
    let (before, now) = (old.relabelled(&mut fine), new.relabelled(&mut fine));
    let own = |decided: &Decided, label: Label| {
        let wanted = fates.get_index(usize::try_from(label.0).ok()?.checked_sub(3)?)?;
        // The places of a fate are those of its own side.
        decided.fates.iter().find(|fate| *fate == wanted).cloned()
    };
    for ((before, now), search) in changes(&universe, &before, &now) {
        let (Some(before), Some(now)) = (own(old, before), own(new, now)) else { continue };
        if ChangeKind::of(before.decision, now.decision).is_none() {
            continue;
        }
        match search {
            Search::Found(point) => differences.found.push((before, now, point)),
            Search::OutOfBudget { why } => differences.unsettled.push(why.to_string()),
            Search::Empty => {}
        }
    }
    differences
}

/// The changes from one list to another.
fn changes(universe: &Universe, old: &DecisionList, new: &DecisionList) -> BTreeMap<LabelChange, Search> {
    let mut store = RuleStore::new(universe.clone());
    let bounds: Bounds = store.bounds(&Cube::default());
    let [old, new]: [RuleList; 2] = [store.list(old), store.list(new)];
    if old == new {
        return BTreeMap::new();
    }
    let space: std::sync::Arc<Space> = store.freeze(&Budget::default());
    space.changes(&old, &new, &bounds)
}

/// The values that can occur on either side. `Err`: why the lists speak of different things.
pub(super) fn joint_universe(old: &Decided, new: &Decided) -> Result<Universe, String> {
    if old.is_constant() || new.is_constant() {
        return Ok(if new.is_constant() { old.universe.clone() } else { new.universe.clone() });
    }
    let mut universe = new.universe.clone();
    universe.path = joint_path(&[new, old])?;
    for (dimension, domain) in &old.universe.domains {
        let other = new.universe.domain(dimension);
        universe.set(dimension.clone(), joint_domain(domain, &other));
    }
    let only_new = new.universe.domains.keys().filter(|dimension| !old.universe.domains.contains_key(dimension));
    for dimension in only_new.cloned().collect::<Vec<Dimension>>() {
        let domain = joint_domain(&old.universe.domain(&dimension), &new.universe.domain(&dimension));
        universe.set(dimension, domain);
    }
    Ok(universe)
}

/// The paths that lists ask for; any of theirs where none does. `Err`: they ask for different ones.
pub(super) fn joint_path(lists: &[&Decided]) -> Result<PathDomain, String> {
    let mut asked = lists.iter().filter(|decided| decided.reads_path()).map(|decided| decided.universe.path);
    let first = asked.next();
    if asked.any(|other| Some(other) != first) {
        return Err("the sides normalise paths differently, so their path rules cannot be compared".to_owned());
    }
    let unasked = || lists.iter().map(|decided| decided.universe.path);
    let normalized = unasked().find(|path| *path != PathDomain::Raw);
    Ok(first.or(normalized).or_else(|| unasked().next()).unwrap_or(PathDomain::Raw))
}

/// The values of either domain, the second's representatives first.
pub(super) fn joint_domain(one: &Domain, other: &Domain) -> Domain {
    let mut other = other.clone();
    other.values = match (&one.values, other.values) {
        (Values::Finite(some), Values::Finite(mut more)) => {
            more.extend(some.iter().filter(|value| !more.contains(value)).cloned().collect::<Vec<_>>());
            Values::Finite(more)
        }
        (Values::Finite(_), wide) => wide,
        (wide, _) => wide.clone(),
    };
    other.absent |= one.absent;
    other.several |= one.several;
    let missing = one.preferred.iter().filter(|value| !other.preferred.contains(value)).cloned();
    let missing: Vec<_> = missing.collect();
    other.preferred.extend(missing);
    other
}
