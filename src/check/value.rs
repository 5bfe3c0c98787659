//! The strings of a policy, each with where it stands and what it is for.

use compact_str::CompactString;

use super::observation::Effect;
use crate::model::{Action, AuthorizationPolicy, Condition, Operation, PolicyRule, Resource, Source, Values};
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
    pub(super) text: &'p Spanned<CompactString>,
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
) -> impl Iterator<Item = Value<'p>> + Clone {
    let from = rule.value.from.iter().flat_map(|from| &from.value);
    let sources = from.filter_map(|from| from.value.source.as_ref());
    let to = rule.value.to.iter().flat_map(|to| &to.value);
    let operations = to.filter_map(|to| to.value.operation.as_ref());
    let conditions = rule.value.when.iter().flat_map(|when| &when.value);
    let of_sources = sources.flat_map(|source| written(SOURCE, &source.value));
    let of_operations = operations.flat_map(|operation| written(OPERATION, &operation.value));
    let of_conditions = conditions.flat_map(|condition| of_condition(&condition.value));
    let lists = of_sources.chain(of_operations).chain(of_conditions);
    lists.flat_map(move |(field, negated, list)| {
        list.iter().map(move |text| Value { policy, rule, field, negated, text })
    })
}

/// Strings of a rule, what they are compared with, and whether they stand under a `not…` field.
type List<'p> = (Field<'p>, bool, &'p [Spanned<CompactString>]);

/// A field that holds a list: what its strings are compared with, whether it is a `not…` field, and the list. A table
/// of them is read again and again, and most lists are not written.
type Listed<T> = (Field<'static>, bool, fn(&T) -> &Values);

/// The lists that are written.
fn written<'p, T>(fields: &'static [Listed<T>], of: &'p T) -> impl Iterator<Item = List<'p>> + Clone {
    fields
        .iter()
        .filter_map(move |(field, negated, list)| Some((*field, *negated, list(of).as_ref()?.value.as_slice())))
}

/// The lists of a source.
const SOURCE: &[Listed<Source>] = &[
    (Field::Principal, false, |source| &source.principals),
    (Field::Principal, true, |source| &source.not_principals),
    (Field::RequestPrincipal, false, |source| &source.request_principals),
    (Field::RequestPrincipal, true, |source| &source.not_request_principals),
    (Field::Namespace, false, |source| &source.namespaces),
    (Field::Namespace, true, |source| &source.not_namespaces),
    (Field::ServiceAccount, false, |source| &source.service_accounts),
    (Field::ServiceAccount, true, |source| &source.not_service_accounts),
    (Field::TrustDomain, false, |source| &source.trust_domains),
    (Field::TrustDomain, true, |source| &source.not_trust_domains),
    (Field::IpBlock, false, |source| &source.ip_blocks),
    (Field::IpBlock, true, |source| &source.not_ip_blocks),
    (Field::RemoteIpBlock, false, |source| &source.remote_ip_blocks),
    (Field::RemoteIpBlock, true, |source| &source.not_remote_ip_blocks),
];

/// The lists of an operation.
const OPERATION: &[Listed<Operation>] = &[
    (Field::Host, false, |operation| &operation.hosts),
    (Field::Host, true, |operation| &operation.not_hosts),
    (Field::Port, false, |operation| &operation.ports),
    (Field::Port, true, |operation| &operation.not_ports),
    (Field::Method, false, |operation| &operation.methods),
    (Field::Method, true, |operation| &operation.not_methods),
    (Field::Path, false, |operation| &operation.paths),
    (Field::Path, true, |operation| &operation.not_paths),
];

/// The lists of a condition.
fn of_condition(condition: &Condition) -> impl Iterator<Item = List<'_>> + Clone {
    let field = Field::Condition(condition.key.as_ref().map_or("", |key| key.value.as_str()));
    let lists = [(false, &condition.values), (true, &condition.not_values)];
    lists.into_iter().filter_map(move |(negated, list)| Some((field, negated, list.as_ref()?.value.as_slice())))
}
