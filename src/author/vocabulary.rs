//! The words in which rows can say what a workload's policies say: paths, methods, callers.

use std::collections::BTreeSet;

use crate::config::{Allow, Named, PathGlob};
use crate::model::{AuthorizationPolicy, Operation as PolicyOperation, Resource, Source, Values, Workload};
use crate::semantics::{Proxy, World, attached_policies, is_template, jwt_filter, policy_path};
use crate::space::{Cube, Dimension, Pattern, Test};

/// Requests that a row can name, whoever sends them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Operation {
    /// The path; every one if absent
    pub(super) path: Option<Path>,
    /// The methods; every one if absent
    pub(super) methods: Option<Vec<String>>,
    /// Whether it takes a token that verifies
    pub(super) jwt: bool,
}

/// A path of a policy and the narrowest glob that means it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Path {
    /// As a row says it
    pub(super) glob: PathGlob,
    /// As the policy means it
    pattern: Pattern,
}

/// What the policies of a workload speak of.
#[derive(Debug, Clone)]
pub(super) struct Vocabulary {
    /// Requests
    pub(super) operations: BTreeSet<Operation>,
    /// Callers
    pub(super) callers: BTreeSet<Allow>,
}

impl Vocabulary {
    /// The vocabulary of a workload: what its policies name, and what needs no name.
    pub(super) fn of(world: &World, workload: &Workload) -> Self {
        let proxy = Proxy { namespace: &workload.id.namespace, labels: &workload.labels };
        let attached = attached_policies(&world.mesh, proxy);
        let mut operations = BTreeSet::from([Operation::default()]);
        operations.extend(attached.allow.iter().flat_map(|policy| operations_of(policy)));
        if !jwt_filter(&world.mesh, proxy).is_empty() {
            let with_token: Vec<_> = operations.iter().map(|one| Operation { jwt: true, ..one.clone() }).collect();
            operations.extend(with_token);
        }
        let mut callers = BTreeSet::from([Allow::Outside, Allow::Mesh, Allow::Ingress, Allow::SameNamespace]);
        callers.extend(attached.allow.iter().chain(&attached.deny).flat_map(|policy| callers_of(policy)));
        // The whole of the own namespace is another thing than its callers only where the ingress runs in it.
        let own = format!("ns/{}/", workload.id.namespace);
        let whole = Allow::Namespace(workload.id.namespace.to_string());
        if world.ingress.iter().any(|identity| identity.starts_with(&own)) {
            callers.insert(whole);
        } else {
            callers.remove(&whole);
        }
        Self { operations, callers }
    }
}

impl Operation {
    /// Its requests. A token that does not verify is refused whatever a policy says, so it is not asked about.
    pub(super) fn cube(&self, connections: bool) -> Cube {
        let mut cube = Cube::default();
        if connections {
            return cube;
        }
        let exact = |text: &str| Pattern::Exact(text.into());
        if let Some(path) = &self.path {
            cube = cube.path(vec![path.pattern.clone()]);
        }
        if let Some(methods) = &self.methods {
            cube = cube.any(Dimension::Method, methods.iter().map(|method| exact(method)).collect());
        }
        if self.jwt {
            let some = || vec![Pattern::NonEmpty];
            return cube
                .any(Dimension::Token, vec![exact("valid")])
                .any(Dimension::Issuer, some())
                .any(Dimension::Subject, some());
        }
        cube.none(Dimension::Token, vec![exact("invalid")])
    }

    /// Whether it has every request of another one, as far as their words tell.
    pub(super) fn covers(&self, other: &Self) -> bool {
        (self.path.is_none() || self.path == other.path)
            && (self.methods.is_none() || self.methods == other.methods)
            && (!self.jwt || other.jwt)
    }
}

/// The callers to ask about, to know whether a caller that a row can name is let in: of those outside, the ones without
/// an identity.
pub(super) fn asked(world: &World, namespace: &str, allow: &Allow) -> Option<Cube> {
    let accepted = |rest: String| -> Vec<Pattern> {
        let domains = world.mesh.settings.accepted_trust_domains();
        domains.iter().map(|domain| Pattern::Prefix(format!("{domain}/{rest}").into())).collect()
    };
    let of = |any_of: Vec<Pattern>| Some(Cube::default().any(Dimension::Peer, any_of));
    let exact = |path: &str| -> Vec<Pattern> {
        let domains = world.mesh.settings.trust_bundle();
        domains.iter().map(|domain| Pattern::Exact(format!("{domain}/{path}").into())).collect()
    };
    let ingress = || world.ingress.iter().flat_map(|path| exact(path)).collect::<Vec<_>>();
    match allow {
        Allow::Outside => Some(Cube::default().none(Dimension::Peer, vec![Pattern::Any])),
        Allow::Mesh => of(accepted(String::new())),
        Allow::Ingress if world.ingress.is_empty() => None,
        Allow::Ingress => of(ingress()),
        Allow::SameNamespace => Some(Cube::default().with(Test {
            dimension: Dimension::Peer,
            any_of: Some(accepted(format!("ns/{namespace}/"))),
            none_of: ingress(),
        })),
        Allow::Namespace(name) => of(accepted(format!("ns/{name}/"))),
        Allow::ServiceAccount(Named { namespace, name }) => of(exact(&format!("ns/{namespace}/sa/{name}"))),
        Allow::IngressOf(_) | Allow::Anyone => None,
    }
}

/// The values of a field.
fn values(values: &Values) -> impl Iterator<Item = &str> {
    values.iter().flat_map(|list| &list.value).map(|value| value.value.as_str())
}

/// The requests that an ALLOW policy names, a path at a time. What rows cannot say is left out: whether it matters shows
/// when the rows are held against the workload.
fn operations_of(policy: &Resource<AuthorizationPolicy>) -> Vec<Operation> {
    let rules = policy.spec.rules().iter();
    let operations = rules.flat_map(|rule| rule.value.to.iter().flat_map(|to| &to.value));
    let operations = operations.filter_map(|to| to.value.operation.as_ref());
    operations.flat_map(|operation| one_each(&operation.value)).collect()
}

/// An operation of a policy, a path at a time.
fn one_each(operation: &PolicyOperation) -> Vec<Operation> {
    let methods: Vec<String> = values(&operation.methods).map(str::to_owned).collect();
    let named = Some(methods).filter(|methods| !methods.is_empty() && !methods.iter().any(|method| method == "*"));
    if values(&operation.paths).next().is_none() {
        return vec![Operation { path: None, methods: named, jwt: false }];
    }
    let paths = values(&operation.paths).filter_map(glob_of);
    paths.map(|path| Operation { path: Some(path), methods: named.clone(), jwt: false }).collect()
}

/// The narrowest glob that means a path of a policy; `P/*` has `P` as well in the words of a row.
fn glob_of(value: &str) -> Option<Path> {
    let glob = if is_template(value) {
        value.replace("{**}", "**").replace("{*}", "*")
    } else if value == "*" {
        "/**".to_owned()
    } else if let Some(end) = value.strip_prefix('*').filter(|end| !end.contains('*')) {
        if end.starts_with('/') { format!("/**{end}") } else { format!("/**/*{end}") }
    } else if let Some(start) = value.strip_suffix('*').filter(|start| !start.contains('*')) {
        if start.ends_with('/') { format!("{start}**") } else { format!("{start}*/**") }
    } else if value.contains('*') {
        return None;
    } else {
        value.to_owned()
    };
    Some(Path { glob: PathGlob::parse(&glob).ok()?, pattern: policy_path(value) })
}

/// The callers that a policy names, whether it means them or all others.
fn callers_of(policy: &Resource<AuthorizationPolicy>) -> Vec<Allow> {
    let own = policy.id.namespace.as_str();
    let rules = policy.spec.rules();
    let sources = rules.iter().flat_map(|rule| rule.value.from.iter().flat_map(|from| &from.value));
    let sources = sources.filter_map(|from| from.value.source.as_ref());
    let mut found: Vec<Allow> = sources.flat_map(|source| callers_of_source(&source.value, own)).collect();
    for condition in rules.iter().flat_map(|rule| rule.value.when.iter().flat_map(|when| &when.value)) {
        let condition = &condition.value;
        let named = values(&condition.values).chain(values(&condition.not_values));
        match condition.key.as_ref().map(|key| key.value.as_str()) {
            Some("source.namespace") => found.extend(named.filter_map(namespace)),
            Some("source.principal") => found.extend(named.filter_map(principal)),
            Some("source.serviceAccount") => found.extend(named.filter_map(|name| account(name, own))),
            _ => {}
        }
    }
    found
}

/// The callers that a source names.
fn callers_of_source(source: &Source, own: &str) -> Vec<Allow> {
    let namespaces = values(&source.namespaces).chain(values(&source.not_namespaces)).filter_map(namespace);
    let principals = values(&source.principals).chain(values(&source.not_principals)).filter_map(principal);
    let accounts = values(&source.service_accounts).chain(values(&source.not_service_accounts));
    let accounts = accounts.filter_map(|name| account(name, own));
    namespaces.chain(principals).chain(accounts).collect()
}

/// A namespace that is named in full.
fn namespace(value: &str) -> Option<Allow> {
    (!value.is_empty() && !value.contains(['*', '/'])).then(|| Allow::Namespace(value.to_owned()))
}

/// The account, or the namespace, that an identity names.
fn principal(value: &str) -> Option<Allow> {
    let (_, rest) = value.split_once("/ns/")?;
    match rest.split('/').collect::<Vec<_>>().as_slice() {
        [name, "*"] | [name, "sa", "*"] => namespace(name),
        [namespace, "sa", name] => account(&format!("{namespace}/{name}"), namespace),
        _ => None,
    }
}

/// The account of `NAME`, or `NAMESPACE/NAME`.
fn account(value: &str, own: &str) -> Option<Allow> {
    let (namespace, name) = value.split_once('/').unwrap_or((own, value));
    let plain = !namespace.is_empty() && !name.is_empty() && !value.contains('*') && !name.contains('/');
    plain.then(|| Allow::ServiceAccount(Named { namespace: namespace.to_owned(), name: name.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_glob_of_a_policys_path_means_all_that_the_policy_means() {
        let cases = [
            ("/api/*", Some("/api/**"), "/api/ /api/x/y"),
            ("/api*", Some("/api*/**"), "/api /apis /api/x"),
            ("/*", Some("/**"), "/ /x"),
            ("*", Some("/**"), "/ /x"),
            ("/health", Some("/health"), "/health"),
            ("*/health", Some("/**/health"), "/health /a/b/health"),
            ("*.html", Some("/**/*.html"), "/x.html /a/b.html"),
            ("/a/{*}/b", Some("/a/*/b"), "/a/x/b"),
            ("/a/{**}", Some("/a/**"), "/a/ /a/x/y"),
            ("/a*b", None, ""),
            ("api", None, ""),
        ];
        for (value, glob, paths) in cases {
            let found = glob_of(value);
            assert_eq!(found.as_ref().map(|path| path.glob.as_str()), glob, "{value}");
            for path in paths.split_whitespace() {
                let found = found.as_ref().expect("a glob");
                let patterns = crate::rule::access::paths([&found.glob]);
                assert!(found.pattern.matches(path), "{value} means {path}");
                assert!(patterns.iter().any(|pattern| pattern.matches(path)), "{glob:?} means {path}");
            }
        }
    }

    #[test]
    fn callers_are_read_from_every_form_of_a_name() {
        let sa = |namespace: &str, name: &str| {
            Some(Allow::ServiceAccount(Named { namespace: namespace.to_owned(), name: name.to_owned() }))
        };
        assert_eq!(principal("cluster.local/ns/a/sa/b"), sa("a", "b"));
        assert_eq!(principal("*/ns/a/sa/b"), sa("a", "b"));
        assert_eq!(principal("cluster.local/ns/a/*"), Some(Allow::Namespace("a".to_owned())));
        assert_eq!(principal("cluster.local/ns/a*"), None);
        assert_eq!(principal("*"), None);
        assert_eq!(account("b", "shop"), sa("shop", "b"));
        assert_eq!(account("a/b", "shop"), sa("a", "b"));
        assert_eq!(namespace("a*"), None);
    }
}
