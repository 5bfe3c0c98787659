//! A small world of requests with every dimension and every kind of pattern: values lie around the borders of
//! the patterns.

use std::collections::BTreeMap;

use super::super::*;
use super::random::Random;

/// A dimension, patterns on it, and values around their borders.
pub(super) struct Axis {
    pub(super) dimension: Dimension,
    pub(super) patterns: Vec<Pattern>,
    pub(super) values: Vec<Vec<String>>,
    pub(super) domain: Option<Domain>,
}

/// Every dimension.
pub(super) struct World {
    pub(super) axes: Vec<Axis>,
    pub(super) universe: Universe,
}

fn exact(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::Exact((*text).into())).collect()
}

fn regexes(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::regex(text).unwrap()).collect()
}

fn blocks(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::Cidr(text.parse().unwrap())).collect()
}

/// Each value alone.
fn alone(values: &[&str]) -> Vec<Vec<String>> {
    values.iter().map(|value| vec![(*value).to_owned()]).collect()
}

/// No value, and each alone.
fn perhaps(values: &[&str]) -> Vec<Vec<String>> {
    [vec![Vec::new()], alone(values)].concat()
}

/// No value, one, and several.
fn several(values: &[&str]) -> Vec<Vec<String>> {
    let pairs = values.iter().flat_map(|a| values.iter().map(move |b| vec![(*a).to_owned(), (*b).to_owned()]));
    let all = vec![values.iter().map(|value| (*value).to_owned()).collect()];
    [perhaps(values), pairs.collect(), all].concat()
}

fn finite(values: &[&str], absent: bool) -> Domain {
    let values = Values::Finite(values.iter().map(|value| (*value).to_owned()).collect());
    Domain { values, absent, several: false, preferred: Vec::new() }
}

/// Patterns of every kind on short texts.
fn texts(a: &str, b: &str) -> Vec<Pattern> {
    let both: Box<str> = format!("{a}{b}").into();
    let class = ByteSet::from_bytes(format!("{a}{b}-").as_bytes());
    let run = |at_least| Piece::Repeat { bytes: class, at_least };
    vec![
        Pattern::Exact(a.into()),
        Pattern::Exact(both.clone()),
        Pattern::Exact("".into()),
        Pattern::Prefix(a.into()),
        Pattern::Suffix(b.into()),
        Pattern::Contains(both.clone()),
        Pattern::ExactIgnoreCase(both.clone()),
        Pattern::PrefixIgnoreCase(b.to_uppercase().into()),
        Pattern::SuffixIgnoreCase(a.to_uppercase().into()),
        Pattern::NonEmpty,
        Pattern::Any,
        Pattern::sequence(&[Piece::Literal(a.into()), run(1)]),
        Pattern::sequence(&[run(0), Piece::Literal(b.into()), run(0)]),
        Pattern::regex(&format!("({a}|{b})+")).unwrap(),
        Pattern::regex(&format!("(?i){a}.?")).unwrap(),
    ]
}

/// Words around the borders of `texts("p", "q")`.
const WORDS: &[&str] = &["", "p", "q", "pq", "qp", "P", "Pq", "p-", "x", "pqx", "é", "pé"];

/// A dimension with one of a few known values.
fn known(dimension: Dimension, values: &[&str]) -> Axis {
    Axis { dimension, patterns: exact(values), values: alone(values), domain: Some(finite(values, false)) }
}

/// Identities and the forms in which policies name them.
fn peer() -> Axis {
    let identities =
        ["spiffe://td/ns/a/sa/x", "spiffe://td/ns/a/sa/y", "spiffe://td/ns/b/sa/x", "spiffe://old/ns/a/sa/x", "odd"];
    let mut patterns = exact(&identities);
    patterns.extend(regexes(&[".*/ns/a/.*", "spiffe://.+/ns/a/(.+/|)sa/x(/.+)?", "spiffe://t[^/]*/.*"]));
    patterns.extend([Pattern::Prefix("spiffe://td/".into()), Pattern::Suffix("/sa/x".into()), Pattern::NonEmpty]);
    Axis { dimension: Dimension::Peer, patterns, values: perhaps(&identities), domain: Some(finite(&identities, true)) }
}

/// Addresses of both families at both ends of blocks.
fn address(dimension: Dimension) -> Axis {
    let nets =
        ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "0.0.0.0/0", "128.0.0.0/1", "::/0", "fd00::/8", "2001:db8::1/128"];
    let four = [
        "10.0.0.0",
        "9.255.255.255",
        "10.255.255.255",
        "11.0.0.0",
        "10.1.0.0",
        "10.1.255.255",
        "10.2.0.0",
        "0.0.0.0",
        "255.255.255.255",
        "127.255.255.255",
        "128.0.0.0",
        "10.1.2.3",
        "10.1.2.4",
    ];
    let six = [
        "::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "fd00::",
        "fe00::",
        "fcff:ffff::1",
        "2001:db8::1",
        "2001:db8::2",
        "::ffff:10.1.2.3",
    ];
    Axis { dimension, patterns: blocks(&nets), values: [alone(&four), alone(&six)].concat(), domain: None }
}

/// Methods, known and unknown, in either case.
fn method() -> Axis {
    let mut patterns = exact(&["GET", "POST", "get"]);
    patterns.extend(regexes(&["GET|HEAD", "P.*"]));
    patterns.extend([Pattern::Prefix("P".into()), Pattern::Suffix("T".into()), Pattern::ExactIgnoreCase("put".into())]);
    let values = alone(&["GET", "POST", "PUT", "put", "HEAD", "get", "P", "GETT", "T", "OPTIONS"]);
    Axis { dimension: Dimension::Method, patterns, values, domain: None }
}

/// Hosts with and without port, trailing dot and case.
fn authority() -> Axis {
    let mut patterns = texts("a", "b");
    patterns.extend(regexes(&["a\\.b(:[0-9]+)?", "[^:]*"]));
    patterns.extend([Pattern::ExactIgnoreCase("A.b".into()), Pattern::Suffix(".b".into())]);
    let values =
        alone(&["a.b", "A.B", "a.b:80", "x.b", ".b", "a", "b", "", "ab", "AB", "a.b.", "ba", "a-b", "[::1]:80"]);
    Axis { dimension: Dimension::Authority, patterns, values, domain: None }
}

/// Texts of any kind.
fn text(dimension: Dimension, values: Vec<Vec<String>>) -> Axis {
    Axis { dimension, patterns: texts("p", "q"), values, domain: None }
}

/// Texts of a language, not of all texts.
fn spoken(dimension: Dimension) -> Axis {
    let words = ["p", "q", "pq", "qqp", "pqx", "px"];
    let values = Values::Language(Pattern::regex("[pq]+x?").unwrap());
    let domain = Some(Domain { values, absent: true, several: false, preferred: vec!["px".into(), "z".into()] });
    Axis { domain, ..text(dimension, perhaps(&words)) }
}

impl World {
    pub(super) fn new() -> Self {
        let scheme = Axis {
            dimension: Dimension::Scheme,
            patterns: exact(&["http", "https"]),
            values: alone(&["http", "https", "ws"]),
            domain: None,
        };
        let claim = |path: &[&str]| Dimension::Claim(path.iter().map(|name| (*name).into()).collect());
        let axes = vec![
            known(Dimension::Port, &["80", "443", "8080"]),
            peer(),
            address(Dimension::SourceIp),
            address(Dimension::RemoteIp),
            address(Dimension::DestinationIp),
            text(Dimension::Sni, perhaps(WORDS)),
            method(),
            scheme,
            authority(),
            text(Dimension::Header("h".into()), several(WORDS)),
            text(Dimension::Header("k".into()), several(&["p", "q", ""])),
            text(Dimension::Query("q".into()), perhaps(WORDS)),
            known(Dimension::Token, &["none", "t", "u"]),
            text(Dimension::Issuer, perhaps(WORDS)),
            spoken(Dimension::Subject),
            text(claim(&["c"]), several(WORDS)),
            text(claim(&["c", "d"]), several(&["p", "q", "x"])),
            text(Dimension::Metadata("m".into()), perhaps(WORDS)),
        ];
        let mut universe = Universe { domains: BTreeMap::new(), path: PathDomain::Normalized(Normalization::Base) };
        for axis in &axes {
            if let Some(domain) = &axis.domain {
                universe.set(axis.dimension.clone(), domain.clone());
            }
        }
        Self { axes, universe }
    }

    /// Some of the axes.
    pub(super) fn some<'a>(&'a self, random: &mut Random, count: usize) -> Vec<&'a Axis> {
        let mut axes: Vec<&Axis> = self.axes.iter().collect();
        (0..count.min(axes.len())).map(|_| axes.swap_remove(random.below(axes.len()))).collect()
    }
}

/// A random cube on some axes.
pub(super) fn cube(random: &mut Random, axes: &[&Axis], paths: &str) -> Cube {
    let mut cube = Cube::default();
    for axis in axes {
        if random.chance(45) {
            let test = random.test(axis.dimension.clone(), &mut |random| random.pick(&axis.patterns).clone());
            cube = cube.with(test);
        }
    }
    for _ in 0..random.below(3) {
        cube = cube.with_path(random.path_test(paths));
    }
    cube
}

/// A random list on some axes.
pub(super) fn list(random: &mut Random, axes: &[&Axis], paths: &str) -> DecisionList {
    let rules = (0..=random.below(8)).map(|_| {
        let cube = cube(random, axes, paths);
        let label = if random.chance(4) { Label::IMPOSSIBLE } else { random.label(4) };
        Rule::new(cube, label)
    });
    let rules = rules.collect();
    DecisionList { rules, default: random.label(4) }
}

/// A random point on some axes; others are left out.
pub(super) fn point(random: &mut Random, axes: &[&Axis], paths: &[String]) -> Point {
    let values: BTreeMap<Dimension, Vec<String>> =
        axes.iter().map(|axis| (axis.dimension.clone(), random.pick(&axis.values).clone())).collect();
    Point { values, path: random.pick(paths).clone() }
}
