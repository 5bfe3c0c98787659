//! Conditions on requests, and ordered lists of them in which the first match wins.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::pattern::Pattern;
use super::universe::Point;

/// A coordinate of a request. The path is apart: it is always there and symbolic.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Dimension {
    /// The port that the request arrives at.
    Port,
    /// The identity that the workload's own proxy sees.
    Peer,
    /// The address of the connection.
    SourceIp,
    /// The address of the client, as far as the proxy trusts what it is told.
    RemoteIp,
    /// The address that the connection was made to.
    DestinationIp,
    /// The server name of the TLS handshake.
    Sni,
    /// The HTTP method.
    Method,
    /// The scheme.
    Scheme,
    /// The authority, port included.
    Authority,
    /// The lines of a header.
    Header(Box<str>),
    /// A query parameter.
    Query(Box<str>),
    /// Whether there is a token, and which.
    Token,
    /// The issuer of the token.
    Issuer,
    /// The subject of the token.
    Subject,
    /// A claim of the token, by its path.
    Claim(Box<[Box<str>]>),
    /// A metadata key.
    Metadata(Box<str>),
}

impl fmt::Display for Dimension {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port => out.write_str("port"),
            Self::Peer => out.write_str("peer"),
            Self::SourceIp => out.write_str("source address"),
            Self::RemoteIp => out.write_str("remote address"),
            Self::DestinationIp => out.write_str("destination address"),
            Self::Sni => out.write_str("SNI"),
            Self::Method => out.write_str("method"),
            Self::Scheme => out.write_str("scheme"),
            Self::Authority => out.write_str("authority"),
            Self::Header(name) => write!(out, "header `{name}`"),
            Self::Query(name) => write!(out, "query parameter `{name}`"),
            Self::Token => out.write_str("token"),
            Self::Issuer => out.write_str("issuer"),
            Self::Subject => out.write_str("subject"),
            Self::Claim(path) => write!(out, "claim `{}`", path.join(".")),
            Self::Metadata(key) => write!(out, "metadata `{key}`"),
        }
    }
}

/// One condition on one dimension, whose value is a set of strings (empty when absent).
///
/// Holds iff some value matches some pattern of `any_of` (or that is `None`) and no value matches
/// any of `none_of`. On an absent value `any_of` is false and `none_of` true.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Test {
    /// What it is about.
    pub dimension: Dimension,
    /// Some value must match one of them; `Some` of nothing never holds.
    pub any_of: Option<Vec<Pattern>>,
    /// No value may match any of them.
    pub none_of: Vec<Pattern>,
}

impl Test {
    /// Some value matches one of the patterns.
    #[must_use]
    pub fn any(dimension: Dimension, patterns: Vec<Pattern>) -> Self {
        Self { dimension, any_of: Some(patterns), none_of: Vec::new() }
    }

    /// No value matches any of the patterns.
    #[must_use]
    pub fn none(dimension: Dimension, patterns: Vec<Pattern>) -> Self {
        Self { dimension, any_of: None, none_of: patterns }
    }

    /// Whether it holds for a value of its dimension.
    #[must_use]
    pub fn holds<S: AsRef<str>>(&self, values: &[S]) -> bool {
        let some = |patterns: &[Pattern]| {
            values.iter().any(|value| patterns.iter().any(|pattern| pattern.matches(value.as_ref())))
        };
        self.any_of.as_deref().is_none_or(some) && !some(&self.none_of)
    }

    /// Tests of which one holds wherever this one does not.
    pub fn complement(&self) -> impl Iterator<Item = Self> + use<> {
        let outside = self.any_of.clone().map(|any_of| Self::none(self.dimension.clone(), any_of));
        let within = (!self.none_of.is_empty()).then(|| Self::any(self.dimension.clone(), self.none_of.clone()));
        outside.into_iter().chain(within)
    }
}

/// The same on the path, which has one value and is never absent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PathTest {
    /// The path must match one of them.
    pub any_of: Option<Vec<Pattern>>,
    /// The path must match none of them.
    pub none_of: Vec<Pattern>,
}

impl PathTest {
    /// The path matches one of the patterns.
    #[must_use]
    pub fn any(patterns: Vec<Pattern>) -> Self {
        Self { any_of: Some(patterns), none_of: Vec::new() }
    }

    /// The path matches none of the patterns.
    #[must_use]
    pub fn none(patterns: Vec<Pattern>) -> Self {
        Self { any_of: None, none_of: patterns }
    }

    /// Whether it holds for a path.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        let some = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(path));
        self.any_of.as_deref().is_none_or(some) && !some(&self.none_of)
    }

    /// Tests of which one holds wherever this one does not.
    pub fn complement(&self) -> impl Iterator<Item = Self> + use<> {
        let outside = self.any_of.clone().map(Self::none);
        let within = (!self.none_of.is_empty()).then(|| Self::any(self.none_of.clone()));
        outside.into_iter().chain(within)
    }
}

/// A conjunction: all tests hold. The default is every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cube {
    /// Conditions on dimensions; several on one dimension are allowed.
    pub tests: Vec<Test>,
    /// Conditions on the path.
    pub path: Vec<PathTest>,
}

impl Cube {
    /// Also: some value of a dimension matches one of the patterns.
    #[must_use]
    pub fn any(self, dimension: Dimension, patterns: Vec<Pattern>) -> Self {
        self.with(Test::any(dimension, patterns))
    }

    /// Also: no value of a dimension matches one of the patterns.
    #[must_use]
    pub fn none(self, dimension: Dimension, patterns: Vec<Pattern>) -> Self {
        self.with(Test::none(dimension, patterns))
    }

    /// Also: the path matches one of the patterns.
    #[must_use]
    pub fn path(self, patterns: Vec<Pattern>) -> Self {
        self.with_path(PathTest::any(patterns))
    }

    /// Adds a condition.
    #[must_use]
    pub fn with(mut self, test: Test) -> Self {
        self.tests.push(test);
        self
    }

    /// Adds a condition on the path.
    #[must_use]
    pub fn with_path(mut self, test: PathTest) -> Self {
        self.path.push(test);
        self
    }

    /// Both cubes at once.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        /// The items of both lists, each once, and no room for more: cubes are many, and stay as they are.
        fn joined<T: Clone + PartialEq>(one: &[T], other: &[T]) -> Vec<T> {
            let more = || other.iter().filter(|item| !one.contains(item));
            let mut both = Vec::with_capacity(one.len() + more().count());
            both.extend(one.iter().chain(more()).cloned());
            both
        }
        Self { tests: joined(&self.tests, &other.tests), path: joined(&self.path, &other.path) }
    }

    /// Whether a point satisfies every test.
    #[must_use]
    pub fn holds(&self, point: &Point) -> bool {
        self.tests.iter().all(|test| test.holds(point.values(&test.dimension)))
            && self.path.iter().all(|test| test.holds(&point.path))
    }
}

/// What a rule says of the requests that it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(pub u32);

impl Label {
    /// Requests that get it cannot occur: they are in no cell and no witness.
    pub const IMPOSSIBLE: Self = Self(u32::MAX);
}

/// A cube and its label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// Which requests it decides; shared, for one rule stands in the lists of many proxies.
    pub cube: Arc<Cube>,
    /// What it says of them.
    pub label: Label,
}

impl Rule {
    /// A rule of a cube and a label.
    #[must_use]
    pub fn new(cube: impl Into<Arc<Cube>>, label: Label) -> Self {
        Self { cube: cube.into(), label }
    }
}

/// Rules of which the first that matches decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionList {
    /// The rules in order.
    pub rules: Vec<Rule>,
    /// The label where no rule matches.
    pub default: Label,
}

impl DecisionList {
    /// The dimensions that some test asks about.
    #[must_use]
    pub fn dimensions(&self) -> BTreeSet<Dimension> {
        self.rules.iter().flat_map(|rule| &rule.cube.tests).map(|test| test.dimension.clone()).collect()
    }

    /// Fixes one dimension: tests on it are decided and dropped.
    #[must_use]
    pub fn specialise(&self, dimension: &Dimension, value: &[&str]) -> Self {
        let keep = |rule: &Rule| {
            if rule.cube.tests.iter().all(|test| test.dimension != *dimension) {
                return Some(rule.clone());
            }
            let (on, off): (Vec<_>, Vec<_>) = rule.cube.tests.iter().partition(|test| test.dimension == *dimension);
            let cube = || Cube { tests: off.into_iter().cloned().collect(), path: rule.cube.path.clone() };
            on.iter().all(|test| test.holds(value)).then(|| Rule::new(cube(), rule.label))
        };
        // Nearly all are kept, and lists are many.
        let mut rules = Vec::with_capacity(self.rules.len());
        rules.extend(self.rules.iter().filter_map(keep));
        Self { rules, default: self.default }
    }
}
