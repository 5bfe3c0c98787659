//! Statements as sets of cells: what each condition asks of a request where it is sent and where it arrives.

use std::sync::LazyLock;

use super::statement::{Cells, Decision, Source, Statement, Text, Token};
use crate::semantics::World;
use crate::space::{Cube, Dimension, PathTest, Pattern, Test};
use crate::text::Spanned;

/// What a statement asks of some cells, all at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// The path as the workload sees it
    pub(super) seen: Vec<PathTest>,
    /// Everything else, as the client sends it
    pub(super) sent: Cube,
    /// Whether the workload's proxy verified a client certificate
    pub(super) mtls: Option<bool>,
    /// What becomes of them; they are allowed where nothing is said
    pub(super) decision: Option<Decision>,
    /// Which requirement such cells break
    pub(super) without: Option<&'static str>,
}

impl Asked {
    /// Both at once; `None` where that is nothing.
    fn and(&self, other: &Self) -> Option<Self> {
        if differ(self.mtls, other.mtls) || differ(self.decision, other.decision) {
            return None;
        }
        let seen = self.seen.iter().chain(other.seen.iter().filter(|test| !self.seen.contains(test))).cloned();
        Some(Self {
            seen: seen.collect(),
            sent: self.sent.and(&other.sent),
            mtls: self.mtls.or(other.mtls),
            decision: self.decision.or(other.decision),
            without: self.without.or(other.without),
        })
    }

    /// What is not all of it: one set for each of its conditions.
    fn complement(&self) -> Vec<Self> {
        let seen =
            self.seen.iter().flat_map(PathTest::complement).map(|test| Self { seen: vec![test], ..Self::default() });
        let path = self.sent.path.iter().flat_map(PathTest::complement).map(|test| Cube::default().with_path(test));
        let tests = self.sent.tests.iter().flat_map(Test::complement).map(|test| Cube::default().with(test));
        let sent = path.chain(tests).map(|sent| Self { sent, ..Self::default() });
        let mtls = self.mtls.map(|mtls| Self { mtls: Some(!mtls), ..Self::default() });
        let decision = self.decision.map(|decision| {
            let other = if decision == Decision::Allowed { Decision::Denied } else { Decision::Allowed };
            Self { decision: Some(other), ..Self::default() }
        });
        seen.chain(sent).chain(mtls).chain(decision).collect()
    }

    /// Whether it is about requests that are refused.
    pub(super) fn is_refused(&self) -> bool {
        self.decision == Some(Decision::Denied)
    }

    /// As a workload's own proxy judges it: what is sent is what arrives.
    pub(super) fn at_workload(&self) -> Cube {
        let cube = self.seen.iter().fold(self.sent.clone(), |cube, test| cube.with_path(test.clone()));
        match self.mtls {
            None => cube,
            Some(true) => cube.any(Dimension::Peer, vec![Pattern::Any]),
            Some(false) => cube.none(Dimension::Peer, vec![Pattern::Any]),
        }
    }

    /// Whether it asks for something that only a proxy in front can have verified.
    pub(super) fn needs_proxy(&self) -> bool {
        let token = |test: &Test| test.dimension == Dimension::Token && test.any_of.as_ref() == Some(&*VALID);
        self.mtls == Some(true) || self.sent.tests.iter().any(token)
    }
}

/// Whether two conditions ask for what cannot be at once.
fn differ<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
    a.zip(b).is_some_and(|(a, b)| a != b)
}

/// What is in every one of some unions.
fn intersection(unions: &[Vec<Asked>]) -> Vec<Asked> {
    unions.iter().fold(vec![Asked::default()], |all, union| {
        all.iter().flat_map(|one| union.iter().filter_map(|other| one.and(other))).collect()
    })
}

/// What is in none of a union.
fn outside(union: &[Asked]) -> Vec<Asked> {
    intersection(&union.iter().map(Asked::complement).collect::<Vec<_>>())
}

/// Where a statement is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Where<'a> {
    /// The world
    pub(super) world: &'a World,
    /// The workload's namespace
    pub(super) namespace: &'a str,
    /// Whether the outside reaches it: any gateway, and a workload's port that is opened
    pub(super) open: bool,
}

/// The cells that break a statement, as a union.
pub(super) fn breaking(at: Where<'_>, statement: &Statement) -> Vec<Asked> {
    let about: Vec<Vec<Asked>> = conditions(at, &statement.about).into_iter().map(|(_, union)| union).collect();
    let Some(must) = &statement.must else { return intersection(&about) };
    let each = conditions(at, must).into_iter().flat_map(|(without, union)| {
        let broken = outside(&union).into_iter().map(|asked| Asked { without: Some(without), ..asked });
        let mut all = about.clone();
        all.push(broken.collect());
        intersection(&all)
    });
    each.collect()
}

/// The conditions that are written, each as a union and with the words for its absence.
fn conditions(at: Where<'_>, cells: &Cells) -> Vec<(&'static str, Vec<Asked>)> {
    let mut found: Vec<(&'static str, Vec<Asked>)> = Vec::new();
    let seen = |test| vec![Asked { seen: vec![test], ..Asked::default() }];
    let sent = |sent| vec![Asked { sent, ..Asked::default() }];
    if let Some(sources) = &cells.source {
        found.push(("from another source", peers(at, &sources.0)));
    }
    if let Some(sources) = &cells.not_source {
        found.push(("from such a source", outside(&peers(at, &sources.0))));
    }
    if let Some(paths) = &cells.path {
        found.push(("at another path", seen(PathTest::any(path_patterns(&paths.0)))));
    }
    if let Some(paths) = &cells.not_path {
        found.push(("at such a path", seen(PathTest::none(path_patterns(&paths.0)))));
    }
    if let Some(paths) = &cells.request_path {
        found.push(("at another path", sent(Cube::default().path(path_patterns(&paths.0)))));
    }
    if let Some(paths) = &cells.not_request_path {
        let test = PathTest::none(path_patterns(&paths.0));
        found.push(("at such a path", sent(Cube::default().with_path(test))));
    }
    let methods = |methods: &[Spanned<String>]| methods.iter().map(|method| exact(&method.value)).collect();
    if let Some(list) = &cells.method {
        found.push(("by another method", sent(Cube::default().any(Dimension::Method, methods(&list.0)))));
    }
    if let Some(list) = &cells.not_method {
        found.push(("by such a method", sent(Cube::default().none(Dimension::Method, methods(&list.0)))));
    }
    let hosts = |hosts: &[Spanned<Text>]| hosts.iter().filter_map(|host| host_pattern(&host.value)).collect();
    if let Some(list) = &cells.host {
        found.push(("for another host", sent(Cube::default().any(Dimension::Authority, hosts(&list.0)))));
    }
    if let Some(list) = &cells.not_host {
        found.push(("for such a host", sent(Cube::default().none(Dimension::Authority, hosts(&list.0)))));
    }
    if let Some(mtls) = &cells.mtls {
        let without = if mtls.value { "without mutual TLS" } else { "by mutual TLS" };
        found.push((without, vec![Asked { mtls: Some(mtls.value), ..Asked::default() }]));
    }
    match cells.jwt.as_ref().map(|jwt| jwt.value) {
        Some(Token::Valid) => {
            found.push(("without a valid token", sent(Cube::default().any(Dimension::Token, VALID.clone()))));
        }
        Some(Token::None) => {
            found.push(("with a token", sent(Cube::default().none(Dimension::Token, VALID.clone()))));
        }
        None => {}
    }
    if let Some(decision) = &cells.decision {
        found.push(("", vec![Asked { decision: Some(decision.value), ..Asked::default() }]));
    }
    found
}

/// A token that verifies.
static VALID: LazyLock<Vec<Pattern>> = LazyLock::new(|| vec![exact("valid")]);

/// This text alone.
fn exact(text: &str) -> Pattern {
    Pattern::Exact(text.into())
}

/// The peers that some sources are, as a union.
fn peers(at: Where<'_>, sources: &[Spanned<Source>]) -> Vec<Asked> {
    let tests = sources.iter().filter_map(|source| peer(at, &source.value));
    tests.map(|test| Asked { sent: Cube::default().with(test), ..Asked::default() }).collect()
}

/// The peers that a source is; `None` where it is nobody.
fn peer(at: Where<'_>, source: &Source) -> Option<Test> {
    let settings = &at.world.mesh.settings;
    let identities = |path: &str| {
        settings.accepted_trust_domains().iter().map(|domain| format!("{domain}/{path}")).collect::<Vec<_>>()
    };
    let accounts = |namespace: &str| {
        identities(&format!("ns/{namespace}/")).into_iter().map(|text| Pattern::Prefix(text.into())).collect()
    };
    let any = |patterns: Vec<Pattern>| Some(Test::any(Dimension::Peer, patterns));
    let nobody = || Some(Test::none(Dimension::Peer, vec![Pattern::Any]));
    if source.outside == Some(true) {
        return nobody().filter(|_| at.open);
    }
    if source.ingress == Some(true) {
        return any(ingress(at.world));
    }
    if source.same_namespace == Some(true) {
        let own = accounts(at.namespace);
        return Some(Test { dimension: Dimension::Peer, any_of: Some(own), none_of: ingress(at.world) });
    }
    if let Some(namespace) = &source.namespace {
        return any(accounts(namespace));
    }
    if let Some((namespace, name)) = source.service_account.as_ref().and_then(|account| account.split_once('/')) {
        return any(identities(&format!("ns/{namespace}/sa/{name}")).iter().map(|identity| exact(identity)).collect());
    }
    match source.principal.as_ref()?.form()? {
        ("exact", "none") => nobody(),
        ("exact", "any") => any(vec![Pattern::Any]),
        ("prefix", text) => any(vec![Pattern::Prefix(text.into())]),
        ("suffix", text) => any(vec![Pattern::Suffix(text.into())]),
        (_, text) => any(vec![exact(text)]),
    }
}

/// Identities of the ingress, in every trust domain that the mesh calls its own.
fn ingress(world: &World) -> Vec<Pattern> {
    let domains = world.mesh.settings.trust_bundle();
    let identities = world.ingress.iter().flat_map(|path| domains.iter().map(move |domain| format!("{domain}/{path}")));
    identities.map(|identity| exact(&identity)).collect()
}

/// Paths, as alternatives.
fn path_patterns(paths: &[Spanned<Text>]) -> Vec<Pattern> {
    let of = |path: &Spanned<Text>| match path.value.form() {
        Some(("below", text)) => {
            let text = text.trim_end_matches('/');
            vec![exact(text), Pattern::Prefix(format!("{text}/").into())]
        }
        Some(("prefix", text)) => vec![Pattern::Prefix(text.into())],
        Some(("suffix", text)) => vec![Pattern::Suffix(text.into())],
        Some((_, text)) => vec![exact(text)],
        None => Vec::new(),
    };
    paths.iter().flat_map(of).collect()
}

/// A host, in any case and with or without a port. What the port looks like does not matter to a proxy.
fn host_pattern(host: &Text) -> Option<Pattern> {
    const PORT: &str = r"(:[^:\]]*)?";
    let (form, text) = host.form()?;
    let text = regex_syntax::escape(text);
    let expression = match form {
        "prefix" => format!("(?i){text}.*"),
        "suffix" => format!("(?i)[^:]*{text}{PORT}"),
        _ => format!("(?i){text}{PORT}"),
    };
    Pattern::regex(&expression).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Point;

    /// A request of a method at a path.
    fn point(method: &str, path: &str) -> Point {
        Point { values: [(Dimension::Method, vec![method.to_owned()])].into(), path: path.to_owned() }
    }

    #[test]
    fn what_is_outside_of_a_union_is_in_none_of_its_sets() {
        let below =
            |path: &str| Asked { seen: vec![PathTest::any(vec![Pattern::Prefix(path.into())])], ..Asked::default() };
        let get = Asked { sent: Cube::default().any(Dimension::Method, vec![exact("GET")]), ..Asked::default() };
        let union = [below("/a").and(&get).expect("both"), below("/b")];
        let left = outside(&union);
        for (method, path, is_in) in
            [("GET", "/a", true), ("PUT", "/a", false), ("PUT", "/b", true), ("GET", "/b", true), ("GET", "/c", false)]
        {
            let point = point(method, path);
            assert_eq!(union.iter().any(|asked| asked.at_workload().holds(&point)), is_in, "{method} {path}");
            assert_eq!(left.iter().any(|asked| asked.at_workload().holds(&point)), !is_in, "{method} {path}");
        }
    }

    #[test]
    fn a_host_ignores_case_and_port_and_nothing_else() {
        let text = |host: &str| Text { exact: Some(host.to_owned()), ..Text::default() };
        let exact = host_pattern(&text("a.example")).expect("a pattern");
        assert!(exact.matches("A.example:80") && exact.matches("a.example") && !exact.matches("aXexample"));
        let suffix = host_pattern(&Text { suffix: Some(".example".to_owned()), ..Text::default() }).expect("a pattern");
        assert!(suffix.matches("a.b.EXAMPLE:8080") && !suffix.matches("example") && !suffix.matches("a.example.com"));
    }
}
