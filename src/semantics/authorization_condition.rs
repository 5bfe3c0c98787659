//! The `when` conditions of a policy rule as cubes of the request space.

#![expect(clippy::wildcard_enum_match_arm, reason = "a policy string has four forms, and the exact one is the rest")]

use super::authorization_policy::{Reading, all_of, every, field, strings};
use super::decision::{Cause, CauseKind};
use super::managed_header::is_managed;
use super::string_match::{self, Star};
use super::trust_domain;
use crate::model::{Condition, Values};
use crate::space::{Cube, Dimension, PathTest, Pattern, Test};
use crate::text::Span;

impl Reading<'_> {
    /// A `when` condition. `None`: the key is not known.
    pub(super) fn condition(&mut self, condition: &Condition) -> Option<Vec<Cube>> {
        let key = condition.key.as_ref()?;
        let (values, not_values) = (&condition.values, &condition.not_values);
        let bundle = self.context.bundle;
        let namespace = self.context.namespace;
        let cubes = match key.value.as_str() {
            "source.ip" => self.addresses(Dimension::SourceIp, values, not_values),
            "remote.ip" => self.addresses(Dimension::RemoteIp, values, not_values),
            "destination.ip" => self.unmodelled(key.span, "the address of the pod"),
            "destination.port" => self.ports(values, not_values),
            "source.namespace" => {
                field(Dimension::Peer, values, not_values, &|value| vec![string_match::namespace(value)])
            }
            "source.serviceAccount" => {
                field(Dimension::Peer, values, not_values, &|value| string_match::service_account(value, namespace))
            }
            "source.principal" => field(Dimension::Peer, values, not_values, &|value| {
                trust_domain::principals(value, bundle).iter().map(|value| string_match::principal(value)).collect()
            }),
            "source.trustDomain" => field(Dimension::Peer, values, not_values, &|value| {
                trust_domain::trust_domains(value, bundle)
                    .iter()
                    .map(|value| string_match::trust_domain(value))
                    .collect()
            }),
            "connection.sni" => field(Dimension::Sni, values, not_values, &|value| {
                vec![string_match::policy_string(value, Star::NonEmpty)]
            }),
            "request.auth.principal" => self.request_principals(values, not_values),
            "request.auth.audiences" => self.claim(&["aud"], values, not_values),
            "request.auth.presenter" => self.claim(&["azp"], values, not_values),
            other => return self.bracketed(other, key.span, values, not_values),
        };
        Some(cubes)
    }

    /// A condition whose key names a header, a claim or metadata in brackets.
    fn bracketed(&mut self, key: &str, span: Span, values: &Values, not_values: &Values) -> Option<Vec<Cube>> {
        if let Some(rest) = key.strip_prefix("request.headers") {
            return Some(match header_name(rest) {
                Some(name) => self.header(&name.to_ascii_lowercase(), span, values, not_values),
                None => self.malformed(),
            });
        }
        if let Some(rest) = key.strip_prefix("request.auth.claims") {
            return Some(match claim_names(rest) {
                Some(names) => self.claim(&names, values, not_values),
                None => self.malformed(),
            });
        }
        if let Some(rest) = key.strip_prefix("experimental.envoy.filters.") {
            return Some(if rest.contains('[') {
                self.unmodelled(span, "the metadata of another filter")
            } else {
                self.malformed()
            });
        }
        None
    }

    /// A condition that cannot be translated.
    fn malformed(&mut self) -> Vec<Cube> {
        self.untranslatable = true;
        every()
    }

    /// A header; pseudo headers are the attributes they name, with regard to case.
    fn header(&mut self, name: &str, span: Span, values: &Values, not_values: &Values) -> Vec<Cube> {
        let carries_token = self.context.token_headers.iter().any(|known| known == name);
        if name == ":path" && !carries_token {
            return self.whole_path(values, not_values);
        }
        if is_managed(name) || carries_token {
            return if self.has_http(values, not_values) {
                self.unmodelled(span, &format!("what proxies make of the header `{name}`"))
            } else {
                every()
            };
        }
        let dimension = match name {
            ":method" => Dimension::Method,
            ":authority" | "host" => Dimension::Authority,
            name => Dimension::Header(name.into()),
        };
        self.http(values, not_values, dimension, |value| string_match::policy_string(value, Star::Present))
    }

    /// The path together with its query: each value as alternatives on the two.
    fn whole_path(&mut self, values: &Values, not_values: &Values) -> Vec<Cube> {
        if !self.has_http(values, not_values) {
            return every();
        }
        let mut cubes = every();
        if !strings(values).is_empty() {
            cubes = strings(values).iter().flat_map(|value| whole_path(&value.value)).collect();
        }
        for value in strings(not_values) {
            for alternative in whole_path(&value.value) {
                cubes = all_of(cubes, &complement(&alternative));
            }
        }
        cubes
    }

    /// A claim of the token. Issuer and subject are what request principals are made of.
    fn claim(&mut self, names: &[impl AsRef<str>], values: &Values, not_values: &Values) -> Vec<Cube> {
        self.http(values, not_values, claim_dimension(names), |value| {
            string_match::policy_string(value, Star::NonEmpty)
        })
    }

    /// A condition on something that is not modelled: it may hold or not.
    fn unmodelled(&mut self, span: Span, what: &str) -> Vec<Cube> {
        self.uncertain.get_or_insert_with(|| Cause {
            kind: CauseKind::UnmodelledCondition,
            message: format!("the manifests do not tell {what}"),
            span: Some(span),
        });
        every()
    }
}

/// The dimension of a claim. Issuer and subject are those of request principals.
pub(crate) fn claim_dimension(names: &[impl AsRef<str>]) -> Dimension {
    match names {
        [only] if only.as_ref() == "iss" => Dimension::Issuer,
        [only] if only.as_ref() == "sub" => Dimension::Subject,
        names => Dimension::Claim(names.iter().map(|name| name.as_ref().into()).collect()),
    }
}

/// The alternatives of a value of `request.headers[:path]`. The query as one text is a parameter without a name.
fn whole_path(value: &str) -> Vec<Cube> {
    let query = || Dimension::Query("".into());
    let on_path = |pattern: Pattern| Cube { tests: Vec::new(), path: vec![PathTest::any(vec![pattern])] };
    let exact = |text: &str| Pattern::Exact(text.into());
    let no_query = || Cube::default().none(query(), vec![Pattern::Any]);
    let with_query = |pattern: Pattern| Cube::default().any(query(), vec![pattern]);
    let stem = value.strip_prefix('*').or_else(|| value.strip_suffix('*')).unwrap_or(value);
    let (path, rest) = stem.split_once('?').map_or((stem, None), |(path, rest)| (path, Some(rest)));
    match string_match::policy_string(value, Star::Present) {
        Pattern::Any => every(),
        Pattern::Prefix(_) => match rest {
            None => vec![on_path(Pattern::Prefix(path.into()))],
            Some(rest) => vec![on_path(exact(path)).and(&with_query(Pattern::Prefix(rest.into())))],
        },
        Pattern::Suffix(whole) => {
            let tail = match rest {
                None => on_path(Pattern::Suffix(path.into())).and(&no_query()),
                Some(rest) => on_path(Pattern::Suffix(path.into())).and(&with_query(exact(rest))),
            };
            vec![tail, with_query(Pattern::Suffix(whole))]
        }
        _ => match rest {
            None => vec![on_path(exact(path)).and(&no_query())],
            Some(rest) => vec![on_path(exact(path)).and(&with_query(exact(rest)))],
        },
    }
}

/// What lies outside of a cube that has at most one test on the path and some on positive or negative values.
fn complement(cube: &Cube) -> Vec<Cube> {
    let opposite = |any_of: &Option<Vec<Pattern>>, none_of: &Vec<Pattern>| {
        let outside = any_of.clone().map(|patterns| (None, patterns));
        let inside = (!none_of.is_empty()).then(|| (Some(none_of.clone()), Vec::new()));
        outside.into_iter().chain(inside)
    };
    let tests = cube.tests.iter().flat_map(|known| {
        let sides = opposite(&known.any_of, &known.none_of);
        sides.map(|(any_of, none_of)| Cube {
            tests: vec![Test { dimension: known.dimension.clone(), any_of, none_of }],
            path: Vec::new(),
        })
    });
    let paths = cube.path.iter().flat_map(|known| {
        let sides = opposite(&known.any_of, &known.none_of);
        sides.map(|(any_of, none_of)| Cube { tests: Vec::new(), path: vec![PathTest { any_of, none_of }] })
    });
    tests.chain(paths).collect()
}

/// The name in the brackets of `[NAME]`.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/model/util.go`, `extractNameInBrackets`.
pub(crate) fn header_name(brackets: &str) -> Option<&str> {
    brackets.strip_prefix('[')?.strip_suffix(']')
}

/// The claim names of `[a][b]`, outermost first; brackets that do not pair up are one name.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/model/util.go`, `extractNameInNestedBrackets`.
pub(crate) fn claim_names(brackets: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = brackets;
    while !rest.is_empty() {
        let inner =
            rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).filter(|(name, _)| !name.contains('['));
        let Some((name, after)) = inner else {
            return header_name(brackets).map(|name| vec![name.to_owned()]);
        };
        names.push(name.to_owned());
        rest = after;
    }
    Some(names)
}
