//! Why a policy rule does not match a request: the fields that do not hold, each asked alone.

use super::super::authorization_policy::RuleContext;
use super::policy::{Matched, rule_matches};
use super::seen::Seen;
use crate::model::{From, Operation, PolicyRule, Source, To, Values};
use crate::text::Spanned;

/// Why a rule does not match a request, in the words of its fields.
pub(super) fn mismatch(rule: &PolicyRule, context: RuleContext<'_>, seen: &Seen) -> String {
    let fails = |part: PolicyRule| rule_matches(&part, context, seen) == Matched::No;
    let mut parts = Vec::new();
    if fails(PolicyRule { from: rule.from.clone(), ..PolicyRule::default() }) {
        parts.push(of_sources(rule, &fails));
    }
    if fails(PolicyRule { to: rule.to.clone(), ..PolicyRule::default() }) {
        parts.push(of_operations(rule, &fails));
    }
    for condition in rule.when.iter().flat_map(|when| &when.value) {
        let alone = Box::new(Spanned { value: vec![condition.clone()], span: condition.span });
        if fails(PolicyRule { when: Some(alone), ..PolicyRule::default() }) {
            let key = condition.value.key.as_ref().map_or("", |key| key.value.as_str());
            parts.push(format!("`when` {key}"));
        }
    }
    if parts.is_empty() {
        return "it does not exist for what is spoken here".to_owned();
    }
    parts.join(" and ")
}

/// A field of a source, its values and those of its `not` twin, and what sets both.
type Pair<'a> = (&'static str, &'a Values, &'a Values, fn(&mut Source, Values, Values));

/// The fields of sources that do not hold.
fn of_sources(rule: &PolicyRule, fails: &dyn Fn(PolicyRule) -> bool) -> String {
    let Some([only]) = rule.from.as_ref().map(|from| from.value.as_slice()) else {
        return "no entry of `from` holds".to_owned();
    };
    let Some(source) = &only.value.source else { return "`from`".to_owned() };
    let all = &source.value;
    let none = Source::default;
    let pairs: [Pair<'_>; 7] = [
        ("principals", &all.principals, &all.not_principals, |one, yes, no| {
            (one.principals, one.not_principals) = (yes, no);
        }),
        ("requestPrincipals", &all.request_principals, &all.not_request_principals, |one, yes, no| {
            (one.request_principals, one.not_request_principals) = (yes, no);
        }),
        ("namespaces", &all.namespaces, &all.not_namespaces, |one, yes, no| {
            (one.namespaces, one.not_namespaces) = (yes, no);
        }),
        ("serviceAccounts", &all.service_accounts, &all.not_service_accounts, |one, yes, no| {
            (one.service_accounts, one.not_service_accounts) = (yes, no);
        }),
        ("ipBlocks", &all.ip_blocks, &all.not_ip_blocks, |one, yes, no| {
            (one.ip_blocks, one.not_ip_blocks) = (yes, no);
        }),
        ("remoteIpBlocks", &all.remote_ip_blocks, &all.not_remote_ip_blocks, |one, yes, no| {
            (one.remote_ip_blocks, one.not_remote_ip_blocks) = (yes, no);
        }),
        ("trustDomains", &all.trust_domains, &all.not_trust_domains, |one, yes, no| {
            (one.trust_domains, one.not_trust_domains) = (yes, no);
        }),
    ];
    let failing = pairs.into_iter().filter(|(_, yes, no, set)| {
        let mut alone = none();
        set(&mut alone, (*yes).clone(), (*no).clone());
        let source = Some(Spanned { value: alone, span: source.span });
        let from = Spanned { value: vec![Spanned { value: From { source }, span: only.span }], span: only.span };
        fails(PolicyRule { from: Some(from), ..PolicyRule::default() })
    });
    named("from.source", failing.map(|(name, ..)| name))
}

/// The fields of operations that do not hold.
fn of_operations(rule: &PolicyRule, fails: &dyn Fn(PolicyRule) -> bool) -> String {
    let Some([only]) = rule.to.as_ref().map(|to| to.value.as_slice()) else {
        return "no entry of `to` holds".to_owned();
    };
    let Some(operation) = &only.value.operation else { return "`to`".to_owned() };
    let all = &operation.value;
    let none = Operation::default;
    let parts = [
        ("hosts", Operation { hosts: all.hosts.clone(), not_hosts: all.not_hosts.clone(), ..none() }),
        ("ports", Operation { ports: all.ports.clone(), not_ports: all.not_ports.clone(), ..none() }),
        ("methods", Operation { methods: all.methods.clone(), not_methods: all.not_methods.clone(), ..none() }),
        ("paths", Operation { paths: all.paths.clone(), not_paths: all.not_paths.clone(), ..none() }),
    ];
    let failing = parts.into_iter().filter(|(_, alone)| {
        let operation = Some(Spanned { value: alone.clone(), span: operation.span });
        let to = Spanned { value: vec![Spanned { value: To { operation }, span: only.span }], span: only.span };
        fails(PolicyRule { to: Some(to), ..PolicyRule::default() })
    });
    named("to.operation", failing.map(|(name, _)| name))
}

/// Fields of a part in words.
fn named<'n>(part: &str, fields: impl Iterator<Item = &'n str>) -> String {
    let fields: Vec<String> = fields.map(|field| format!("`{part}.{field}`")).collect();
    if fields.is_empty() { format!("`{part}`") } else { fields.join(" and ") }
}
