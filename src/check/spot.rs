//! Where something decides, asked whether a request of a kind gets through.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::observation::Observation;
use crate::matrix::{Door, gateway_witness, inbound_witness};
use crate::model::{AuthorizationPolicy, ObjectId, PolicyRule, Resource};
use crate::semantics::{Chain, Decision, Ending, Guard, Judgement, Request, RoutingProxy, Verdict, World, requests_of};
use crate::space::{
    Budget, Cube, Dimension, Domain, Label, PathTest, Pattern, Point, Search, Test, label_of, normalize, partition,
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
    pub(super) proxy: Cow<'w, RoutingProxy>,
    /// What it decides, once somebody asks
    judgement: OnceLock<Judgement>,
}

impl<'w> Listener<'w> {
    /// A filter chain, not judged yet.
    pub(super) fn of(world: &'w World, entrypoint: String, proxy: Cow<'w, RoutingProxy>) -> Self {
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
                ending.policy.as_ref().is_some_and(|place| *place.policy == *policy && place.rule == rule)
            }
            Some(Verdict::Forward(_)) | None => false,
        };
        judgement.list.rules.iter().filter(|rule| of_rule(rule.label)).map(|rule| &*rule.cube).collect()
    }

    /// The alternatives of a policy rule that is not in force there, as they would stand.
    pub(super) fn cubes_if(
        &self,
        world: &World,
        policy: &Resource<AuthorizationPolicy>,
        rule: &PolicyRule,
    ) -> Vec<Cube> {
        let port = match self {
            Self::Door(door) => door.port.number,
            Self::Listener(listener) => listener.proxy.port,
        };
        let port = port.to_string();
        let is_port = |test: &&Test| test.dimension == Dimension::Port;
        let here = |cube: &Cube| cube.tests.iter().filter(is_port).all(|test| test.holds(&[port.as_str()]));
        let cubes = requests_of(world, policy, rule, self.chain()).into_iter().filter(here);
        cubes.map(|cube| without(&cube, &Dimension::Port)).collect()
    }

    /// A request within a cube that gets through for certain, by an ending that is wanted.
    pub(super) fn gets_through_by(&self, within: &Cube, wanted: impl Fn(&Ending) -> bool) -> Option<Through> {
        let judgement = self.judgement();
        let list = judgement.list.near(within);
        let passes = |label: Label| match judgement.verdict(label) {
            Some(Verdict::Forward(_)) => Some(None),
            Some(Verdict::End(ending)) if ending.decision == Decision::Allowed && wanted(ending) => {
                Some(Some(ending.clone()))
            }
            Some(Verdict::End(_)) | None => None,
        };
        let mut labels = list.rules.iter().map(|rule| rule.label).chain([list.default]);
        if !labels.any(|label| passes(label).is_some()) {
            return None;
        }
        if let Some(point) = sample(within, judgement)
            && let Some(ending) = passes(label_of(&list, &point))
        {
            return Some(self.through(ending, &point));
        }
        let found = partition(&list, within, &judgement.universe, &Budget::default());
        let mut passing = found.labels().into_iter().filter_map(|(label, search)| match search {
            Search::Found(point) => passes(label).map(|ending| self.through(ending, &point)),
            Search::Empty | Search::OutOfBudget { .. } => None,
        });
        passing.next()
    }

    /// Whether some request within a cube may end in a way that nobody can tell.
    pub(super) fn is_in_doubt(&self, within: &Cube) -> bool {
        let judgement = self.judgement();
        let list = judgement.list.near(within);
        let mut labels = list.rules.iter().map(|rule| rule.label).chain([list.default]);
        labels.any(|label| match judgement.verdict(label) {
            Some(Verdict::End(ending)) => ending.decision == Decision::Undetermined,
            Some(Verdict::Forward(_)) | None => false,
        })
    }

    /// A request within a cube that gets through for certain.
    pub(super) fn gets_through(&self, within: &Cube) -> Option<Through> {
        self.gets_through_by(within, |_| true)
    }

    /// A request that gets through for certain, nobody's identity on it if there is such a one.
    pub(super) fn lets_in(&self) -> Option<Through> {
        let nobody = Cube::default().none(Dimension::Peer, vec![Pattern::Any]);
        self.gets_through(&nobody).or_else(|| self.gets_through(&Cube::default()))
    }

    /// A request of a rule of an ALLOW policy, narrowed down, that gets in by that rule. Only doors tell which rule it was.
    pub(super) fn admitted_by(
        &self,
        policy: &ObjectId,
        rule: usize,
        narrowed: impl Fn(&Cube) -> Cube,
    ) -> Option<Through> {
        let by_it = |ending: &Ending| ending.policy.as_ref().is_some_and(|by| *by.policy == *policy && by.rule == rule);
        let mut cubes = self.cubes_of(policy, rule).into_iter();
        cubes.find_map(|cube| self.gets_through_by(&narrowed(cube), by_it))
    }

    /// Shows a request that gets through here.
    pub(super) fn shown(&self, mut seen: Observation, through: Through) -> Observation {
        seen.workload = self.door().map(|door| door.workload.display_name());
        seen.witness = Some(through.request.into());
        seen
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

/// A point of a cube that comes to mind, without a search.
pub(super) fn sample(cube: &Cube, judgement: &Judgement) -> Option<Point> {
    let path = sample_path(&cube.path)?;
    let mode = judgement.universe.path.normalization();
    let mut point = Point { path: normalize(&path, mode).filter(|normal| *normal == path)?, ..Point::default() };
    let asked = |dimension: &Dimension| cube.tests.iter().any(|test| test.dimension == *dimension);
    for (dimension, domain) in &judgement.universe.domains {
        if !domain.absent && !asked(dimension) {
            point.values.insert(dimension.clone(), vec![domain.preferred.first()?.to_string()]);
        }
    }
    for (place, first) in cube.tests.iter().enumerate() {
        let dimension = &first.dimension;
        let tests = || cube.tests.iter().filter(|test| test.dimension == *dimension);
        if cube.tests.iter().take(place).any(|test| test.dimension == *dimension) {
            continue;
        }
        let holds = |values: &[&str]| tests().all(|test| test.holds(values));
        let domain = judgement.universe.domain(dimension);
        if domain.absent && holds(&[]) {
            continue;
        }
        let preferred = || domain.preferred.iter().find(|value| holds(&[value])).map(ToString::to_string);
        let wanted = tests().flat_map(|test| test.any_of.iter().flatten());
        let mut written = wanted.filter_map(|pattern| value_of(dimension, pattern, &domain));
        let value = written.find(|value| holds(&[value]) && domain.contains(&[value])).or_else(preferred)?;
        point.values.insert(dimension.clone(), vec![value]);
    }
    Some(point)
}

/// A value of a pattern on a dimension.
fn value_of(dimension: &Dimension, pattern: &Pattern, domain: &Domain) -> Option<String> {
    match (dimension, pattern) {
        // Somebody of a namespace that is named alone.
        (Dimension::Peer, Pattern::Contains(namespace)) => {
            let (trust_domain, _) = domain.preferred.first()?.split_once("/ns/")?;
            Some(format!("{trust_domain}{namespace}sa/default"))
        }
        _ => text_of(pattern),
    }
}

/// A path that all tests hold for.
fn sample_path(tests: &[PathTest]) -> Option<String> {
    let written = tests.iter().flat_map(|test| test.any_of.iter().flatten()).filter_map(text_of);
    let rooted = written.map(|text| if text.starts_with('/') { text } else { format!("/{text}") });
    let mut candidates = rooted.chain(["/".to_owned()]);
    candidates.find(|path| tests.iter().all(|test| test.holds(path)))
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
