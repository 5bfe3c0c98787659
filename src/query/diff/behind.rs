//! What both sides decide behind their routes, as one list about what is sent to the proxy in front.

use super::change::ChangeKind;
use super::composition::Behind;
use super::fate::Fate;
use super::joint::product;
use super::lists::{self, Decided};
use super::region::Region;
use super::token::Tokens;
use crate::semantics::{Passes, Route};
use crate::space::{
    Budget, Cube, DecisionList, Dimension, Label, PathDomain, PathRewrite, PathTest, Point, Rule, Search, TwoHopSearch,
    Universe, normalize, partition, through,
};

/// What is decided behind a route.
#[derive(Debug)]
pub(super) struct SideBehind {
    /// The route, if one takes the requests
    pub(super) route: Option<(Behind, Route)>,
    /// What is decided in the end
    pub(super) decided: Decided,
}

/// What requests come to on both sides, and what it comes to.
pub(super) type Pair = (Fate, Fate, ChangeKind);

/// What is found of a pair.
#[derive(Debug)]
pub(super) enum Met {
    /// A request that meets it, and its path on the wire where that is known apart
    By(Box<Point>, PathDomain, Option<String>),
    /// It cannot be told, for a reason
    Unsettled(String),
}

/// How the doors' paths come from those that are sent.
enum Paths {
    /// They are those that the proxy in front reads too, or nobody asks for them behind
    Once,
    /// The proxy in front rewrites them, and they are normalised once more
    Rewritten(PathRewrite),
}

/// What changes for the requests of a list, by what both sides decide behind their routes. `Err`: why it cannot be told.
pub(super) fn compare(
    first: &DecisionList,
    gates: [&Decided; 2],
    universe: &Universe,
    tokens: &Tokens,
    (was, is): (&SideBehind, &SideBehind),
) -> Result<Vec<(Pair, Met)>, String> {
    let mut universe = seen_behind(universe, [was, is]);
    universe.path = lists::joint_path(&[gates[0], gates[1], &was.decided, &is.decided])?;
    tokens.restrict(&mut universe);
    let mut sides = [was.decided.clone(), is.decided.clone()];
    let paths = paths([was, is], &mut sides, universe.path)?;
    let (list, pairs) = in_pairs(&sides[0], &sides[1])?;
    let pair = |label: Label| usize::try_from(label.0).ok().and_then(|at| pairs.get(at)).cloned().flatten();
    let domain = universe.path;
    let met: Vec<(Label, Option<Met>)> = match paths {
        Paths::Once => {
            let within = |first: Label, second: Label| if first == Region::WITHIN { second } else { Label::IMPOSSIBLE };
            let both = product(first, &list, within)?;
            let found = partition(&both, &Cube::default(), &universe, &Budget::default()).labels();
            let met = found.into_iter().map(|(label, search)| match search {
                Search::Empty => (label, None),
                Search::Found(point) => (label, Some(Met::By(Box::new(point), domain, None))),
                Search::OutOfBudget { why } => (label, Some(Met::Unsettled(why.to_string()))),
            });
            met.collect()
        }
        Paths::Rewritten(rewrite) => {
            let found =
                through(first, Region::WITHIN, &rewrite, &list, &Cube::default(), &universe, &Budget::default());
            let met = found.into_iter().map(|(label, search)| match search {
                TwoHopSearch::Empty => (label, None),
                TwoHopSearch::Found { first, wire_path, .. } => {
                    (label, Some(Met::By(Box::new(first), PathDomain::Raw, Some(wire_path))))
                }
                TwoHopSearch::OutOfBudget { why } => (label, Some(Met::Unsettled(why.to_string()))),
            });
            met.collect()
        }
    };
    Ok(met.into_iter().filter_map(|(label, met)| Some((pair(label)?, met?))).collect())
}

/// How the paths that doors ask for come from those that are sent. A side that knows the path behind its route asks no
/// more for it. `Err`: the sides make different paths of one.
fn paths(routes: [&SideBehind; 2], sides: &mut [Decided; 2], domain: PathDomain) -> Result<Paths, String> {
    let made = |side: &SideBehind| {
        side.route.as_ref().filter(|(behind, _)| behind.passes == Passes::Requests).map(|(behind, _)| {
            let regex = behind.regex_rewrite.clone();
            (behind.rewrite.clone(), regex)
        })
    };
    let made = routes.map(made);
    if made[0] != made[1] && sides.iter().all(Decided::reads_path) {
        for (side, made) in sides.iter_mut().zip(&made) {
            if let Some((PathRewrite::ReplaceAll(path), _)) = made
                && let Some(path) = normalize(path, domain.normalization())
            {
                side.list = at_path(&side.list, path.split('?').next().unwrap_or_default());
            }
        }
    }
    let mut reading = sides.iter().zip(made).filter(|(side, _)| side.reads_path()).map(|(_, made)| made);
    match (reading.next(), reading.next()) {
        (Some(one), Some(other)) if one != other => {
            Err("the path is rewritten in another way, so the doors behind see other paths".to_owned())
        }
        (Some(Some((rewrite, _))), _) => Ok(Paths::Rewritten(rewrite)),
        (None | Some(None), _) => Ok(Paths::Once),
    }
}

/// A list about requests of one path.
fn at_path(list: &DecisionList, path: &str) -> DecisionList {
    let keep = |rule: &Rule| {
        let holds = rule.cube.path.iter().all(|test: &PathTest| test.holds(path));
        holds.then(|| Rule::new(Cube { tests: rule.cube.tests.clone(), path: Vec::new() }, rule.label))
    };
    DecisionList { rules: list.rules.iter().filter_map(keep).collect(), default: list.default }
}

/// The values that can occur in front of doors: a gateway that looks at no tokens lets all of them pass.
fn seen_behind(universe: &Universe, sides: [&SideBehind; 2]) -> Universe {
    let mut universe = universe.clone();
    for side in sides {
        for (dimension, domain) in &side.decided.universe.domains {
            let token =
                matches!(dimension, Dimension::Token | Dimension::Issuer | Dimension::Subject | Dimension::Claim(_));
            if token {
                let known = universe.domain(dimension);
                universe.set(dimension.clone(), lists::joint_domain(domain, &known));
            }
        }
    }
    universe
}

/// The list of both sides whose labels are pairs of fates; all pairs that are no change are one.
fn in_pairs(was: &Decided, is: &Decided) -> Result<(DecisionList, Vec<Option<Pair>>), String> {
    let mut pairs: Vec<Option<Pair>> = vec![None];
    let list = product(&was.list, &is.list, |before, now| {
        let (Some(before), Some(now)) = (was.fate(before), is.fate(now)) else { return Label::IMPOSSIBLE };
        let Some(kind) = ChangeKind::of(before.decision, now.decision) else { return Label(0) };
        let same = |known: &Option<Pair>| known.as_ref().is_some_and(|(was, is, _)| was == before && is == now);
        let at = pairs.iter().position(same).unwrap_or_else(|| {
            pairs.push(Some((before.clone(), now.clone(), kind)));
            pairs.len() - 1
        });
        Label(u32::try_from(at).unwrap_or(u32::MAX - 1))
    })?;
    Ok((list, pairs))
}
