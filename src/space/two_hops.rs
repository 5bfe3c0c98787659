//! Two hops: the request is judged, its path rewritten and normalised again, and judged by a second list.

use std::collections::{BTreeMap, BTreeSet};

use super::best::Best;
use super::budget::{Budget, Excess};
use super::builder::Joint;
use super::diagram::Diagram;
use super::form::Form;
use super::junction::Junction;
use super::list::{Cube, DecisionList, Label, PathTest, Rule};
use super::normalize::{Normalization, normalize, wire_form};
use super::path_book::PathRules;
use super::path_search::{PathSearch, candidates, cost};
use super::pattern::Pattern;
use super::residual::PathList;
use super::second_hop::explore;
use super::store::{RuleStore, Space};
use super::universe::{Point, Universe};

/// The first hop gives the label that was asked for.
pub(super) const VIA: Label = Label(1);
/// It gives another.
const ELSEWHERE: Label = Label(0);

/// What the first hop does to the path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathRewrite {
    /// Nothing.
    Keep,
    /// Replaces a prefix; a path that does not begin so is kept.
    ReplacePrefix {
        /// The prefix.
        from: Box<str>,
        /// Its replacement.
        to: Box<str>,
        /// Whether the prefix is found in any ASCII case.
        ignore_case: bool,
    },
    /// Replaces the whole path.
    ReplaceAll(Box<str>),
    /// Some regular expression: any result is possible.
    Opaque,
}

impl PathRewrite {
    /// The rewritten path, before it is normalised again; `None` where anything is possible.
    #[must_use]
    pub fn apply(&self, path: &str) -> Option<String> {
        match self {
            Self::Keep => Some(path.to_owned()),
            Self::ReplacePrefix { from, to, ignore_case } => {
                let head = path
                    .get(..from.len())
                    .filter(|head| if *ignore_case { head.eq_ignore_ascii_case(from) } else { *head == &**from });
                let rest = head.and_then(|head| path.get(head.len()..));
                Some(rest.map_or_else(|| path.to_owned(), |rest| format!("{to}{rest}")))
            }
            Self::ReplaceAll(path) => Some(path.to_string()),
            Self::Opaque => None,
        }
    }

    /// The path as the second hop sees it, without a query; `None` where anything, or a 400, is possible.
    pub(super) fn second_path(&self, path: &str, mode: Normalization) -> Option<String> {
        let normal = normalize(&self.apply(path)?, mode)?;
        Some(normal.split_once('?').map_or(normal.as_str(), |(path, _)| path).to_owned())
    }
}

/// The answer to "does some request get `via` at the first hop and this label at the second?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TwoHopSearch {
    /// Yes, this one.
    Found {
        /// As the first hop sees it.
        first: Point,
        /// Its path on the wire.
        wire_path: String,
        /// Its path as the second hop sees it.
        second_path: String,
    },
    /// Proven: no.
    Empty,
    /// Not settled within the budget.
    OutOfBudget {
        /// What was too much.
        why: Excess,
    },
}

/// What happens to requests that get `via` from the first list: their path is rewritten, normalised again, and
/// judged by the second. The other dimensions keep their values; `within` restricts what the second hop sees.
#[must_use]
pub fn through(
    first: &DecisionList,
    via: Label,
    rewrite: &PathRewrite,
    second: &DecisionList,
    within: &Cube,
    universe: &Universe,
    budget: &Budget,
) -> BTreeMap<Label, TwoHopSearch> {
    let judged = |label: Label| if label == via { VIA } else { ELSEWHERE };
    let rules = first.rules.iter().map(|rule| Rule { cube: rule.cube.clone(), label: judged(rule.label) });
    let first = DecisionList { rules: rules.collect(), default: judged(first.default) };
    let mut store = RuleStore::new(universe.clone());
    let lists = [store.list(&first), store.list(second)];
    let bounds = store.bounds(within);
    let space = store.freeze(budget);
    let diagram = Diagram::build(&space, &[&lists[0], &lists[1]], &bounds, &mut Joint::Hops);
    let hops = Hops { rewrite, space: &space, form: space.paths.form, mode: space.paths.mode };
    let answers: Vec<BTreeMap<Label, PathSearch>> = diagram
        .leaves
        .iter()
        .map(|lists| match lists.as_slice() {
            [first, second] => hops.solve(first, second),
            _ => BTreeMap::new(),
        })
        .collect();
    let best = Best::of(&diagram, &answers);
    let mut written: BTreeSet<Label> = second.rules.iter().map(|rule| rule.label).collect();
    written.insert(second.default);
    written.remove(&Label::IMPOSSIBLE);
    let answer = |label: Label| {
        let Some(root) = diagram.root else { return TwoHopSearch::Empty };
        let found = best.descend(&diagram, root, label).and_then(|(values, leaf)| {
            let PathSearch::Found(path) = answers.get(leaf)?.get(&label)? else { return None };
            let second_path = match rewrite {
                // Every result is possible and gets the label; the path of the first hop stands for it.
                PathRewrite::Opaque => path.clone(),
                PathRewrite::Keep | PathRewrite::ReplacePrefix { .. } | PathRewrite::ReplaceAll(_) => {
                    rewrite.second_path(path, hops.mode)?
                }
            };
            Some(TwoHopSearch::Found {
                first: diagram.point(values.into_iter(), path.clone()),
                wire_path: wire_form(path, hops.mode),
                second_path,
            })
        });
        found.unwrap_or_else(|| match best.unknown(root, label) {
            Some(why) => TwoHopSearch::OutOfBudget { why: why.clone() },
            None => TwoHopSearch::Empty,
        })
    };
    written.into_iter().map(|label| (label, answer(label))).collect()
}

/// What is the same at every leaf.
struct Hops<'a> {
    /// The rewrite.
    rewrite: &'a PathRewrite,
    /// What is known of paths.
    space: &'a Space,
    /// The shape of paths.
    form: &'a Form,
    /// How paths are normalised.
    mode: Normalization,
}

impl Hops<'_> {
    /// Decides every label of the second list, by the path at the first hop.
    fn solve(&self, first: &PathRules, second: &PathRules) -> BTreeMap<Label, PathSearch> {
        let paths = &self.space.paths;
        let states = self.space.budget.path_states;
        // Whatever the rewrite does, the second path is a normal one.
        let mut answers = paths.solve(second, states);
        let via = match paths.solve(first, states).remove(&VIA) {
            Some(PathSearch::Found(path)) => path,
            Some(PathSearch::OutOfBudget(why)) => {
                mark(&mut answers, |_| true, &PathSearch::OutOfBudget(why));
                return answers;
            }
            Some(PathSearch::Empty) | None => {
                mark(&mut answers, |_| true, &PathSearch::Empty);
                return answers;
            }
        };
        let (first, second) = (&paths.spelled(first), &paths.spelled(second));
        match self.rewrite {
            PathRewrite::Opaque => opaque(second, via, &mut answers),
            PathRewrite::ReplaceAll(_) => self.constant(second, &via, &mut answers),
            PathRewrite::Keep | PathRewrite::ReplacePrefix { .. } => self.spliced(first, second, &mut answers),
        }
        answers
    }

    /// Every path becomes the same.
    fn constant(&self, second: &PathList, via: &str, answers: &mut BTreeMap<Label, PathSearch>) {
        mark(answers, |_| true, &PathSearch::Empty);
        if let Some(path) = self.rewrite.second_path(via, self.mode) {
            let label = second.label(&path);
            if label != Label::IMPOSSIBLE {
                answers.insert(label, PathSearch::Found(via.to_owned()));
            }
        }
    }

    /// The rest of the path is kept.
    fn spliced(&self, first: &PathList, second: &PathList, answers: &mut BTreeMap<Label, PathSearch>) {
        let targets: BTreeMap<Label, String> = answers
            .iter()
            .filter_map(|(label, answer)| match answer {
                PathSearch::Found(path) => Some((*label, path.clone())),
                PathSearch::Empty | PathSearch::OutOfBudget(_) => None,
            })
            .collect();
        let mut wanted: BTreeSet<Label> =
            answers.iter().filter(|(_, answer)| **answer != PathSearch::Empty).map(|(label, _)| *label).collect();
        let mut found = BTreeMap::new();
        self.try_paths(self.plain_candidates(first, second), first, second, &mut wanted, &mut found);
        let mut doubt: Option<Excess> = None;
        let mut parametric = false;
        for (list, junction) in self.cases(first) {
            if wanted.is_empty() {
                break;
            }
            let reach =
                explore(&list, second, &junction, self.form, &mut wanted.clone(), self.space.budget.path_states);
            let paths = reach.found.iter().map(|(_, path)| path.clone()).collect();
            self.try_paths(paths, first, second, &mut wanted, &mut found);
            // A claim that the concrete reading refuses would be our mistake: never silence because of it.
            if reach.found.iter().any(|(label, _)| wanted.contains(label)) {
                doubt = Some(Excess::Disagreement);
            }
            doubt = doubt.or(reach.doubt);
            parametric |= reach.parametric.is_some();
            self.try_paths(reach.parametric.into_iter().collect(), first, second, &mut wanted, &mut found);
        }
        if parametric && !wanted.is_empty() {
            let some = self.parametric_candidates(first, &targets);
            self.try_paths(some, first, second, &mut wanted, &mut found);
            doubt = doubt.or(Some(Excess::DotParameters));
        }
        for label in wanted {
            let answer = doubt.clone().map_or(PathSearch::Empty, PathSearch::OutOfBudget);
            found.insert(label, answer);
        }
        answers.extend(found);
    }

    /// Checks paths, cheapest first, and keeps the first of each label.
    fn try_paths(
        &self,
        mut some: Vec<String>,
        first: &PathList,
        second: &PathList,
        wanted: &mut BTreeSet<Label>,
        found: &mut BTreeMap<Label, PathSearch>,
    ) {
        some.sort_by_cached_key(|path| (cost(path), path.clone()));
        for path in some {
            if wanted.is_empty() {
                return;
            }
            if !self.form.contains(&path) || first.label(&path) != VIA {
                continue;
            }
            let Some(seen) = self.rewrite.second_path(&path, self.mode) else { continue };
            let label = second.label(&seen);
            if wanted.remove(&label) {
                found.insert(label, PathSearch::Found(path));
            }
        }
    }

    /// Paths worth trying: those of either list, and those that the rewrite would make of the second's.
    fn plain_candidates(&self, first: &PathList, second: &PathList) -> Vec<String> {
        let mut all = candidates(first.patterns().into_iter(), self.form);
        let behind = candidates(second.patterns().into_iter(), self.form);
        if let PathRewrite::ReplacePrefix { from, to, .. } = self.rewrite {
            for path in &behind {
                all.extend(path.strip_prefix(&**to).map(|rest| format!("{from}{rest}")));
                all.push(format!("{from}{path}"));
                all.extend(path.strip_prefix('/').map(|rest| format!("{from}{rest}")));
            }
        }
        all.extend(behind);
        all
    }

    /// The paths that are kept whole, and those whose prefix is replaced.
    fn cases(&self, first: &PathList) -> Vec<(PathList, Junction)> {
        let PathRewrite::ReplacePrefix { from, to, ignore_case } = self.rewrite else {
            return vec![(first.clone(), Junction::keep(self.mode))];
        };
        let prefix = if *ignore_case { Pattern::PrefixIgnoreCase(from.clone()) } else { Pattern::Prefix(from.clone()) };
        let only = |test: PathTest| {
            let mut rules = vec![(vec![test], ELSEWHERE)];
            rules.extend(first.rules.iter().cloned());
            PathList { rules, fallback: first.fallback }
        };
        vec![
            (only(PathTest::none(vec![prefix.clone()])), Junction::splice(from, to, *ignore_case, self.mode)),
            (only(PathTest::any(vec![prefix])), Junction::keep(self.mode)),
        ]
    }

    /// Paths that climb out of a prefix by dot-parameter segments, which the second hop removes.
    fn parametric_candidates(&self, first: &PathList, targets: &BTreeMap<Label, String>) -> Vec<String> {
        let mut heads: BTreeSet<String> = BTreeSet::from(["/".to_owned()]);
        let mut texts: Vec<String> = candidates(first.patterns().into_iter(), self.form);
        if let PathRewrite::ReplacePrefix { from, .. } = self.rewrite {
            texts.push(from.to_string());
        }
        for text in texts {
            heads.extend(text.rsplit_once('/').map(|(head, _)| format!("{head}/")));
            heads.insert(format!("{}/", text.trim_end_matches('/')));
        }
        let mut all = Vec::new();
        for head in heads {
            let rewritten = self.rewrite.apply(&head).unwrap_or_default();
            let depth = rewritten.matches(['/', '\\', '%']).count() + 1;
            for target in targets.values() {
                let target = target.strip_prefix('/').unwrap_or(target);
                for climbs in 1..=depth.min(32) {
                    let climb = "..;/".repeat(climbs);
                    all.push(format!("{head}{climb}{target}"));
                    all.push(format!("{head}x/{climb}{target}"));
                }
            }
        }
        all
    }
}

/// A regular expression may make anything: only what every path gets is certain.
fn opaque(second: &PathList, via: String, answers: &mut BTreeMap<Label, PathSearch>) {
    let impossible = second.rules.iter().any(|(_, label)| *label == Label::IMPOSSIBLE);
    let possible = answers.values().filter(|answer| **answer != PathSearch::Empty).count();
    let verdict = if possible == 1 && !impossible && second.fallback != Label::IMPOSSIBLE {
        PathSearch::Found(via)
    } else {
        PathSearch::OutOfBudget(Excess::RegexRewrite)
    };
    mark(answers, |answer| *answer != PathSearch::Empty, &verdict);
}

/// Overwrites some answers.
fn mark(answers: &mut BTreeMap<Label, PathSearch>, which: impl Fn(&PathSearch) -> bool, with: &PathSearch) {
    for answer in answers.values_mut().filter(|answer| which(answer)) {
        answer.clone_from(with);
    }
}
