//! Decision lists over the request space: dimensions, tests, cubes, labels, points.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a dimension without words or values of its own is treated as any other"
)]

use std::collections::BTreeMap;

use super::normalize::Normalization;
use super::pattern::Pattern;

/// A coordinate of the request space. The path is apart: it is always there and comes last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// Port that the proxy listens on
    Port,
    /// Identity of the peer; absent without one
    Peer,
    /// Address of the connection's other end
    SourceIp,
    /// Address of the client
    RemoteIp,
    /// Address of the pod
    DestinationIp,
    /// Server name on TLS
    Sni,
    /// Method
    Method,
    /// Scheme
    Scheme,
    /// Authority, port included
    Authority,
    /// `none`, `valid`, `invalid`
    Token,
    /// Claim `iss` of a token that verifies
    Issuer,
    /// Claim `sub` of a token that verifies
    Subject,
    /// Another claim, outermost name first
    Claim(Box<[Box<str>]>),
    /// A header, lower-case
    Header(Box<str>),
    /// A query parameter
    Query(Box<str>),
    /// Something another filter leaves
    Metadata(Box<str>),
}

/// A condition on one dimension. Its value is a set of strings: empty if absent, several for headers and claims.
///
/// Holds if some value matches a pattern of `any_of`, where there is one, and no value matches one of `none_of`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Test {
    /// The dimension
    pub dimension: Dimension,
    /// One of them; `Some` of nothing never holds
    pub any_of: Option<Vec<Pattern>>,
    /// None of them
    pub none_of: Vec<Pattern>,
}

/// A condition on the path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathTest {
    /// One of them; `Some` of nothing never holds
    pub any_of: Option<Vec<Pattern>>,
    /// None of them
    pub none_of: Vec<Pattern>,
}

/// A conjunction of tests. Without any it holds for every request.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cube {
    /// On finite dimensions
    pub tests: Vec<Test>,
    /// On the path
    pub path: Vec<PathTest>,
}

impl Cube {
    /// Both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.tests.extend(other.tests.iter().filter(|test| !self.tests.contains(test)).cloned());
        both.path.extend(other.path.iter().filter(|test| !self.path.contains(test)).cloned());
        both
    }

    /// Also: some value of a dimension matches.
    #[must_use]
    pub fn any(mut self, dimension: Dimension, patterns: Vec<Pattern>) -> Self {
        self.tests.push(Test { dimension, any_of: Some(patterns), none_of: Vec::new() });
        self
    }

    /// Also: no value of a dimension matches.
    #[must_use]
    pub fn none(mut self, dimension: Dimension, patterns: Vec<Pattern>) -> Self {
        self.tests.push(Test { dimension, any_of: None, none_of: patterns });
        self
    }

    /// Also: the path matches one of the patterns.
    #[must_use]
    pub fn path(mut self, patterns: Vec<Pattern>) -> Self {
        self.path.push(PathTest { any_of: Some(patterns), none_of: Vec::new() });
        self
    }

    /// Whether the point is in it, test by test.
    fn holds(&self, point: &Point) -> bool {
        self.tests.iter().all(|test| {
            let values = point.values.get(&test.dimension).map_or(&[][..], Vec::as_slice);
            test.holds(values)
        }) && self.path.iter().all(|test| test.holds(&point.path))
    }
}

impl Test {
    /// Whether values pass.
    pub(super) fn holds(&self, values: &[String]) -> bool {
        let any =
            |patterns: &[Pattern]| patterns.iter().any(|pattern| values.iter().any(|value| pattern.matches(value)));
        self.any_of.as_deref().is_none_or(any) && !any(&self.none_of)
    }

    /// Its patterns.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.any_of.iter().flatten().chain(&self.none_of)
    }
}

impl PathTest {
    /// Whether a path passes.
    pub(super) fn holds(&self, path: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(path));
        self.any_of.as_deref().is_none_or(any) && !any(&self.none_of)
    }

    /// Its patterns.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.any_of.iter().flatten().chain(&self.none_of)
    }
}

/// What a request gets; the meaning is the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(pub u32);

impl Label {
    /// Requests that cannot occur: they are in no cell and no witness.
    pub const IMPOSSIBLE: Self = Self(u32::MAX);
    /// Requests that were not asked about.
    pub(super) const OUTSIDE: Self = Self(u32::MAX - 1);

    /// Whether requests of this label are left out.
    pub(super) fn is_left_out(self) -> bool {
        self == Self::IMPOSSIBLE || self == Self::OUTSIDE
    }
}

/// A cube and the label of its requests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// Which requests
    pub cube: Cube,
    /// What they get
    pub label: Label,
}

/// Rules in order; the first that holds gives the label, else the default does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionList {
    /// First match wins
    pub rules: Vec<Rule>,
    /// Where none matches
    pub default: Label,
}

impl DecisionList {
    /// The list with one dimension fixed to a value: its tests are decided and dropped.
    #[must_use]
    pub fn specialise(&self, dimension: &Dimension, value: &[&str]) -> Self {
        let value: Vec<String> = value.iter().map(|text| (*text).to_owned()).collect();
        let rules = self.rules.iter().filter(|rule| {
            rule.cube.tests.iter().filter(|test| test.dimension == *dimension).all(|test| test.holds(&value))
        });
        let rules = rules.map(|rule| {
            let mut rule = rule.clone();
            rule.cube.tests.retain(|test| test.dimension != *dimension);
            rule
        });
        Self { rules: rules.collect(), default: self.default }
    }

    /// The dimensions that some test looks at.
    pub fn dimensions(&self) -> std::collections::BTreeSet<Dimension> {
        self.rules.iter().flat_map(|rule| &rule.cube.tests).map(|test| test.dimension.clone()).collect()
    }
}

/// Which values of a dimension can occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// The strings
    pub values: Values,
    /// Whether it may be absent
    pub absent: bool,
    /// Whether it may have several values
    pub several: bool,
    /// Values to show first
    pub preferred: Vec<String>,
}

/// Which strings can occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// These
    Finite(Vec<String>),
    /// Every member
    Language(Pattern),
    /// Every IP address
    Ip,
}

impl Domain {
    /// What a dimension can hold if nobody says otherwise.
    pub fn default_for(dimension: &Dimension) -> Self {
        let (absent, several, preferred): (bool, bool, &[&str]) = match dimension {
            Dimension::Header(_) | Dimension::Claim(_) => (true, true, &["x"]),
            Dimension::Peer | Dimension::Query(_) | Dimension::Sni | Dimension::Subject | Dimension::Issuer => {
                (true, false, &["x"])
            }
            Dimension::Metadata(_) => (true, false, &[]),
            _ => (false, false, &[]),
        };
        let values = match dimension {
            Dimension::SourceIp | Dimension::RemoteIp | Dimension::DestinationIp => Values::Ip,
            _ => Values::Language(Pattern::Any),
        };
        let preferred = preferred.iter().map(|value| (*value).to_owned()).collect();
        Self { values, absent, several, preferred }
    }
}

/// Which paths can occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathDomain {
    /// What one normalisation can give
    Normalized(Normalization),
    /// Paths as sent
    Raw,
}

/// Which points can occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Universe {
    /// Values by dimension; [`Domain::default_for`] holds for the others
    pub domains: BTreeMap<Dimension, Domain>,
    /// Paths
    pub path: PathDomain,
}

impl Universe {
    /// The domain of a dimension.
    pub(super) fn domain(&self, dimension: &Dimension) -> Domain {
        self.domains.get(dimension).cloned().unwrap_or_else(|| Domain::default_for(dimension))
    }
}

/// One request, as far as the dimensions in play go. The path is without its query.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Point {
    /// Values by dimension; absent if empty or missing
    pub values: BTreeMap<Dimension, Vec<String>>,
    /// The path
    pub path: String,
}

/// The label of a point, by trying rule after rule. Shares nothing with the partition.
pub fn label_of(list: &DecisionList, point: &Point) -> Label {
    list.rules.iter().find(|rule| rule.cube.holds(point)).map_or(list.default, |rule| rule.label)
}
