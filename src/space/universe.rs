//! Which values can occur at all, and single points of the space.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::list::Dimension;
use super::normalize::Normalization;
use super::pattern::Pattern;

/// Which values can occur.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Universe {
    /// By dimension; one without an entry has `Domain::default_for`. Shared, for many proxies see the same values.
    pub domains: BTreeMap<Dimension, Arc<Domain>>,
    /// Which paths can occur.
    pub path: PathDomain,
}

impl Default for Universe {
    fn default() -> Self {
        Self { domains: BTreeMap::new(), path: PathDomain::Normalized(Normalization::Base) }
    }
}

impl Universe {
    /// What can occur on a dimension.
    #[must_use]
    pub fn domain(&self, dimension: &Dimension) -> Arc<Domain> {
        self.domains.get(dimension).cloned().unwrap_or_else(|| Domain::default_for(dimension).into())
    }

    /// Says what can occur on a dimension. What is preferred and cannot occur is forgotten.
    pub fn set(&mut self, dimension: Dimension, mut domain: Domain) {
        let values = std::mem::take(&mut domain.preferred);
        domain.preferred = values.into_iter().filter(|value| domain.contains(&[value])).collect();
        self.domains.insert(dimension, domain.into());
    }
}

/// Which values can occur on one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The single values.
    pub values: Values,
    /// Whether it may be absent.
    pub absent: bool,
    /// Whether it may have several values at once.
    pub several: bool,
    /// Nicer representatives, tried first and in this order; each can occur.
    pub preferred: Vec<Arc<str>>,
}

/// A set of single values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// These.
    Finite(Vec<String>),
    /// The text that a pattern matches.
    Language(Pattern),
    /// Every address, of both families.
    Ip,
}

impl Domain {
    /// What can occur on a dimension about which nothing was said.
    #[must_use]
    pub fn default_for(dimension: &Dimension) -> Self {
        let any = Values::Language(Pattern::Any);
        let (values, absent, several) = match dimension {
            Dimension::Header(_) | Dimension::Claim(_) => (any, true, true),
            Dimension::Peer
            | Dimension::Sni
            | Dimension::Query(_)
            | Dimension::Issuer
            | Dimension::Subject
            | Dimension::Metadata(_) => (any, true, false),
            Dimension::SourceIp | Dimension::RemoteIp | Dimension::DestinationIp => (Values::Ip, false, false),
            Dimension::Port | Dimension::Method | Dimension::Scheme | Dimension::Authority | Dimension::Token => {
                (any, false, false)
            }
        };
        let preferred = match dimension {
            Dimension::Method => vec!["GET".into(), "POST".into()],
            Dimension::Scheme => vec!["http".into(), "https".into()],
            Dimension::SourceIp | Dimension::RemoteIp | Dimension::DestinationIp => {
                vec!["192.0.2.1".into(), "198.51.100.1".into(), "10.0.0.1".into()]
            }
            Dimension::Port
            | Dimension::Peer
            | Dimension::Sni
            | Dimension::Authority
            | Dimension::Header(_)
            | Dimension::Query(_)
            | Dimension::Token
            | Dimension::Issuer
            | Dimension::Subject
            | Dimension::Claim(_)
            | Dimension::Metadata(_) => Vec::new(),
        };
        Self { values, absent, several, preferred }
    }

    /// Whether a value of the dimension can occur.
    #[must_use]
    pub fn contains<S: AsRef<str>>(&self, values: &[S]) -> bool {
        let single = |value: &S| match (&self.values, value.as_ref()) {
            (Values::Finite(known), value) => known.iter().any(|known| known == value),
            (Values::Language(pattern), value) => pattern.matches(value),
            (Values::Ip, value) => value.parse::<IpAddr>().is_ok(),
        };
        match values {
            [] => self.absent,
            [value] => single(value),
            more => self.several && more.iter().all(single),
        }
    }
}

/// Which paths can occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathDomain {
    /// What one normalisation makes of paths on the wire. Contains `/x/..;/b`, which a second one would change.
    Normalized(Normalization),
    /// As sent, no proxy in front.
    Raw,
}

impl PathDomain {
    /// The normalisation; none for raw paths.
    #[must_use]
    pub fn normalization(self) -> Normalization {
        match self {
            Self::Normalized(mode) => mode,
            Self::Raw => Normalization::None,
        }
    }
}

/// A concrete point of the space.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// The values by dimension; absent is empty or missing.
    pub values: BTreeMap<Dimension, Vec<String>>,
    /// The path without its query.
    pub path: String,
}

impl Point {
    /// The values of a dimension; none when absent.
    #[must_use]
    pub fn values(&self, dimension: &Dimension) -> &[String] {
        self.values.get(dimension).map_or(&[], Vec::as_slice)
    }
}
