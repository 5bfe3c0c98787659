//! Building the decision tree: the live rules go down column by column, equal ones meet in one node.
#![expect(clippy::indexing_slicing, reason = "columns, rules and nodes are numbered here")]

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::budget::Excess;
use super::classes::AtomIds;
use super::diagram::{Branches, Diagram, Edge, Node, Unknown, View};
use super::diff::Pairs;
use super::list::{Label, PathTest};
use super::narrow::Narrowed;
use super::path_book::PathRules;
use super::store::{Bounds, Numbered, RuleList, Space};

/// The rules of one list that are still possible.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Live {
    /// Their places in the list.
    rules: Vec<u32>,
    /// The label where none matches.
    fallback: Label,
}

/// The live rules of every list.
type Lives = SmallVec<[Live; 1]>;

/// A cube as the bounds leave it.
struct Bounded<'a> {
    /// Its tests by column, ascending.
    tests: &'a [(u32, u32)],
    /// Its conditions on the path that the bounds leave open.
    path: SmallVec<[u32; 1]>,
    /// Whether the bounds leave anything of it.
    possible: bool,
}

impl<'a> Bounded<'a> {
    /// What bounds leave of a cube.
    fn of(space: &Space, cube: &'a Numbered, inside: &[PathTest]) -> Self {
        let mut bounded = Self { tests: &cube.tests, path: SmallVec::new(), possible: true };
        for test in &cube.path {
            match space.paths.narrowed(*test, inside) {
                Narrowed::Never => bounded.possible = false,
                Narrowed::Always => {}
                Narrowed::Open => bounded.path.push(*test),
            }
        }
        bounded
    }
}

/// How the lists of a diagram belong together.
pub(super) enum Joint<'a> {
    /// One list, or two that a request meets one after the other; the bounds are about the path at the last.
    Hops,
    /// Two lists for the same request; the bounds are about its path, and only what differs is looked at.
    LockStep(&'a mut Pairs),
}

/// The state of the construction.
struct Builder<'a, 'j> {
    /// The lists.
    lists: &'a [&'a RuleList],
    /// The cubes of their rules.
    cubes: Vec<Vec<Bounded<'a>>>,
    /// The bounds of the question.
    bounds: &'a Bounds,
    /// How the lists belong together.
    joint: &'a mut Joint<'j>,
    /// What is known of dimensions and paths.
    space: &'a Space,
    /// The dimensions in play.
    views: &'a [Option<View>],
    /// What is built.
    nodes: Vec<Node>,
    /// The leaves that are built.
    leaves: Vec<SmallVec<[PathRules; 1]>>,
    /// Nodes by column and live rules.
    memo: FxHashMap<(usize, Lives), usize>,
    /// Leaves by content.
    leaf_ids: FxHashMap<SmallVec<[PathRules; 1]>, usize>,
    /// Nodes by leaf.
    leaf_nodes: FxHashMap<usize, usize>,
}

impl Diagram {
    /// Builds the diagram of some lists. The bounds restrict the dimensions, and the path of the last list.
    pub(super) fn build(space: &Arc<Space>, lists: &[&RuleList], bounds: &Bounds, joint: &mut Joint<'_>) -> Self {
        let views = views(space, lists, bounds);
        let mut diagram = Self {
            space: Arc::clone(space),
            views,
            nodes: Vec::new(),
            leaves: Vec::new(),
            root: None,
            defaults: Vec::new(),
        };
        for (column, view) in diagram.views.iter().enumerate() {
            let Some(view) = view else { continue };
            match view.first_but(&[]) {
                Some(first) if view.allowed.is_some() => diagram.defaults.push((column, first)),
                None if view.classes.incomplete.is_none() => return diagram,
                Some(_) | None => {}
            }
        }
        let cubes_of = |(at, list): (usize, &&RuleList)| {
            let is_bounded = at + 1 == lists.len() || matches!(joint, Joint::LockStep(_));
            let inside = if is_bounded { bounds.inside.as_slice() } else { &[] };
            list.rules.iter().map(|(id, _)| Bounded::of(space, space.cube(*id), inside)).collect()
        };
        let cubes = lists.iter().enumerate().map(cubes_of).collect();
        let mut builder = Builder {
            lists,
            cubes,
            bounds,
            joint,
            space,
            views: &diagram.views,
            nodes: Vec::new(),
            leaves: Vec::new(),
            memo: FxHashMap::default(),
            leaf_ids: FxHashMap::default(),
            leaf_nodes: FxHashMap::default(),
        };
        let possible = |at: usize| {
            let cubes = (0_u32..).zip(&builder.cubes[at]);
            cubes.filter(|(_, cube)| cube.possible).map(|(id, _)| id).collect::<Vec<u32>>()
        };
        let start = lists.iter().enumerate();
        let start = start.map(|(at, list)| builder.live(at, 0, possible(at).into_iter(), list.default)).collect();
        let root = builder.node(0, start);
        let Builder { nodes, leaves, .. } = builder;
        Self { nodes, leaves, root: Some(root), ..diagram }
    }
}

/// The dimensions that some list asks about or the bounds are about.
fn views(space: &Space, lists: &[&RuleList], bounds: &Bounds) -> Vec<Option<View>> {
    let within = &space.cube(bounds.cube).tests;
    let cubes = lists.iter().flat_map(|list| &list.rules).map(|(id, _)| space.cube(*id));
    let mut asked: Vec<Vec<u32>> = vec![Vec::new(); space.columns.len()];
    let mut in_play = vec![false; space.columns.len()];
    for (column, test) in cubes.flat_map(|cube| &cube.tests).chain(within) {
        in_play[*column as usize] = true;
        if space.columns[*column as usize].whole.is_none() {
            asked[*column as usize].push(*test);
        }
    }
    let mut views = Vec::with_capacity(space.columns.len());
    for (column, mut asked) in asked.into_iter().enumerate() {
        let classes = match &space.columns[column].whole {
            _ if !in_play[column] => None,
            Some(whole) => Some((Arc::clone(whole), None)),
            None => {
                asked.sort_unstable();
                asked.dedup();
                let places = asked.iter().copied().zip(0..).collect();
                Some((space.split(column, asked), Some(places)))
            }
        };
        views.push(classes.map(|(classes, places)| View { classes, places, allowed: None }));
    }
    for (column, test) in within {
        if let Some(view) = &mut views[*column as usize] {
            let set = view.set(*test).clone();
            let count = view.classes.atoms.len();
            view.allowed = Some(match &view.allowed {
                Some(allowed) => allowed.and(&set, count),
                None => set,
            });
        }
    }
    views
}

impl Builder<'_, '_> {
    /// The live rules before a column: cut at the first that always matches, and at the end where the rest agrees.
    fn live(&self, list: usize, column: usize, rules: impl Iterator<Item = u32>, fallback: Label) -> Live {
        let mut live = Live { rules: Vec::new(), fallback };
        let label = |id: u32| self.lists[list].rules[id as usize].1;
        for id in rules {
            let cube = &self.cubes[list][id as usize];
            let done = cube.tests.last().is_none_or(|(last, _)| (*last as usize) < column);
            if done && cube.path.is_empty() {
                live.fallback = label(id);
                break;
            }
            live.rules.push(id);
        }
        while live.rules.last().is_some_and(|id| label(*id) == live.fallback) {
            live.rules.pop();
        }
        live
    }

    /// The node of some live rules from a column on.
    fn node(&mut self, from: usize, lives: Lives) -> usize {
        let asked = lives.iter().zip(&self.cubes).flat_map(|(live, cubes)| {
            live.rules.iter().filter_map(|id| {
                let tests = &cubes[*id as usize].tests;
                tests.iter().map(|(column, _)| *column as usize).find(|column| *column >= from)
            })
        });
        let column = asked.min().unwrap_or(self.space.columns.len());
        let key = (column, lives);
        if let Some(node) = self.memo.get(&key) {
            return *node;
        }
        let lives = &key.1;
        let alike = matches!(self.joint, Joint::LockStep(_)) && self.are_alike(lives);
        if alike || column == self.space.columns.len() {
            let leaf = if alike { self.nothing() } else { self.leaf(lives) };
            let node = self.leaf_node(leaf);
            self.memo.insert(key, node);
            return node;
        }
        let node = if self.nodes.len() >= self.space.budget.nodes {
            let why = Excess::Nodes(self.space.budget.nodes);
            Node::Unknown(Unknown { why, labels: self.labels(lives) })
        } else {
            match self.views.get(column).and_then(Option::as_ref) {
                Some(view) => Node::Split(self.branches(column, view, lives)),
                None => Node::Unknown(Unknown { why: Excess::Nodes(0), labels: self.labels(lives) }),
            }
        };
        self.nodes.push(node);
        let id = self.nodes.len() - 1;
        self.memo.insert(key, id);
        id
    }

    /// The one node of a leaf.
    fn leaf_node(&mut self, leaf: usize) -> usize {
        *self.leaf_nodes.entry(leaf).or_insert_with(|| {
            self.nodes.push(Node::Leaf(leaf));
            self.nodes.len() - 1
        })
    }

    /// Whether the same rules are left of two lists.
    fn are_alike(&self, lives: &[Live]) -> bool {
        let [old, new] = lives else { return false };
        let rules = |at: usize, live: &Live| live.rules.iter().map(|id| self.lists[at].rules[*id as usize]).collect();
        let (old_rules, new_rules): (Vec<_>, Vec<_>) = (rules(0, old), rules(1, new));
        old.fallback == new.fallback && old_rules == new_rules
    }

    /// The leaf at which nothing is asked.
    fn nothing(&mut self) -> usize {
        *self.leaf_ids.entry(SmallVec::new()).or_insert_with(|| {
            self.leaves.push(SmallVec::new());
            self.leaves.len() - 1
        })
    }

    /// The labels that the last list may still give, or the changes that may still show.
    fn labels(&mut self, lives: &[Live]) -> Vec<Label> {
        let of = |at: usize| {
            let list = self.lists[at];
            let rules = lives[at].rules.iter().map(|id| list.rules[*id as usize].1);
            let possible = rules.chain([lives[at].fallback]).filter(|label| *label != Label::IMPOSSIBLE);
            possible.collect::<BTreeSet<Label>>()
        };
        match self.joint {
            Joint::Hops => of(lives.len() - 1).into_iter().collect(),
            Joint::LockStep(pairs) => {
                let (old, new) = (of(0), of(1));
                let all = old.iter().flat_map(|from| new.iter().map(|to| (*from, *to)));
                all.filter(|(from, to)| from != to).map(|pair| pairs.id(pair)).collect()
            }
        }
    }

    /// The leaf of some live rules.
    fn leaf(&mut self, lives: &[Live]) -> usize {
        let mut lists: SmallVec<[PathRules; 1]> = SmallVec::with_capacity(lives.len());
        for (list, live) in lives.iter().enumerate() {
            let last = list + 1 == lives.len();
            let outside = if last { self.bounds.outside.as_slice() } else { &[] };
            let outside = outside.iter().map(|test| (SmallVec::from_elem(*test, 1), Label::IMPOSSIBLE));
            let rules = live.rules.iter().map(|id| {
                let (_, label) = self.lists[list].rules[*id as usize];
                (self.cubes[list][*id as usize].path.clone(), label)
            });
            lists.push(PathRules { rules: outside.chain(rules).collect(), fallback: live.fallback });
        }
        if let Some(leaf) = self.leaf_ids.get(&lists) {
            return *leaf;
        }
        self.leaves.push(lists.clone());
        self.leaf_ids.insert(lists, self.leaves.len() - 1);
        self.leaves.len() - 1
    }

    /// Splits a node along a column.
    fn branches(&mut self, column: usize, view: &View, lives: &[Live]) -> Branches {
        // The tests that somebody asks here, and the classes on which each differs from its usual answer.
        let mut asked: SmallVec<[u32; 8]> = SmallVec::new();
        for (live, cubes) in lives.iter().zip(&self.cubes) {
            let tests = live.rules.iter().flat_map(|id| cubes[*id as usize].tests);
            asked.extend(tests.filter(|(at, _)| *at as usize == column).map(|(_, test)| *test));
        }
        asked.sort_unstable();
        asked.dedup();
        let usual: SmallVec<[bool; 8]> = asked.iter().map(|test| view.set(*test).except).collect();
        let mut unusual: Vec<(u32, u32)> = Vec::new();
        for (place, test) in (0..).zip(&asked) {
            let ids = view.set(*test).ids.iter().filter(|atom| view.allows(**atom));
            unusual.extend(ids.map(|atom| (*atom, place)));
        }
        unusual.sort_unstable();
        let askers: SmallVec<[Askers; 1]> =
            lives.iter().zip(&self.cubes).map(|(live, cubes)| askers(live, cubes, column, &asked)).collect();
        let mut groups: FxHashMap<SmallVec<[u32; 4]>, usize> = FxHashMap::default();
        let mut children: Vec<(usize, Vec<u32>)> = Vec::new();
        let mut touched: Vec<u32> = Vec::new();
        for same in unusual.chunk_by(|a, b| a.0 == b.0) {
            let places: SmallVec<[u32; 4]> = same.iter().map(|(_, place)| *place).collect();
            let atom = same[0].0;
            touched.push(atom);
            if let Some(group) = groups.get(&places) {
                children[*group].1.push(atom);
                continue;
            }
            let child = self.child(column, lives, &askers, &usual, &places);
            groups.insert(places, children.len());
            children.push((child, vec![atom]));
        }
        let others = view.count() > touched.len();
        let rest_child = others.then(|| self.child(column, lives, &askers, &usual, &[]));
        let mut by_child: FxHashMap<usize, Vec<u32>> = FxHashMap::default();
        let mut order: Vec<usize> = Vec::new();
        for (child, atoms) in children.into_iter().chain(rest_child.map(|child| (child, Vec::new()))) {
            let known = by_child.entry(child).or_default();
            if !order.contains(&child) {
                order.push(child);
            }
            known.extend(atoms);
        }
        let mut edges: SmallVec<[Edge; 2]> = SmallVec::new();
        for child in order {
            let mut atoms = by_child.remove(&child).unwrap_or_default();
            atoms.sort_unstable();
            let with_rest = rest_child == Some(child);
            let untouched = if with_rest { view.first_but(&touched) } else { None };
            let first = atoms.first().copied().into_iter().chain(untouched).min().unwrap_or(0);
            let atoms = if with_rest {
                let others = touched.iter().filter(|atom| atoms.binary_search(atom).is_err());
                AtomIds { except: true, ids: others.copied().collect() }
            } else {
                AtomIds { except: false, ids: atoms.into() }
            };
            edges.push(Edge { child, atoms, first });
        }
        edges.sort_by_key(|edge| edge.first);
        let rest = view.classes.incomplete.clone().map(|why| Unknown { why, labels: self.labels(lives) });
        Branches { column, edges, rest }
    }

    /// The node behind classes on which these tests differ from their usual answer.
    fn child(&mut self, column: usize, lives: &[Live], askers: &[Askers], usual: &[bool], unusual: &[u32]) -> usize {
        let holds = |place: u32| usual[place as usize] != unusual.contains(&place);
        let next: Lives = lives
            .iter()
            .zip(askers)
            .enumerate()
            .map(|(list, (live, askers))| {
                let mut asking = askers.iter().peekable();
                let survivors = (0..).zip(&live.rules).filter(|(at, _)| match asking.next_if(|(of, _)| of == at) {
                    Some((_, tests)) => tests.iter().all(|place| holds(*place)),
                    None => true,
                });
                self.live(list, column + 1, survivors.map(|(_, id)| *id), live.fallback)
            })
            .collect();
        self.node(column + 1, next)
    }
}

/// The live rules that ask about a column, by their place, with the places of their tests among those asked.
type Askers = Vec<(u32, SmallVec<[u32; 2]>)>;

/// The rules of a list that ask about a column.
fn askers(live: &Live, cubes: &[Bounded<'_>], column: usize, asked: &[u32]) -> Askers {
    let mut all = Vec::new();
    for (at, id) in (0_u32..).zip(&live.rules) {
        let of_column = cubes[*id as usize].tests.iter().filter(|(of, _)| *of as usize == column);
        let place = |test: u32| asked.binary_search(&test).ok().and_then(|place| u32::try_from(place).ok());
        let tests: SmallVec<[u32; 2]> = of_column.filter_map(|(_, test)| place(*test)).collect();
        if !tests.is_empty() {
            all.push((at, tests));
        }
    }
    all
}
