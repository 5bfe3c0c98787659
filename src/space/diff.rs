//! What changes from one decision list to another, found by walking both in lock-step: where the same rules are
//! left of both nothing can have changed, so the work follows the change.
#![expect(clippy::indexing_slicing, reason = "pairs of labels are numbered here")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::bank::Alphabet;
use super::best::Best;
use super::budget::{Excess, Search};
use super::builder::Joint;
use super::bytes::ByteSet;
use super::diagram::Diagram;
use super::form::{DEAD, Form};
use super::list::Label;
use super::narrow::are_disjoint;
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
        let mut leaves: Vec<Leaf> = diagram.leaves.iter().map(|lists| Leaf::of(&self.paths, lists)).collect();
        // A change that is shown anywhere needs no proof anywhere else.
        let mut shown: BTreeSet<Change> = BTreeSet::new();
        for leaf in &mut leaves {
            leaf.try_paths(&self.paths, &mut pairs);
            shown.extend(leaf.shown.iter().copied());
        }
        for leaf in &mut leaves {
            leaf.wanted.retain(|pair| !shown.contains(pair));
            leaf.prove(&self.paths, self.budget.path_states, &mut pairs);
        }
        let answers: Vec<BTreeMap<Label, PathSearch>> = leaves.into_iter().map(|leaf| leaf.answers).collect();
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

/// What two lists make of the paths at one leaf.
#[derive(Debug)]
struct Leaf {
    /// The rules of the old list that have to do with what differs.
    old: PathRules,
    /// The same of the new one.
    new: PathRules,
    /// Changes that may show and were not shown.
    wanted: BTreeSet<Change>,
    /// Changes that some path shows.
    shown: Vec<Change>,
    /// What is known, by pair.
    answers: BTreeMap<Label, PathSearch>,
}

impl Leaf {
    /// A leaf about which nothing is known; one without lists has no changes.
    fn of(book: &PathBook, lists: &[PathRules]) -> Self {
        let none = PathRules { rules: Vec::new(), fallback: Label::IMPOSSIBLE };
        let (old, new, wanted) = match lists {
            [old, new] => differing(book, old, new),
            _ => (none.clone(), none, BTreeSet::new()),
        };
        Self { old, new, wanted, shown: Vec::new(), answers: BTreeMap::new() }
    }

    /// Keeps what paths worth trying show.
    fn try_paths(&mut self, book: &PathBook, pairs: &mut Pairs) {
        if self.wanted.is_empty() {
            return;
        }
        for path in book.likely(&[&self.old, &self.new]) {
            let pair = (book.label(&self.old, &path), book.label(&self.new, &path));
            if self.wanted.remove(&pair) {
                self.answers.insert(pairs.id(pair), PathSearch::Found(path.into_owned()));
                self.shown.push(pair);
            }
            if self.wanted.is_empty() {
                return;
            }
        }
    }

    /// Finds paths of the other changes, or proves that there are none.
    fn prove(&mut self, book: &PathBook, states: usize, pairs: &mut Pairs) {
        if self.wanted.is_empty() {
            return;
        }
        let (old, new) = (book.spelled(&self.old), book.spelled(&self.new));
        let (mut machine, starts) = ListMachine::shared([&old, &new]);
        let (seen, doubt) = explore(&mut machine, starts, book.form, &mut self.wanted, states);
        self.answers.extend(seen.into_iter().map(|(pair, path)| (pairs.id(pair), PathSearch::Found(path))));
        let why = match doubt {
            None => return,
            Some(Doubt::Budget) => Excess::Paths(states),
            Some(Doubt::Pattern) => {
                let odd = machine.unsupported(&old).or_else(|| machine.unsupported(&new));
                odd.map_or(Excess::Paths(states), Excess::Pattern)
            }
        };
        let left = self.wanted.iter().map(|pair| (pairs.id(*pair), PathSearch::OutOfBudget(why.clone())));
        self.answers.extend(left);
    }
}

/// The rules of two lists that have to do with what differs, and the changes that these may make. A path that no rule
/// of one list alone takes is decided alike by the others, as long as those stand in one order.
fn differing(book: &PathBook, old: &PathRules, new: &PathRules) -> (PathRules, PathRules, BTreeSet<Change>) {
    let changes = |may: &dyn Fn(&Change) -> bool| -> BTreeSet<Change> {
        let (froms, tos) = (old.labels(), new.labels());
        let all = froms.iter().flat_map(|from| tos.iter().map(move |to| (*from, *to)));
        all.filter(|pair| pair.0 != pair.1 && may(pair)).collect()
    };
    let sets = [old, new].map(|rules| rules.rules.iter().collect::<FxHashSet<_>>());
    let [in_old, in_new] = &sets;
    let kept = old.rules.iter().filter(|rule| in_new.contains(rule));
    if old.fallback != new.fallback || !kept.eq(new.rules.iter().filter(|rule| in_old.contains(rule))) {
        return (old.clone(), new.clone(), changes(&|_| true));
    }
    let lone_old: Vec<_> = old.rules.iter().filter(|rule| !in_new.contains(rule)).collect();
    let lone_new: Vec<_> = new.rules.iter().filter(|rule| !in_old.contains(rule)).collect();
    let labels = |rules: &[&(_, Label)]| rules.iter().map(|(_, label)| *label).collect::<BTreeSet<Label>>();
    let (from, to) = (labels(&lone_old), labels(&lone_new));
    let wanted = changes(&|pair| from.contains(&pair.0) || to.contains(&pair.1));
    // Without patterns that every path of a lone rule matches, any rule may have to do with it.
    let lone = lone_old.into_iter().chain(lone_new).map(|(tests, _)| book.needed(tests));
    let Some(patterns) = lone.collect::<Option<Vec<_>>>() else { return (old.clone(), new.clone(), wanted) };
    let touches = |tests: &[u32]| match book.needed(tests) {
        Some(own) => own.iter().any(|one| patterns.iter().copied().flatten().any(|other| !are_disjoint(one, other))),
        None => true,
    };
    let part = |rules: &PathRules| {
        let part = rules.rules.iter().filter(|(tests, _)| touches(tests)).cloned();
        PathRules { rules: part.collect(), fallback: rules.fallback }
    };
    (part(old), part(new), wanted)
}

/// Why a search proves nothing of what it did not find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    /// The budget was used up.
    Budget,
    /// A pattern could not be followed.
    Pattern,
}

/// A breadth-first search for paths that show the wanted changes.
fn explore(
    machine: &mut ListMachine,
    starts: [ListState; 2],
    form: &Form,
    wanted: &mut BTreeSet<Change>,
    states: usize,
) -> (Vec<(Change, String)>, Option<Doubt>) {
    let bytes = Alphabet::of(&[machine.bank()], form, ByteSet::NONE);
    let [old, new] = starts;
    let mut found = Vec::new();
    let mut doubt = None;
    let mut trail = Trail::default();
    let mut seen: FxHashSet<(u8, ListState, ListState)> = FxHashSet::default();
    let mut open = VecDeque::from([(0_u8, old, new, trail.root())]);
    while let Some((shape, before, after, at)) = open.pop_front() {
        for byte in bytes.bytes() {
            let shape = form.step(shape, byte);
            if shape == DEAD {
                continue;
            }
            let state = (shape, machine.step(&before, byte), machine.step(&after, byte));
            let (froms, tos) = (machine.labels(state.1.remainder), machine.labels(state.2.remainder));
            let hope = wanted.iter().any(|(from, to)| froms.contains(from) && tos.contains(to));
            // Where both are in one state nothing differs any more.
            if !hope || state.1 == state.2 || seen.contains(&state) {
                continue;
            }
            if seen.len() >= states {
                return (found, Some(Doubt::Budget));
            }
            seen.insert(state.clone());
            let (shape, before, after) = state;
            let at = trail.add(at, byte);
            if form.accepts(shape) {
                match (machine.possible(&before), machine.possible(&after)) {
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
