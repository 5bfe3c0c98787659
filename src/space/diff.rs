//! What changes from one decision list to another, found by walking both in lock-step: where the same rules are
//! left of both nothing can have changed, so the work follows the change.
#![expect(clippy::indexing_slicing, reason = "pairs of labels are numbered here")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::bank::alphabet;
use super::best::Best;
use super::budget::{Excess, Search};
use super::builder::Joint;
use super::bytes::ByteSet;
use super::diagram::Diagram;
use super::form::{DEAD, Form};
use super::list::Label;
use super::path_book::{PathBook, PathRules};
use super::path_search::{PathSearch, Trail};
use super::residual::{ListMachine, ListState};
use super::store::{Bounds, RuleList, Space};

/// What a request gets from the old list and from the new.
pub type Change = (Label, Label);

/// Pairs of labels, numbered so that a pair can stand where a label does.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// The pairs by number.
    all: Vec<Change>,
    /// The numbers by pair.
    ids: FxHashMap<Change, Label>,
}

impl Pairs {
    /// The number of a pair.
    pub(super) fn id(&mut self, pair: Change) -> Label {
        let fresh = Label(u32::try_from(self.all.len()).unwrap_or(u32::MAX - 1));
        *self.ids.entry(pair).or_insert_with(|| {
            self.all.push(pair);
            fresh
        })
    }
}

impl Space {
    /// The changes from one list to another, each with a request that shows it, or with what was too much to tell
    /// whether there is one. Changes that no request shows are left out.
    #[must_use]
    pub fn changes(self: &Arc<Self>, old: &RuleList, new: &RuleList, bounds: &Bounds) -> BTreeMap<Change, Search> {
        let mut found = BTreeMap::new();
        if old == new {
            return found;
        }
        let mut pairs = Pairs::default();
        let diagram = Diagram::build(self, &[old, new], bounds, &mut Joint::LockStep(&mut pairs));
        let Some(root) = diagram.root else { return found };
        let answers: Vec<BTreeMap<Label, PathSearch>> = diagram
            .leaves
            .iter()
            .map(|lists| match lists.as_slice() {
                [old, new] => solve(&self.paths, old, new, self.budget.path_states, &mut pairs),
                _ => BTreeMap::new(),
            })
            .collect();
        let best = Best::of(&diagram, &answers);
        for (id, pair) in (0..).map(Label).zip(&pairs.all) {
            let way = best.descend(&diagram, root, id);
            let point = way.and_then(|(values, leaf)| match answers[leaf].get(&id)? {
                PathSearch::Found(path) => Some(diagram.point(values.into_iter(), path.clone())),
                PathSearch::Empty | PathSearch::OutOfBudget(_) => None,
            });
            match (point, best.unknown(root, id)) {
                (Some(point), _) => found.insert(*pair, Search::Found(point)),
                (None, Some(why)) => found.insert(*pair, Search::OutOfBudget { why: why.clone() }),
                (None, None) => None,
            };
        }
        found
    }
}

/// Decides which changes some path of a leaf shows: by paths worth trying, and by a proof for the others.
fn solve(
    book: &PathBook,
    old: &PathRules,
    new: &PathRules,
    states: usize,
    pairs: &mut Pairs,
) -> BTreeMap<Label, PathSearch> {
    let mut found = BTreeMap::new();
    let mut wanted: BTreeSet<Change> = BTreeSet::new();
    for from in old.labels() {
        wanted.extend(new.labels().into_iter().filter(|to| from != *to).map(|to| (from, to)));
    }
    for path in book.likely(&[old, new]) {
        if wanted.is_empty() {
            return found;
        }
        let pair = (book.label(old, path), book.label(new, path));
        if wanted.remove(&pair) {
            found.insert(pairs.id(pair), PathSearch::Found(path.to_owned()));
        }
    }
    if wanted.is_empty() {
        return found;
    }
    let (old, new) = (book.spelled(old), book.spelled(new));
    let mut machines = (ListMachine::new(&old), ListMachine::new(&new));
    let (seen, doubt) = explore(&mut machines, &book.form, &mut wanted, states);
    found.extend(seen.into_iter().map(|(pair, path)| (pairs.id(pair), PathSearch::Found(path))));
    let doubt = doubt.map(|doubt| match doubt {
        Doubt::Budget => Excess::Paths(states),
        Doubt::Pattern => {
            let odd = machines.0.unsupported(&old).or_else(|| machines.1.unsupported(&new));
            odd.map_or(Excess::Paths(states), Excess::Pattern)
        }
    });
    if let Some(why) = doubt {
        found.extend(wanted.into_iter().map(|pair| (pairs.id(pair), PathSearch::OutOfBudget(why.clone()))));
    }
    found
}

/// Why a search proves nothing of what it did not find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    /// The budget was used up.
    Budget,
    /// A pattern could not be followed.
    Pattern,
}

/// A breadth-first search through both automata for paths that show the wanted changes.
fn explore(
    machines: &mut (ListMachine, ListMachine),
    form: &Form,
    wanted: &mut BTreeSet<Change>,
    states: usize,
) -> (Vec<(Change, String)>, Option<Doubt>) {
    let (old, new) = machines;
    let bytes = alphabet(&[old.bank(), new.bank()], form, ByteSet::NONE);
    let mut found = Vec::new();
    let mut doubt = None;
    let mut trail = Trail::default();
    let mut seen: FxHashSet<(u8, ListState, ListState)> = FxHashSet::default();
    let mut open = VecDeque::from([(0_u8, old.start(), new.start(), trail.root())]);
    while let Some((shape, before, after, at)) = open.pop_front() {
        for byte in &bytes {
            let shape = form.step(shape, *byte);
            if shape == DEAD {
                continue;
            }
            let state = (shape, old.step(&before, *byte), new.step(&after, *byte));
            let (froms, tos) = (old.labels(state.1.remainder), new.labels(state.2.remainder));
            let hope = wanted.iter().any(|(from, to)| froms.contains(from) && tos.contains(to));
            if !hope || seen.contains(&state) {
                continue;
            }
            if seen.len() >= states {
                return (found, Some(Doubt::Budget));
            }
            seen.insert(state.clone());
            let (shape, before, after) = state;
            let at = trail.add(at, *byte);
            if form.accepts(shape) {
                match (old.possible(&before), new.possible(&after)) {
                    (Ok(from), Ok(to)) => {
                        if wanted.remove(&(from, to)) {
                            found.push(((from, to), trail.text(at)));
                        }
                        if wanted.is_empty() {
                            return (found, doubt);
                        }
                    }
                    (Err(_), _) | (_, Err(_)) => doubt = Some(Doubt::Pattern),
                }
            }
            open.push_back((shape, before, after, at));
        }
    }
    (found, doubt)
}
