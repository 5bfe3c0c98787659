//! A policy rule on one request, read naively: the second opinion on `authorization_policy`.

use std::net::IpAddr;

use compact_str::CompactString;

use super::super::authorization_condition::{claim_names, header_name};
use super::super::authorization_policy::{Chain, RuleContext, block, port};
use super::super::decision::{Cause, CauseKind};
use super::super::managed_header::is_managed;
use super::super::trust_domain;
use super::seen::Seen;
use super::strings;
use crate::model::{Action, Condition, Operation, PolicyRule, Source, Values};
use crate::text::Spanned;

/// Whether a policy rule matches a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matched {
    /// It does
    Yes,
    /// It does not, or the rule does not exist on this chain
    No,
    /// All conditions hold but one that is not modelled
    Maybe(Cause),
}

/// Whether a policy rule matches a request.
pub(super) fn rule_matches(rule: &PolicyRule, context: RuleContext<'_>, seen: &Seen) -> Matched {
    let mut reader = Reader { context, seen, invalid: false, unknown_key: false, uncertain: None };
    let from = rule.from.as_ref().filter(|from| !from.value.is_empty());
    let from = from.is_none_or(|from| {
        // Every entry is read, so that what cannot be translated is noticed wherever it stands.
        from.value.iter().fold(false, |any, from| {
            let source = from.value.source.as_ref();
            source.is_none_or(|source| reader.source(&source.value)) | any
        })
    });
    let to = rule.to.as_ref().filter(|to| !to.value.is_empty());
    let to = to.is_none_or(|to| {
        to.value.iter().fold(false, |any, to| {
            let operation = to.value.operation.as_ref();
            operation.is_none_or(|operation| reader.operation(&operation.value)) | any
        })
    });
    let when = rule.when.iter().flat_map(|when| &when.value);
    let when = when.fold(true, |all, condition| reader.condition(&condition.value) & all);
    let gone = reader.unknown_key || (reader.invalid && context.action == Action::Allow);
    if gone || !(from && to && when) {
        return Matched::No;
    }
    reader.uncertain.map_or(Matched::Yes, Matched::Maybe)
}

/// The state while one rule is held against one request.
struct Reader<'a> {
    /// What the rule is read against
    context: RuleContext<'a>,
    /// The request
    seen: &'a Seen,
    /// Whether a field does not exist on this chain or cannot be translated
    invalid: bool,
    /// Whether a condition has a key that nobody knows
    unknown_key: bool,
    /// The first condition that is not modelled
    uncertain: Option<Cause>,
}

impl Reader<'_> {
    /// All fields of a source hold.
    fn source(&mut self, source: &Source) -> bool {
        let (bundle, namespace) = (self.context.bundle, self.context.namespace);
        let peer: Vec<&str> = self.seen.peer.as_deref().into_iter().collect();
        let principal = |pattern: &str, peer: &str| {
            let written = trust_domain::principals(pattern, bundle);
            written.iter().any(|pattern| strings::policy_string(pattern, peer, false))
        };
        let domain = |pattern: &str, peer: &str| {
            let written = trust_domain::trust_domains(pattern, bundle);
            written.iter().any(|pattern| strings::trust_domain(pattern, peer))
        };
        let account = |pattern: &str, peer: &str| strings::service_account(pattern, namespace, peer);
        let by_peer = field(&peer, &source.principals, &source.not_principals, principal)
            & field(&peer, &source.namespaces, &source.not_namespaces, strings::namespace)
            & field(&peer, &source.service_accounts, &source.not_service_accounts, account)
            & field(&peer, &source.trust_domains, &source.not_trust_domains, domain);
        by_peer
            & self.address(self.seen.source_ip, &source.ip_blocks, &source.not_ip_blocks)
            & self.address(self.seen.remote_ip, &source.remote_ip_blocks, &source.not_remote_ip_blocks)
            & self.request_principal(&source.request_principals, &source.not_request_principals)
    }

    /// All fields of an operation hold.
    fn operation(&mut self, operation: &Operation) -> bool {
        let seen = self.seen;
        let method = |pattern: &str, method: &str| strings::policy_string(pattern, method, true);
        self.http(&[&seen.authority], &operation.hosts, &operation.not_hosts, strings::policy_host)
            & self.http(&[&seen.method], &operation.methods, &operation.not_methods, method)
            & self.http(&[seen.bare_path()], &operation.paths, &operation.not_paths, strings::policy_path)
            & self.port(&operation.ports, &operation.not_ports)
    }

    /// A field that only HTTP has. On a TCP chain it is left out and noticed.
    fn http(
        &mut self,
        values: &[&str],
        positive: &Values,
        negative: &Values,
        matches: impl Fn(&str, &str) -> bool,
    ) -> bool {
        let set = !list(positive).is_empty() || !list(negative).is_empty();
        if set && self.context.chain == Chain::Tcp {
            self.invalid = true;
            return true;
        }
        field(values, positive, negative, matches)
    }

    /// A port by number.
    fn port(&mut self, positive: &Values, negative: &Values) -> bool {
        let mut numbers = |values: &Values| -> Vec<u16> {
            let parsed: Vec<Option<u16>> = list(values).iter().map(|value| port(&value.value)).collect();
            self.invalid |= parsed.contains(&None);
            parsed.into_iter().flatten().collect()
        };
        let (positive, negative) = (numbers(positive), numbers(negative));
        (positive.is_empty() || positive.contains(&self.seen.port)) && !negative.contains(&self.seen.port)
    }

    /// An address in one of the blocks and in none of the others.
    fn address(&mut self, address: Option<IpAddr>, positive: &Values, negative: &Values) -> bool {
        let mut blocks = |values: &Values| {
            let parsed: Vec<_> = list(values).iter().map(|value| block(&value.value)).collect();
            self.invalid |= parsed.contains(&None);
            parsed.into_iter().flatten().collect::<Vec<_>>()
        };
        let (positive, negative) = (blocks(positive), blocks(negative));
        if positive.is_empty() && negative.is_empty() {
            return true;
        }
        let within = |blocks: &[ipnet::IpNet]| {
            address.is_some_and(|address| blocks.iter().any(|block| block.contains(&address)))
        };
        (positive.is_empty() || within(&positive)) && !within(&negative)
    }

    /// Issuer and subject together.
    fn request_principal(&mut self, positive: &Values, negative: &Values) -> bool {
        if list(positive).is_empty() && list(negative).is_empty() {
            return true;
        }
        if self.context.chain == Chain::Tcp {
            self.invalid = true;
            return true;
        }
        let claim = |name: &str| self.seen.claim(&[name]).first().copied();
        let both = claim("iss").zip(claim("sub").filter(|subject| !subject.is_empty()));
        let any = |values: &Values| {
            both.is_some_and(|(issuer, subject)| {
                list(values).iter().any(|value| strings::request_principal(&value.value, issuer, subject))
            })
        };
        (list(positive).is_empty() || any(positive)) && !any(negative)
    }

    /// One condition holds.
    fn condition(&mut self, condition: &Condition) -> bool {
        let Some(key) = &condition.key else {
            self.unknown_key = true;
            return false;
        };
        let source = |write: fn(&mut Source, Values, Values)| {
            let mut source = Source::default();
            write(&mut source, condition.values.clone(), condition.not_values.clone());
            source
        };
        let (values, not_values) = (&condition.values, &condition.not_values);
        match key.value.as_str() {
            "source.ip" => self.source(&source(|s, yes, no| (s.ip_blocks, s.not_ip_blocks) = (yes, no))),
            "remote.ip" => self.source(&source(|s, yes, no| (s.remote_ip_blocks, s.not_remote_ip_blocks) = (yes, no))),
            "source.namespace" => self.source(&source(|s, yes, no| (s.namespaces, s.not_namespaces) = (yes, no))),
            "source.serviceAccount" => {
                self.source(&source(|s, yes, no| (s.service_accounts, s.not_service_accounts) = (yes, no)))
            }
            "source.principal" => self.source(&source(|s, yes, no| (s.principals, s.not_principals) = (yes, no))),
            "source.trustDomain" => {
                self.source(&source(|s, yes, no| (s.trust_domains, s.not_trust_domains) = (yes, no)))
            }
            "request.auth.principal" => self.request_principal(values, not_values),
            "destination.port" => self.port(values, not_values),
            "destination.ip" => self.unmodelled(key, "the address of the pod"),
            "connection.sni" => {
                let sni: Vec<&str> = self.seen.sni.as_deref().into_iter().collect();
                field(&sni, values, not_values, |pattern, sni| strings::policy_string(pattern, sni, false))
            }
            "request.auth.audiences" => self.claim(&["aud".to_owned()], values, not_values),
            "request.auth.presenter" => self.claim(&["azp".to_owned()], values, not_values),
            _ => self.bracketed(key, values, not_values),
        }
    }

    /// A condition on a header, a claim or metadata.
    fn bracketed(&mut self, key: &Spanned<CompactString>, values: &Values, not_values: &Values) -> bool {
        if let Some(rest) = key.value.strip_prefix("request.headers") {
            return match header_name(rest) {
                Some(name) => self.header(&name.to_ascii_lowercase(), key, values, not_values),
                None => self.malformed(),
            };
        }
        if let Some(rest) = key.value.strip_prefix("request.auth.claims") {
            return match claim_names(rest) {
                Some(names) => self.claim(&names, values, not_values),
                None => self.malformed(),
            };
        }
        if let Some(rest) = key.value.strip_prefix("experimental.envoy.filters.") {
            return if rest.contains('[') {
                self.unmodelled(key, "the metadata of another filter")
            } else {
                self.malformed()
            };
        }
        self.unknown_key = true;
        false
    }

    /// A condition that cannot be translated is left out and noticed.
    fn malformed(&mut self) -> bool {
        self.invalid = true;
        true
    }

    /// A header line, or what a pseudo header stands for.
    fn header(&mut self, name: &str, key: &Spanned<CompactString>, values: &Values, not_values: &Values) -> bool {
        let managed = is_managed(name) || self.context.token_headers.iter().any(|known| known == name);
        if managed && self.context.chain == Chain::Http {
            return self.unmodelled(key, &format!("what proxies make of the header `{name}`"));
        }
        let seen = self.seen;
        let found: Vec<&str> = match name {
            ":path" => vec![&seen.path],
            ":method" => vec![&seen.method],
            ":authority" | "host" => vec![&seen.authority],
            name => seen.header(name).collect(),
        };
        self.http(&found, values, not_values, |pattern, value| strings::policy_string(pattern, value, true))
    }

    /// A claim of the token.
    fn claim(&mut self, names: &[String], values: &Values, not_values: &Values) -> bool {
        let found = self.seen.claim(names);
        self.http(&found, values, not_values, |pattern, value| strings::policy_string(pattern, value, false))
    }

    /// A condition that is not modelled holds, but uncertainly.
    fn unmodelled(&mut self, key: &Spanned<CompactString>, what: &str) -> bool {
        self.uncertain.get_or_insert_with(|| Cause {
            kind: CauseKind::UnmodelledCondition,
            message: format!("the manifests do not tell {what}"),
            span: Some(key.span),
        });
        true
    }
}

/// The strings of a field.
fn list(values: &Values) -> &[Spanned<CompactString>] {
    values.as_ref().map_or(&[], |values| values.value.as_slice())
}

/// A field and its `not` twin on the values of an attribute.
fn field(values: &[&str], positive: &Values, negative: &Values, matches: impl Fn(&str, &str) -> bool) -> bool {
    let any = |patterns: &Values| {
        list(patterns).iter().any(|pattern| values.iter().any(|value| matches(&pattern.value, value)))
    };
    (list(positive).is_empty() || any(positive)) && !any(negative)
}
