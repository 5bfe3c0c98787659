//! A policy rule as cubes of the request space.

use std::net::IpAddr;

use ipnet::IpNet;

use super::decision::{Cause, CauseKind};
use super::string_match::{self, Star};
use super::trust_domain;
use crate::model::{Action, Condition, Operation, PolicyRule, Source, Values};
use crate::space::{Cube, Dimension, PathTest, Pattern, Test};
use crate::text::{Span, Spanned};

/// Which filter chain of a proxy judges: HTTP attributes do not exist on a TCP chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Chain {
    /// Requests
    Http,
    /// Connections
    Tcp,
}

/// What a policy rule is read against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuleContext<'a> {
    /// Namespace of the policy
    pub(crate) namespace: &'a str,
    /// The mesh's trust domain and its aliases
    pub(crate) bundle: &'a [&'a str],
    /// The chain that judges
    pub(crate) chain: Chain,
    /// The policy's action
    pub(crate) action: Action,
}

/// A policy rule as alternatives; it matches what one of them holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuleRequests {
    /// The alternatives
    pub(crate) cubes: Vec<Cube>,
    /// Why a request in a cube may still not match: a condition that is not modelled
    pub(crate) uncertain: Option<Cause>,
}

/// The requests that a policy rule matches. `None`: the rule does not exist on this chain.
///
/// An ALLOW rule with a field that the chain does not have, or a value that cannot be translated,
/// disappears; in every other action only that field does.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/model/model.go`, `New`, `Generate`, `checkError`;
/// `pilot/pkg/security/authz/builder/builder.go`, `build`.
pub(crate) fn rule_requests(rule: &PolicyRule, context: RuleContext<'_>) -> Option<RuleRequests> {
    let mut reading = Reading { context, uncertain: None, untranslatable: false };
    let from = rule.from.as_ref().filter(|from| !from.value.is_empty()).map(|from| {
        let sources = from.value.iter().map(|from| from.value.source.as_ref().map(|source| &source.value));
        sources.flat_map(|source| source.map_or(every(), |source| reading.source(source))).collect::<Vec<_>>()
    });
    let to = rule.to.as_ref().filter(|to| !to.value.is_empty()).map(|to| {
        let operations = to.value.iter().map(|to| to.value.operation.as_ref().map(|operation| &operation.value));
        operations.flat_map(|operation| operation.map_or(every(), |operation| reading.operation(operation))).collect()
    });
    let mut cubes = all_of(from.unwrap_or_else(every), &to.unwrap_or_else(every));
    for condition in rule.when.iter().flat_map(|when| &when.value) {
        // A key that is not known makes the rule invalid under every action.
        cubes = all_of(cubes, &reading.condition(&condition.value)?);
    }
    if reading.untranslatable && context.action == Action::Allow {
        return None;
    }
    Some(RuleRequests { cubes, uncertain: reading.uncertain })
}

/// The alternative that holds for every request.
fn every() -> Vec<Cube> {
    vec![Cube::default()]
}

/// Both: each alternative of one with each of the other.
fn all_of(left: Vec<Cube>, right: &[Cube]) -> Vec<Cube> {
    if let [only] = right
        && only.tests.is_empty()
        && only.path.is_empty()
    {
        return left;
    }
    left.iter().flat_map(|a| right.iter().map(|b| a.and(b))).collect()
}

/// One test as the only alternative.
fn test(dimension: Dimension, any_of: Option<Vec<Pattern>>, none_of: Vec<Pattern>) -> Vec<Cube> {
    vec![Cube { tests: vec![Test { dimension, any_of, none_of }], path: Vec::new() }]
}

/// The state while one rule is read.
struct Reading<'a> {
    /// What it is read against
    context: RuleContext<'a>,
    /// The first condition that is not modelled
    uncertain: Option<Cause>,
    /// Whether something does not exist on this chain or cannot be translated
    untranslatable: bool,
}

impl Reading<'_> {
    /// A `source`: all its fields hold.
    fn source(&mut self, source: &Source) -> Vec<Cube> {
        let bundle = self.context.bundle;
        let namespace = self.context.namespace;
        let mut cubes = every();
        let peer = |positive: &Values, negative: &Values, patterns: &dyn Fn(&str) -> Vec<Pattern>| {
            field(Dimension::Peer, positive, negative, patterns)
        };
        let principals = |value: &str| -> Vec<Pattern> {
            trust_domain::principals(value, bundle).iter().map(|value| string_match::principal(value)).collect()
        };
        let trust_domains = |value: &str| -> Vec<Pattern> {
            trust_domain::trust_domains(value, bundle).iter().map(|value| string_match::trust_domain(value)).collect()
        };
        cubes = all_of(cubes, &peer(&source.principals, &source.not_principals, &principals));
        cubes = all_of(
            cubes,
            &peer(&source.namespaces, &source.not_namespaces, &|value| vec![string_match::namespace(value)]),
        );
        cubes = all_of(
            cubes,
            &peer(&source.service_accounts, &source.not_service_accounts, &|value| {
                string_match::service_account(value, namespace)
            }),
        );
        cubes = all_of(cubes, &peer(&source.trust_domains, &source.not_trust_domains, &trust_domains));
        cubes = all_of(cubes, &self.addresses(Dimension::SourceIp, &source.ip_blocks, &source.not_ip_blocks));
        let remote = self.addresses(Dimension::RemoteIp, &source.remote_ip_blocks, &source.not_remote_ip_blocks);
        cubes = all_of(cubes, &remote);
        if source.request_principals.is_some() || source.not_request_principals.is_some() {
            let principals = self.request_principals(&source.request_principals, &source.not_request_principals);
            cubes = all_of(cubes, &principals);
        }
        cubes
    }

    /// An `operation`: all its fields hold.
    fn operation(&mut self, operation: &Operation) -> Vec<Cube> {
        let mut cubes = every();
        cubes = all_of(
            cubes,
            &self.http(&operation.hosts, &operation.not_hosts, Dimension::Authority, string_match::policy_host),
        );
        cubes = all_of(
            cubes,
            &self.http(&operation.methods, &operation.not_methods, Dimension::Method, |value| {
                string_match::policy_string(value, Star::Present)
            }),
        );
        cubes = all_of(cubes, &self.paths(&operation.paths, &operation.not_paths));
        let ports = self.ports(&operation.ports, &operation.not_ports);
        all_of(cubes, &ports)
    }

    /// A field that only HTTP has.
    fn http(
        &mut self,
        positive: &Values,
        negative: &Values,
        dimension: Dimension,
        pattern: impl Fn(&str) -> Pattern,
    ) -> Vec<Cube> {
        if !self.has_http(positive, negative) {
            return every();
        }
        field(dimension, positive, negative, &|value| vec![pattern(value)])
    }

    /// Whether an HTTP field can be kept; on a TCP chain one that is set cannot.
    fn has_http(&mut self, positive: &Values, negative: &Values) -> bool {
        let set = !strings(positive).is_empty() || !strings(negative).is_empty();
        if set && self.context.chain == Chain::Tcp {
            self.untranslatable = true;
        }
        set && self.context.chain == Chain::Http
    }

    /// `paths` and `notPaths`.
    fn paths(&mut self, positive: &Values, negative: &Values) -> Vec<Cube> {
        if !self.has_http(positive, negative) {
            return every();
        }
        let patterns = |values: &Values| -> Vec<Pattern> {
            strings(values).iter().map(|value| string_match::policy_path(&value.value)).collect()
        };
        let any_of = Some(patterns(positive)).filter(|patterns| !patterns.is_empty());
        let path = PathTest { any_of, none_of: patterns(negative) };
        vec![Cube { tests: Vec::new(), path: vec![path] }]
    }

    /// `ports` and `notPorts`: numbers, compared as such.
    fn ports(&mut self, positive: &Values, negative: &Values) -> Vec<Cube> {
        let mut patterns = |values: &Values| -> Vec<Pattern> {
            let parse = |value: &Spanned<String>| value.value.trim().parse::<u16>().ok();
            let numbers: Vec<Option<u16>> = strings(values).iter().map(parse).collect();
            self.untranslatable |= numbers.iter().any(Option::is_none);
            numbers.iter().flatten().map(|number| Pattern::Exact(number.to_string().into())).collect()
        };
        let (any_of, none_of) = (patterns(positive), patterns(negative));
        if any_of.is_empty() && none_of.is_empty() {
            return every();
        }
        test(Dimension::Port, Some(any_of).filter(|patterns| !patterns.is_empty()), none_of)
    }

    /// Blocks of addresses.
    fn addresses(&mut self, dimension: Dimension, positive: &Values, negative: &Values) -> Vec<Cube> {
        let mut blocks = |values: &Values| -> Vec<Pattern> {
            let parsed: Vec<Option<IpNet>> = strings(values).iter().map(|value| block(&value.value)).collect();
            self.untranslatable |= parsed.iter().any(Option::is_none);
            parsed.into_iter().flatten().map(Pattern::Cidr).collect()
        };
        let (any_of, none_of) = (blocks(positive), blocks(negative));
        if any_of.is_empty() && none_of.is_empty() {
            return every();
        }
        test(dimension, Some(any_of).filter(|patterns| !patterns.is_empty()), none_of)
    }

    /// Request principals: issuer and subject together, so each value is an alternative of its own,
    /// and each negated value two.
    fn request_principals(&mut self, positive: &Values, negative: &Values) -> Vec<Cube> {
        if !self.has_http(positive, negative) {
            return every();
        }
        let claim = |dimension: Dimension, pattern: Pattern| test(dimension, Some(vec![pattern]), Vec::new());
        let mut cubes = every();
        if !strings(positive).is_empty() {
            cubes = strings(positive)
                .iter()
                .flat_map(|value| {
                    let (issuer, subject) = string_match::request_principal(&value.value);
                    all_of(claim(Dimension::Issuer, issuer), &claim(Dimension::Subject, subject))
                })
                .collect();
        }
        for value in strings(negative) {
            let (issuer, subject) = string_match::request_principal(&value.value);
            let mut either = test(Dimension::Issuer, None, vec![issuer]);
            either.extend(test(Dimension::Subject, None, vec![subject]));
            cubes = all_of(cubes, &either);
        }
        cubes
    }

    /// A `when` condition. `None`: the key is not known.
    fn condition(&mut self, condition: &Condition) -> Option<Vec<Cube>> {
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
        if let Some(header) = bracket(key, "request.headers") {
            return Some(self.header(&header.to_ascii_lowercase(), span, values, not_values));
        }
        if key.starts_with("request.auth.claims") {
            let names = claim_names(key)?;
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            return Some(self.claim(&names, values, not_values));
        }
        if key.starts_with("experimental.envoy.filters.") {
            return Some(self.unmodelled(span, "the metadata of another filter"));
        }
        None
    }

    /// A header; pseudo headers are the attributes they name, with regard to case.
    fn header(&mut self, name: &str, span: Span, values: &Values, not_values: &Values) -> Vec<Cube> {
        let dimension = match name {
            ":method" => Dimension::Method,
            ":authority" | "host" => Dimension::Authority,
            ":scheme" => Dimension::Scheme,
            ":path" => {
                return if self.has_http(values, not_values) {
                    self.unmodelled(span, "`:path` together with its query")
                } else {
                    every()
                };
            }
            name => Dimension::Header(name.into()),
        };
        self.http(values, not_values, dimension, |value| string_match::policy_string(value, Star::Present))
    }

    /// A claim of the token.
    fn claim(&mut self, names: &[&str], values: &Values, not_values: &Values) -> Vec<Cube> {
        let names: Vec<Box<str>> = names.iter().map(|name| (*name).into()).collect();
        self.http(values, not_values, Dimension::Claim(names.into()), |value| {
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

/// The strings of a field.
fn strings(values: &Values) -> &[Spanned<String>] {
    values.as_ref().map_or(&[], |values| values.value.as_slice())
}

/// A field and its `not` twin as one test.
fn field(
    dimension: Dimension,
    positive: &Values,
    negative: &Values,
    patterns: &dyn Fn(&str) -> Vec<Pattern>,
) -> Vec<Cube> {
    let read =
        |values: &Values| -> Vec<Pattern> { strings(values).iter().flat_map(|value| patterns(&value.value)).collect() };
    if strings(positive).is_empty() && strings(negative).is_empty() {
        return every();
    }
    let any_of = (!strings(positive).is_empty()).then(|| read(positive));
    test(dimension, any_of, read(negative))
}

/// A block of addresses, or one address.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/matcher/cidr.go`, `CidrRange`.
pub(crate) fn block(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// The text in the brackets behind `name`.
pub(crate) fn bracket<'a>(key: &'a str, name: &str) -> Option<&'a str> {
    key.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']').filter(|inner| !inner.is_empty())
}

/// The claim names of `request.auth.claims[a][b]`, outermost first.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/model/util.go`, `extractNameInNestedBrackets`.
pub(crate) fn claim_names(key: &str) -> Option<Vec<String>> {
    let inner = bracket(key, "request.auth.claims")?;
    let names: Vec<String> = inner.split("][").map(str::to_owned).collect();
    let nested = names.iter().all(|name| !name.is_empty() && !name.contains(['[', ']']));
    Some(if nested { names } else { vec![inner.to_owned()] })
}
