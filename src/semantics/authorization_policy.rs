//! A policy rule as cubes of the request space.

use std::net::IpAddr;

use compact_str::CompactString;
use ipnet::IpNet;

use super::decision::Cause;
use super::string_match::{self, Star};
use super::trust_domain;
use crate::model::{Action, Operation, PolicyRule, Source, Values};
use crate::space::{Cube, Dimension, PathTest, Pattern, Test};
use crate::text::Spanned;

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
    /// Headers that the proxy's JWT filter takes away or sets, lower-case
    pub(crate) token_headers: &'a [String],
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
pub(super) fn every() -> Vec<Cube> {
    vec![Cube::default()]
}

/// Both: each alternative of one with each of the other.
pub(super) fn all_of(left: Vec<Cube>, right: &[Cube]) -> Vec<Cube> {
    if let [only] = right
        && only.tests.is_empty()
        && only.path.is_empty()
    {
        return left;
    }
    left.iter().flat_map(|a| right.iter().map(|b| a.and(b))).collect()
}

/// One test as the only alternative.
pub(super) fn test(dimension: Dimension, any_of: Option<Vec<Pattern>>, none_of: Vec<Pattern>) -> Vec<Cube> {
    vec![Cube { tests: vec![Test { dimension, any_of, none_of }], path: Vec::new() }]
}

/// The state while one rule is read.
pub(super) struct Reading<'a> {
    /// What it is read against
    pub(super) context: RuleContext<'a>,
    /// The first condition that is not modelled
    pub(super) uncertain: Option<Cause>,
    /// Whether something does not exist on this chain or cannot be translated
    pub(super) untranslatable: bool,
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
    pub(super) fn http(
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
    pub(super) fn has_http(&mut self, positive: &Values, negative: &Values) -> bool {
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
    pub(super) fn ports(&mut self, positive: &Values, negative: &Values) -> Vec<Cube> {
        let mut patterns = |values: &Values| -> Vec<Pattern> {
            let numbers: Vec<Option<u16>> = strings(values).iter().map(|value| port(&value.value)).collect();
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
    pub(super) fn addresses(&mut self, dimension: Dimension, positive: &Values, negative: &Values) -> Vec<Cube> {
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
    pub(super) fn request_principals(&mut self, positive: &Values, negative: &Values) -> Vec<Cube> {
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
}

/// The strings of a field.
pub(super) fn strings(values: &Values) -> &[Spanned<CompactString>] {
    values.as_ref().map_or(&[], |values| values.value.as_slice())
}

/// A field and its `not` twin as one test.
pub(super) fn field(
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
/// istio/istio 1.32: `pilot/pkg/networking/util/util.go`, `AddrStrToPrefix`; `pkg/config/security/security.go`,
/// `ValidateIPs`. Go's `netip` takes no prefix length with a leading zero.
pub fn block(text: &str) -> Option<IpNet> {
    match text.split_once('/') {
        None => text.parse::<IpAddr>().ok().map(IpNet::from),
        Some((_, length)) if length.len() > 1 && length.starts_with('0') => None,
        Some(_) => text.parse().ok(),
    }
}

/// A port as Go reads one: decimal digits, no sign, no space.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/model/util.go`, `convertToPort`.
pub(crate) fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}
