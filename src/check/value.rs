//! The strings of a policy, each with where it stands and what it is for.

use super::observation::Effect;
use crate::model::{Action, AuthorizationPolicy, Operation, PolicyRule, Resource, Source, Values};
use crate::text::Spanned;

/// What a string of a policy is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<'p> {
    /// `principals`
    Principal,
    /// `requestPrincipals`
    RequestPrincipal,
    /// `namespaces`
    Namespace,
    /// `serviceAccounts`
    ServiceAccount,
    /// `trustDomains`
    TrustDomain,
    /// `ipBlocks`
    IpBlock,
    /// `remoteIpBlocks`
    RemoteIpBlock,
    /// `hosts`
    Host,
    /// `ports`
    Port,
    /// `methods`
    Method,
    /// `paths`
    Path,
    /// `when[].values`, with the key
    Condition(&'p str),
}

/// A string of a policy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'p> {
    /// The policy
    pub(super) policy: &'p Resource<AuthorizationPolicy>,
    /// The policy rule
    pub(super) rule: &'p Spanned<PolicyRule>,
    /// What it is compared with
    pub(super) field: Field<'p>,
    /// Whether it stands under a `not…` field
    pub(super) negated: bool,
    /// The string
    pub(super) text: &'p Spanned<String>,
}

impl Value<'_> {
    /// Its rule's place in the policy.
    pub(super) fn rule_index(&self) -> usize {
        let mut rules = self.policy.spec.rules().iter();
        rules.position(|rule| std::ptr::eq(rule, self.rule)).unwrap_or_default()
    }

    /// What comes of it where it matches nothing.
    pub(super) fn when_dead(&self) -> &'static str {
        match (self.negated, self.policy.spec.action()) {
            (true, _) => "so it leaves nothing out",
            (false, Action::Allow) => "so it admits nothing",
            (false, Action::Deny) => "so it refuses nothing",
            (false, Action::Custom) => "so nobody is asked about it",
            (false, Action::Audit) => "so it marks nothing",
        }
    }

    /// Whether it is compared as text, and not read as an address, a port or a name with rules of its own.
    pub(super) fn is_compared_as_text(&self) -> bool {
        match self.field {
            Field::Principal
            | Field::RequestPrincipal
            | Field::Namespace
            | Field::Host
            | Field::Method
            | Field::Path => true,
            Field::ServiceAccount | Field::TrustDomain | Field::IpBlock | Field::RemoteIpBlock | Field::Port => false,
            Field::Condition(key) => !matches!(
                key,
                "source.ip"
                    | "remote.ip"
                    | "destination.ip"
                    | "destination.port"
                    | "source.serviceAccount"
                    | "source.trustDomain"
            ),
        }
    }

    /// What it does to access that a string begins to match more. `None`: others decide.
    pub(super) fn effect_of_matching(&self) -> Option<Effect> {
        match (self.policy.spec.action(), self.negated) {
            (Action::Deny, false) | (Action::Allow, true) => Some(Effect::Closes),
            (Action::Deny, true) | (Action::Allow, false) => Some(Effect::Opens),
            (Action::Custom | Action::Audit, _) => None,
        }
    }

    /// Whether a string that matches nothing makes the policy let more in: it excludes from an ALLOW or
    /// should refuse in a DENY.
    pub(super) fn opens_when_dead(&self) -> bool {
        (self.policy.spec.action() == Action::Deny) != self.negated
    }
}

/// Every string of a policy, in the order of the API.
pub(super) fn values(policy: &Resource<AuthorizationPolicy>) -> impl Iterator<Item = Value<'_>> {
    policy.spec.rules().iter().flat_map(|rule| values_of(policy, rule))
}

/// Every string of a rule of a policy, in the order of the API.
pub(super) fn values_of<'p>(
    policy: &'p Resource<AuthorizationPolicy>,
    rule: &'p Spanned<PolicyRule>,
) -> std::vec::IntoIter<Value<'p>> {
    let mut all: Vec<Value<'_>> = Vec::new();
    let mut add = |field, negated, list| append(&mut all, policy, rule, (field, negated, list));
    for from in rule.value.from.iter().flat_map(|from| &from.value) {
        if let Some(source) = &from.value.source {
            of_source(&source.value, &mut add);
        }
    }
    for to in rule.value.to.iter().flat_map(|to| &to.value) {
        if let Some(operation) = &to.value.operation {
            of_operation(&operation.value, &mut add);
        }
    }
    for condition in rule.value.when.iter().flat_map(|when| &when.value) {
        let field = Field::Condition(condition.value.key.as_ref().map_or("", |key| key.value.as_str()));
        add(field, false, &condition.value.values);
        add(field, true, &condition.value.not_values);
    }
    all.into_iter()
}

/// Appends the strings of a list, which has a field and a polarity.
fn append<'p>(
    all: &mut Vec<Value<'p>>,
    policy: &'p Resource<AuthorizationPolicy>,
    rule: &'p Spanned<PolicyRule>,
    (field, negated, list): (Field<'p>, bool, &'p Values),
) {
    if let Some(list) = list {
        all.extend(list.value.iter().map(|text| Value { policy, rule, field, negated, text }));
    }
}

/// The lists of a source.
fn of_source<'p>(source: &'p Source, add: &mut impl FnMut(Field<'p>, bool, &'p Values)) {
    add(Field::Principal, false, &source.principals);
    add(Field::Principal, true, &source.not_principals);
    add(Field::RequestPrincipal, false, &source.request_principals);
    add(Field::RequestPrincipal, true, &source.not_request_principals);
    add(Field::Namespace, false, &source.namespaces);
    add(Field::Namespace, true, &source.not_namespaces);
    add(Field::ServiceAccount, false, &source.service_accounts);
    add(Field::ServiceAccount, true, &source.not_service_accounts);
    add(Field::TrustDomain, false, &source.trust_domains);
    add(Field::TrustDomain, true, &source.not_trust_domains);
    add(Field::IpBlock, false, &source.ip_blocks);
    add(Field::IpBlock, true, &source.not_ip_blocks);
    add(Field::RemoteIpBlock, false, &source.remote_ip_blocks);
    add(Field::RemoteIpBlock, true, &source.not_remote_ip_blocks);
}

/// The lists of an operation.
fn of_operation<'p>(operation: &'p Operation, add: &mut impl FnMut(Field<'p>, bool, &'p Values)) {
    add(Field::Host, false, &operation.hosts);
    add(Field::Host, true, &operation.not_hosts);
    add(Field::Port, false, &operation.ports);
    add(Field::Port, true, &operation.not_ports);
    add(Field::Method, false, &operation.methods);
    add(Field::Method, true, &operation.not_methods);
    add(Field::Path, false, &operation.paths);
    add(Field::Path, true, &operation.not_paths);
}
