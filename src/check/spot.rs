//! Where something decides, asked whether a request of a kind gets through.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::matrix::{Door, gateway_witness, inbound_witness};
use crate::model::ObjectId;
use crate::semantics::{Chain, Decision, Ending, Guard, Judgement, Request, RoutingProxy, Verdict, World};
use crate::space::{
    Budget, Cube, DecisionList, Dimension, Label, PathTest, Pattern, Point, Rule, Search, Test, label_of, normalize,
    partition,
};

/// A door of a workload, or a listener of a gateway.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spot<'f, 'w> {
    /// A door
    Door(&'f Door<'w>),
    /// A filter chain of a gateway's listener
    Listener(&'f Listener<'w>),
}

/// A filter chain of a gateway's listener.
#[derive(Debug)]
pub(super) struct Listener<'w> {
    /// The world
    world: &'w World,
    /// `gateway NS/NAME:PORT`
    pub(super) entrypoint: String,
    /// What routes there
    pub(super) proxy: RoutingProxy,
    /// What it decides, once somebody asks
    judgement: OnceLock<Judgement>,
}

impl<'w> Listener<'w> {
    /// A filter chain, not judged yet.
    pub(super) fn of(world: &'w World, entrypoint: String, proxy: RoutingProxy) -> Self {
        Self { world, entrypoint, proxy, judgement: OnceLock::new() }
    }

    /// What it decides.
    pub(super) fn judgement(&self) -> &Judgement {
        self.judgement.get_or_init(|| self.proxy.judgement(self.world))
    }
}

/// A request that gets through.
#[derive(Debug)]
pub(super) struct Through {
    /// How the policies end it, at a door
    pub(super) ending: Option<Ending>,
    /// The request
    pub(super) request: Request,
    /// Its path as the proxy sees it
    pub(super) path: String,
}

impl<'w> Spot<'_, 'w> {
    /// What is decided there.
    pub(super) fn judgement(&self) -> &Judgement {
        match self {
            Self::Door(door) => &door.lock.judgement,
            Self::Listener(listener) => listener.judgement(),
        }
    }

    /// The filter chain.
    pub(super) fn chain(&self) -> Chain {
        match self {
            Self::Door(door) => door.chain,
            Self::Listener(listener) => listener.proxy.chain,
        }
    }

    /// The door, where it is one.
    pub(super) fn door(&self) -> Option<&Door<'w>> {
        match self {
            Self::Door(door) => Some(door),
            Self::Listener(_) => None,
        }
    }

    /// Whether policies are asked there.
    pub(super) fn is_guarded(&self) -> bool {
        self.door().is_none_or(|door| door.lock.guard == Guard::Sidecar)
    }

    /// The alternatives of a policy rule as they stand there, with what becomes of their requests by it alone.
    pub(super) fn cubes_of(&self, policy: &ObjectId, rule: usize) -> Vec<&Cube> {
        let judgement = self.judgement();
        let of_rule = |label: Label| match judgement.verdict(label) {
            Some(Verdict::End(ending)) => {
                ending.policy.as_ref().is_some_and(|place| place.policy == *policy && place.rule == rule)
            }
            Some(Verdict::Forward(_)) | None => false,
        };
        judgement.list.rules.iter().filter(|rule| of_rule(rule.label)).map(|rule| &*rule.cube).collect()
    }

    /// A request within a cube that gets through for certain, by an ending that is wanted.
    pub(super) fn gets_through_by(&self, within: &Cube, wanted: impl Fn(&Ending) -> bool) -> Option<Through> {
        let judgement = self.judgement();
        let passes = |label: Label| match judgement.verdict(label) {
            Some(Verdict::Forward(_)) => Some(None),
            Some(Verdict::End(ending)) if ending.decision == Decision::Allowed && wanted(ending) => {
                Some(Some(ending.clone()))
            }
            Some(Verdict::End(_)) | None => None,
        };
        if let Some(point) = sample(within, judgement)
            && let Some(ending) = passes(label_of(&judgement.list, &point))
        {
            return Some(self.through(ending, &point));
        }
        let list = about_its_paths(&judgement.list, within);
        let labels = list.rules.iter().map(|rule| rule.label).chain([list.default]);
        if !labels.into_iter().any(|label| passes(label).is_some()) {
            return None;
        }
        let found = partition(&list, within, &judgement.universe, &Budget::default());
        let mut passing = found.labels().into_iter().filter_map(|(label, search)| match search {
            Search::Found(point) => passes(label).map(|ending| self.through(ending, &point)),
            Search::Empty | Search::OutOfBudget { .. } => None,
        });
        passing.next()
    }

    /// A request within a cube that gets through for certain.
    pub(super) fn gets_through(&self, within: &Cube) -> Option<Through> {
        self.gets_through_by(within, |_| true)
    }

    /// A point as a request.
    pub(super) fn through(&self, ending: Option<Ending>, point: &Point) -> Through {
        let request = match self {
            Self::Door(door) => {
                let domain = door.lock.judgement.universe.path;
                inbound_witness(door.workload, door.port.number, door.chain, domain, point)
            }
            Self::Listener(listener) => {
                gateway_witness(&listener.entrypoint, &listener.proxy, listener.judgement(), point)
            }
        };
        Through { ending, request, path: point.path.clone() }
    }
}

/// The rules of a list that say something of a cube's paths, where these are a few texts.
fn about_its_paths<'l>(list: &'l DecisionList, within: &Cube) -> Cow<'l, DecisionList> {
    let text = |pattern: &Pattern| if let Pattern::Exact(text) = pattern { Some(text.to_string()) } else { None };
    let mut few =
        within.path.iter().filter_map(|test| test.any_of.as_ref()?.iter().map(text).collect::<Option<Vec<_>>>());
    let Some(paths) = few.next() else { return Cow::Borrowed(list) };
    let says = |rule: &&Rule| paths.iter().any(|path| rule.cube.path.iter().all(|test| test.holds(path)));
    Cow::Owned(DecisionList { rules: list.rules.iter().filter(says).cloned().collect(), default: list.default })
}

/// A point of a cube that comes to mind, without a search.
pub(super) fn sample(cube: &Cube, judgement: &Judgement) -> Option<Point> {
    let path = sample_path(&cube.path)?;
    let mode = judgement.universe.path.normalization();
    let mut point = Point { path: normalize(&path, mode).filter(|normal| *normal == path)?, ..Point::default() };
    let mut dimensions: Vec<&Dimension> = cube.tests.iter().map(|test| &test.dimension).collect();
    let usual = judgement.universe.domains.keys();
    dimensions.extend(usual.filter(|dimension| !matches!(dimension, Dimension::Query(_))));
    dimensions.sort();
    dimensions.dedup();
    for dimension in dimensions {
        let domain = judgement.universe.domain(dimension);
        let tests: Vec<&Test> = cube.tests.iter().filter(|test| test.dimension == *dimension).collect();
        let holds = |values: &[String]| domain.contains(values) && tests.iter().all(|test| test.holds(values));
        if holds(&[]) {
            continue;
        }
        let written = tests.iter().flat_map(|test| test.any_of.iter().flatten()).filter_map(text_of);
        let mut candidates = domain.preferred.iter().cloned().chain(written);
        let value = candidates.find(|value| holds(std::slice::from_ref(value)))?;
        point.values.insert(dimension.clone(), vec![value]);
    }
    Some(point)
}

/// A path that all tests hold for.
fn sample_path(tests: &[PathTest]) -> Option<String> {
    let written = tests.iter().flat_map(|test| test.any_of.iter().flatten()).filter_map(text_of);
    let mut candidates = written.chain(["/".to_owned()]);
    candidates.find(|path| path.starts_with('/') && tests.iter().all(|test| test.holds(path)))
}

/// A value of a pattern.
fn text_of(pattern: &Pattern) -> Option<String> {
    match pattern {
        Pattern::Exact(text) | Pattern::ExactIgnoreCase(text) => Some(text.to_string()),
        Pattern::Prefix(text) | Pattern::PrefixIgnoreCase(text) => Some(format!("{text}x")),
        Pattern::Suffix(text) | Pattern::SuffixIgnoreCase(text) => Some(format!("x{text}")),
        Pattern::NonEmpty | Pattern::Any => Some("x".to_owned()),
        Pattern::Contains(_) | Pattern::Language(_) | Pattern::Cidr(_) => None,
    }
}

/// A cube with another condition on the path.
pub(super) fn with_paths(cube: &Cube, paths: Vec<Pattern>) -> Cube {
    Cube { tests: cube.tests.clone(), path: vec![PathTest::any(paths)] }
}

/// A cube without its conditions on a dimension.
pub(super) fn without(cube: &Cube, dimension: &Dimension) -> Cube {
    let tests = cube.tests.iter().filter(|test| test.dimension != *dimension).cloned().collect();
    Cube { tests, path: cube.path.clone() }
}
