//! Two hops: what the second proxy can be made to decide through a route of the first.
//!
//! The path is rewritten between the hops and normalised a second time. Normalisation is not
//! idempotent: a segment `..;` that arrived escaped survives the first and is resolved by the
//! second. Paths without such segments are explored exactly; of the others likely ones are tried,
//! and where that settles nothing the answer says so.

#![expect(clippy::wildcard_enum_match_arm, reason = "a rewrite that is not named leaves the path as it is")]

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::atoms::{self, Atom};
use super::decision_list::{Cube, DecisionList, Dimension, Label, PathDomain, Point, Rule, Universe};
use super::explore::{Budget, Flow, explore};
use super::normal_form::Form;
use super::normalize::{Normalization, normalize, wire_form};
use super::pair::Pair;
use super::partition::{classes, restricted};
use super::path_list::{PathList, PathSearch, cost};
use super::pattern::Pattern;
use super::rewrite::{PathRewrite, rewrite_path};

/// What searching for a request through a route gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TwoHopSearch {
    /// This one
    Found {
        /// As the first proxy sees it
        first: Point,
        /// The path as sent
        wire_path: String,
        /// The path as the second proxy sees it
        second_path: String,
    },
    /// There is none: proven
    Empty,
    /// Not settled
    OutOfBudget {
        /// Why not
        why: String,
    },
}

/// For each label of the second list a request that the first list sends that way and the second labels so.
///
/// `within` constrains the request as the second hop sees it. Dimensions that both lists look at
/// have the same values at both.
pub fn through(
    first: &DecisionList,
    via: Label,
    rewrite: &PathRewrite,
    second: &DecisionList,
    within: &Cube,
    universe: &Universe,
    budget: &Budget,
) -> BTreeMap<Label, TwoHopSearch> {
    let second = restricted(second, within);
    let wanted: BTreeSet<Label> = second
        .rules
        .iter()
        .map(|rule| rule.label)
        .chain([second.default])
        .filter(|label| !label.is_left_out())
        .collect();
    let all = |search: TwoHopSearch| wanted.iter().map(|label| (*label, search.clone())).collect();
    let found = match classes(first.rules.iter().chain(&second.rules), universe, budget) {
        Err(why) => return all(TwoHopSearch::OutOfBudget { why }),
        Ok(classes) => classes,
    };
    let mut walk = Walk {
        first,
        second: &second,
        via,
        rewrite,
        mode: match universe.path {
            PathDomain::Normalized(mode) => mode,
            PathDomain::Raw => Normalization::None,
        },
        dimensions: &found.dimensions,
        patterns: &found.patterns,
        atoms: &found.atoms,
        budget,
        nodes: budget.nodes,
        memo: FxHashMap::default(),
        leaves: FxHashMap::default(),
    };
    let everything = |list: &DecisionList| (0..u32::try_from(list.rules.len()).unwrap_or(u32::MAX)).collect();
    match walk.node(0, everything(first), everything(&second)) {
        Err(why) => all(TwoHopSearch::OutOfBudget { why }),
        Ok(best) => wanted
            .into_iter()
            .map(|label| (label, best.get(&label).map_or(TwoHopSearch::Empty, |(_, search)| search.clone())))
            .collect(),
    }
}

/// For each label of the second list the cheapest request.
type Best = BTreeMap<Label, (usize, TwoHopSearch)>;

/// Dimension and live rules of both lists.
type Key = (usize, Vec<u32>, Vec<u32>);

/// Both lists in lock-step.
struct Walk<'a> {
    /// At the first hop
    first: &'a DecisionList,
    /// At the second hop
    second: &'a DecisionList,
    /// The label that goes on
    via: Label,
    /// What becomes of the path
    rewrite: &'a PathRewrite,
    /// How both proxies normalise
    mode: Normalization,
    /// Dimensions in play
    dimensions: &'a [Dimension],
    /// Patterns of each
    patterns: &'a [Vec<Pattern>],
    /// Classes of each
    atoms: &'a [Vec<Atom>],
    /// How much work
    budget: &'a Budget,
    /// Nodes left
    nodes: usize,
    /// Results by node
    memo: FxHashMap<Key, Best>,
    /// Results by leaf
    leaves: FxHashMap<(PathList, PathList), BTreeMap<Label, PathThrough>>,
}

/// A path through both hops.
#[derive(Debug, Clone)]
enum PathThrough {
    /// As the first proxy sees it, and as the second does
    Found(String, String),
    /// Not settled
    Unknown(String),
}

impl Walk<'_> {
    /// The rules of a list whose tests on a dimension hold for an atom.
    fn survivors(&self, list: &DecisionList, at: usize, atom: &Atom, live: &[u32]) -> Vec<u32> {
        let (Some(dimension), Some(patterns)) = (self.dimensions.get(at), self.patterns.get(at)) else {
            return live.to_vec();
        };
        let matched =
            |pattern: &Pattern| patterns.binary_search(pattern).is_ok_and(|index| atoms::holds(&atom.truth, index));
        let keep = |index: &&u32| {
            list.rules.get(**index as usize).is_some_and(|rule| {
                rule.cube.tests.iter().filter(|test| test.dimension == *dimension).all(|test| {
                    test.any_of.as_ref().is_none_or(|any_of| any_of.iter().any(matched))
                        && !test.none_of.iter().any(matched)
                })
            })
        };
        live.iter().filter(keep).copied().collect()
    }

    /// Drops what stands behind a rule that holds for all that is left.
    fn truncate(&self, list: &DecisionList, at: usize, live: &mut Vec<u32>) {
        let left = self.dimensions.get(at..).unwrap_or_default();
        let free = |rule: &Rule| {
            rule.cube.path.is_empty() && !rule.cube.tests.iter().any(|test| left.contains(&test.dimension))
        };
        let end = live.iter().position(|index| list.rules.get(*index as usize).is_some_and(free));
        if let Some(end) = end {
            live.truncate(end + 1);
        }
    }

    /// The best requests below a node.
    fn node(&mut self, at: usize, mut first: Vec<u32>, mut second: Vec<u32>) -> Result<Best, String> {
        self.truncate(self.first, at, &mut first);
        self.truncate(self.second, at, &mut second);
        // Where the first hop cannot send anything this way, nothing lies below.
        let can = |list: &DecisionList, live: &[u32], wanted: Label| {
            live.iter().filter_map(|index| list.rules.get(*index as usize)).any(|rule| rule.label == wanted)
                || list.default == wanted
        };
        if !can(self.first, &first, self.via) {
            return Ok(Best::new());
        }
        let looks = |list: &DecisionList, live: &[u32], dimension: &Dimension| {
            live.iter()
                .filter_map(|index| list.rules.get(*index as usize))
                .any(|rule| rule.cube.tests.iter().any(|test| test.dimension == *dimension))
        };
        let next = (at..self.dimensions.len()).find(|at| {
            self.dimensions
                .get(*at)
                .is_some_and(|dimension| looks(self.first, &first, dimension) || looks(self.second, &second, dimension))
        });
        let Some(at) = next else {
            return Ok(self.leaf(&first, &second));
        };
        let key = (at, first, second);
        if let Some(known) = self.memo.get(&key) {
            return Ok(known.clone());
        }
        if self.nodes == 0 {
            return Err("too many combinations of conditions on two hops".to_owned());
        }
        self.nodes -= 1;
        let atoms = self.atoms.get(at).map_or(&[][..], Vec::as_slice);
        let mut best = Best::new();
        for (rank, atom) in atoms.iter().enumerate() {
            let below = self.node(
                at + 1,
                self.survivors(self.first, at, atom, &key.1),
                self.survivors(self.second, at, atom, &key.2),
            )?;
            for (label, (cost, search)) in below {
                let cost = cost.saturating_add(rank * 3);
                if best.get(&label).is_some_and(|(known, _)| *known <= cost) {
                    continue;
                }
                let search = match (search, self.dimensions.get(at)) {
                    (TwoHopSearch::Found { mut first, wire_path, second_path }, Some(dimension)) => {
                        first.values.insert(dimension.clone(), atom.values.clone());
                        TwoHopSearch::Found { first, wire_path, second_path }
                    }
                    (search, _) => search,
                };
                best.insert(label, (cost, search));
            }
        }
        self.memo.insert(key, best.clone());
        Ok(best)
    }

    /// The best requests of a leaf.
    fn leaf(&mut self, first: &[u32], second: &[u32]) -> Best {
        let key = (path_list(self.first, first), path_list(self.second, second));
        if !self.leaves.contains_key(&key) {
            let paths = self.paths(&key.0, &key.1);
            self.leaves.insert(key.clone(), paths);
        }
        let paths = self.leaves.get(&key).into_iter().flatten();
        let best = paths.map(|(label, path)| {
            let (cost, search) = match path {
                PathThrough::Found(path, second_path) => (
                    cost(path).0,
                    TwoHopSearch::Found {
                        first: Point { values: BTreeMap::new(), path: path.clone() },
                        wire_path: wire_form(path, self.mode),
                        second_path: second_path.clone(),
                    },
                ),
                PathThrough::Unknown(why) => (usize::MAX / 2, TwoHopSearch::OutOfBudget { why: why.clone() }),
            };
            (*label, (cost, search))
        });
        best.collect()
    }

    /// What the second proxy sees of a path that the first one sends this way. `None`: it does not, or the path is refused.
    fn arrives(&self, first: &PathList, path: &str) -> Option<String> {
        if !Form::new(PathDomain::Normalized(self.mode)).contains(path) || first.label(path) != self.via {
            return None;
        }
        normalize(&rewrite_path(path, self.rewrite)?, self.mode)
            .map(|path| path.split('?').next().unwrap_or_default().to_owned())
    }

    /// For each label of the second list a path, or why it is not settled.
    fn paths(&self, first: &PathList, second: &PathList) -> BTreeMap<Label, PathThrough> {
        let domain = PathDomain::Normalized(self.mode);
        let wanted: BTreeSet<Label> = second.all_labels().into_iter().filter(|label| !label.is_left_out()).collect();
        let mut found = BTreeMap::new();
        if *self.rewrite == PathRewrite::Opaque {
            let reaches =
                first.labels(domain, self.budget).get(&self.via).is_some_and(|search| *search != PathSearch::Empty);
            if reaches {
                let why = "a regular expression rewrites the path".to_owned();
                found.extend(wanted.into_iter().map(|label| (label, PathThrough::Unknown(why.clone()))));
            }
            return found;
        }
        let mut likely = self.likely(first, second);
        likely.sort_by_key(|path| cost(path));
        likely.dedup();
        for path in likely {
            if let Some(arrived) = self.arrives(first, &path) {
                let label = second.label(&arrived);
                if wanted.contains(&label) {
                    found.entry(label).or_insert(PathThrough::Found(path, arrived));
                }
            }
        }
        let missing: BTreeSet<Label> = wanted.into_iter().filter(|label| !found.contains_key(label)).collect();
        if !missing.is_empty() {
            self.settle(first, second, missing, &mut found);
        }
        found
    }

    /// Paths that likely tell the labels apart: those of both lists, carried back through the rewrite.
    fn likely(&self, first: &PathList, second: &PathList) -> Vec<String> {
        let before = first.candidates();
        let behind = second.candidates();
        let mut likely = before.clone();
        for target in &behind {
            match self.rewrite {
                PathRewrite::ReplacePrefix { from, to, .. } => {
                    likely.extend(target.strip_prefix(&**to).map(|rest| format!("{from}{rest}")));
                    // The segment at the junction may become a dot segment only when it is put together.
                    likely.push(format!("{from}..{target}"));
                    likely.push(format!("{from}../..{target}"));
                }
                _ => likely.push(target.clone()),
            }
            // A parameter segment that arrived escaped is resolved by the second hop alone.
            for base in &before {
                let base = base.trim_end_matches('/');
                let rewritten = rewrite_path(base, self.rewrite).unwrap_or_default();
                let depth = rewritten.matches('/').count().max(base.matches('/').count());
                for climbs in [depth, depth + 1] {
                    likely.push(format!("{base}/{}{}", "..;/".repeat(climbs), target.trim_start_matches('/')));
                }
            }
        }
        likely
    }

    /// Proves that no path gives a label, finds one, or says that neither is possible.
    fn settle(
        &self,
        first: &PathList,
        second: &PathList,
        mut missing: BTreeSet<Label>,
        found: &mut BTreeMap<Label, PathThrough>,
    ) {
        let domain = PathDomain::Normalized(self.mode);
        let alone = second.labels(domain, self.budget);
        missing.retain(|label| alone.get(label) != Some(&PathSearch::Empty));
        let form = Form::new(domain);
        let pair = Pair::new(first, second, self.rewrite, form);
        let mut odd = false;
        let complete = explore(&pair, &pair.alphabet(), self.budget.states, |state, word| {
            if missing.is_empty() {
                return Flow::Stop;
            }
            if !Form::accepts(state.form) || pair.first.label(&state.first) != self.via {
                return Flow::On;
            }
            if state.changes {
                // The second normalisation may change this path: the machine of the second hop does not know how.
                odd = true;
                return Flow::On;
            }
            let Some(label) = state.second.as_ref().map(|second| pair.second.label(second)) else {
                return Flow::On;
            };
            if missing.contains(&label) {
                let path = word();
                if let Some(arrived) = self.arrives(first, &path).filter(|arrived| second.label(arrived) == label) {
                    missing.remove(&label);
                    found.insert(label, PathThrough::Found(path, arrived));
                }
            }
            Flow::On
        });
        let why = if !complete {
            "the paths of two hops are too many"
        } else if odd {
            "a path that the second proxy normalises once more"
        } else {
            return;
        };
        found.extend(missing.into_iter().map(|label| (label, PathThrough::Unknown(why.to_owned()))));
    }
}

/// The path tests of the rules that are live, as a list.
fn path_list(list: &DecisionList, live: &[u32]) -> PathList {
    let mut paths = PathList { rules: Vec::new(), default: list.default };
    for rule in live.iter().filter_map(|index| list.rules.get(*index as usize)) {
        if rule.cube.path.is_empty() {
            paths.default = rule.label;
            break;
        }
        paths.rules.push((rule.cube.path.clone(), rule.label));
    }
    paths
}
