//! What a sidecar does with one request, step by step.

use super::super::authorization_policy::{Chain, RuleContext};
use super::super::decision::{By, Cause, CauseKind, PolicyRuleRef};
use super::super::ext_authz::{Provider, provider};
use super::super::extension::Extensions;
use super::super::inbound::{Guard, Inbound};
use super::super::judgement::Ending;
use super::super::request::Token;
use super::super::request_authentication::JwtFilter;
use super::super::workload_port::WorkloadPort;
use super::super::workload_selector::AttachedPolicies;
use super::super::world::World;
use super::mismatch::mismatch;
use super::policy::{Matched, rule_matches};
use super::seen::Seen;
use crate::model::{Action, AuthorizationPolicy, MtlsMode, Resource, Workload};
use crate::text::Span;

/// A remark of a proxy about one request: what it did, and what in the manifests made it so.
pub type Remark = (String, Option<Span>);

/// What happens at a workload's port, and how.
///
/// # Upstream
/// istio/istio 1.32: as [`Inbound::judgement`], whose second reading this is.
pub fn decide_inbound(world: &World, workload: &Workload, port: &WorkloadPort, seen: &Seen) -> (Ending, Vec<Remark>) {
    let mut remarks = Vec::new();
    let proxy = Inbound::of(world, workload, port, seen.chain);
    match proxy.guard {
        Guard::Nothing { reason, span } => {
            remarks.push((format!("no proxy stands in front of port {}: {reason}", port.number), span));
            return (Ending::reached(None), remarks);
        }
        Guard::Unmodelled(cause) => {
            remarks.push((cause.message.clone(), cause.span));
            return (Ending::undetermined(cause), remarks);
        }
        Guard::Sidecar => {}
    }
    if let Some(cause) = &proxy.extensions.may_change {
        remarks.push((cause.message.clone(), cause.span));
        return (Ending::undetermined(cause.clone()), remarks);
    }
    let called = match proxy.mode.mode {
        MtlsMode::Strict => "STRICT",
        MtlsMode::Disable => "DISABLE",
        MtlsMode::Permissive | MtlsMode::Unset => "PERMISSIVE",
    };
    remarks.push((format!("mTLS is {called} on port {}", port.number), proxy.mode.span));
    if let Some(cause) = proxy.mode.may_not_terminate(port.protocol).filter(|_| seen.peer.is_some()) {
        remarks.push((cause.message.clone(), cause.span));
        return (Ending::undetermined(cause.clone()), remarks);
    }
    let closed = Ending::denied(By::Closed, None);
    let refused = |mode: MtlsMode| match (&seen.peer, mode) {
        (None, MtlsMode::Strict) => Some("plaintext is refused"),
        (Some(_), MtlsMode::Disable) => Some("TLS is refused"),
        _ => None,
    };
    let unadmitted =
        proxy.mode.order.clone().filter(|_| proxy.mode.modes().into_iter().any(|mode| refused(mode).is_some()));
    if let Some(refused) = refused(proxy.mode.mode).filter(|_| proxy.mode.order.is_none()) {
        remarks.push((refused.to_owned(), proxy.mode.span));
        return (closed, remarks);
    }
    if let Some(peer) = &seen.peer {
        let domain = peer.split('/').next().unwrap_or_default();
        if !world.mesh.settings.accepted_trust_domains().contains(&domain) {
            remarks.push((format!("the mesh does not accept the trust domain `{domain}`"), None));
            return (closed, remarks);
        }
    }
    let policies = ConcretePolicies {
        world,
        attached: &proxy.attached,
        jwt: &proxy.jwt,
        extensions: &proxy.extensions,
        unadmitted,
        seen,
    };
    let ending = match policies.decide(&mut remarks) {
        Passed::Ends(ending) => ending,
        Passed::Through { rule, unless: Some(cause) } => {
            remarks.push((cause.message.clone(), cause.span));
            let _ = rule;
            Ending::undetermined(cause)
        }
        Passed::Through { rule, unless: None } => Ending::reached(rule.map(Into::into)),
    };
    (ending, remarks)
}

/// What the policies of one proxy make of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::semantics) enum Passed {
    /// It ends here
    Ends(Ending),
    /// It goes on, unless somebody who is not in the manifests refuses it
    Through {
        /// The rule that admits it, where one is needed
        rule: Option<PolicyRuleRef>,
        /// Who may refuse it
        unless: Option<Cause>,
    },
}

/// The policies at one proxy and the request they judge.
pub(in crate::semantics) struct ConcretePolicies<'a> {
    /// The whole world
    pub(in crate::semantics) world: &'a World,
    /// The policies in force
    pub(in crate::semantics) attached: &'a AttachedPolicies<'a>,
    /// The JWT filter
    pub(in crate::semantics) jwt: &'a JwtFilter,
    /// Filters from elsewhere
    pub(in crate::semantics) extensions: &'a Extensions,
    /// Why the port itself may refuse it before any policy is asked
    pub(in crate::semantics) unadmitted: Option<Cause>,
    /// The request
    pub(in crate::semantics) seen: &'a Seen,
}

impl<'a> ConcretePolicies<'a> {
    /// CUSTOM, JWT, DENY, ALLOW, in Envoy's order.
    pub(in crate::semantics) fn decide(&self, remarks: &mut Vec<Remark>) -> Passed {
        let mut unless = None;
        for (policy, rule, matched) in self.matching(&self.attached.custom) {
            match (provider(self.world, &self.attached.custom, policy, self.seen.chain), matched) {
                (Provider::Unusable, _) => {
                    remarks.push((format!("{} matches, and its provider cannot be used", policy.id), Some(rule.span)));
                    return Passed::Ends(Ending::denied(By::Policy, Some(rule.into())));
                }
                (Provider::Asked(message), _) if unless.is_none() => {
                    let span = policy.spec.provider.as_ref().map_or(policy.name_span, |provider| provider.span);
                    unless = Some(Cause { kind: CauseKind::CustomPolicy, message, span: Some(span) });
                }
                (Provider::Asked(_) | Provider::Skipped, _) => {}
            }
        }
        if self.seen.chain == Chain::Http && !self.jwt.rules.is_empty() && self.seen.token == Token::Invalid {
            remarks.push(("the token does not verify".to_owned(), None));
            return Passed::Ends(Ending::denied(By::Jwt, None));
        }
        for (policy, rule, matched) in self.matching(&self.attached.deny) {
            match matched {
                Matched::Maybe(cause) => unless = unless.or(Some(cause)),
                Matched::Yes | Matched::No => {
                    remarks.push((format!("{} refuses it", policy.id), Some(rule.span)));
                    return Passed::Ends(Ending::denied(By::Policy, Some(rule.into())));
                }
            }
        }
        let unless = unless.or_else(|| self.extensions.may_refuse.clone()).or_else(|| self.unadmitted.clone());
        if self.attached.allow.is_empty() {
            remarks.push(("no ALLOW policy is attached, so everything passes".to_owned(), None));
            return Passed::Through { rule: None, unless };
        }
        let mut admitting = self.matching(&self.attached.allow);
        admitting.sort_by_key(|(_, _, matched)| matches!(matched, Matched::Maybe(_)));
        match admitting.into_iter().next() {
            None => {
                for policy in &self.attached.allow {
                    self.remark_mismatch(policy, remarks);
                }
                remarks.push(("no ALLOW policy matches".to_owned(), None));
                Passed::Ends(Ending::denied(By::Policy, None))
            }
            Some((_, _, Matched::Maybe(cause))) => Passed::Through { rule: None, unless: unless.or(Some(cause)) },
            Some((policy, rule, _)) => {
                remarks.push((format!("{} admits it", policy.id), Some(rule.span)));
                Passed::Through { rule: Some(rule), unless }
            }
        }
    }

    /// Says why the rules of an ALLOW policy do not match.
    fn remark_mismatch(&self, policy: &Resource<AuthorizationPolicy>, remarks: &mut Vec<Remark>) {
        if policy.spec.rules().is_empty() {
            remarks.push((format!("{} has no rules, so it matches nothing", policy.id), Some(policy.name_span)));
        }
        let bundle = self.world.mesh.settings.trust_bundle();
        let context = RuleContext {
            namespace: &policy.id.namespace,
            bundle: &bundle,
            chain: self.seen.chain,
            action: policy.spec.action(),
            token_headers: &self.jwt.headers(),
        };
        for (index, rule) in policy.spec.rules().iter().enumerate() {
            let why = mismatch(&rule.value, context, self.seen);
            remarks.push((format!("{} rules[{index}] does not match: {why}", policy.id), Some(rule.span)));
        }
    }

    /// The rules that match or may match, in order.
    fn matching(
        &self,
        policies: &[&'a Resource<AuthorizationPolicy>],
    ) -> Vec<(&'a Resource<AuthorizationPolicy>, PolicyRuleRef, Matched)> {
        let bundle = self.world.mesh.settings.trust_bundle();
        let token_headers = self.jwt.headers();
        let mut found = Vec::new();
        for policy in policies {
            let context = RuleContext {
                namespace: &policy.id.namespace,
                bundle: &bundle,
                chain: self.seen.chain,
                action: policy.spec.action(),
                token_headers: &token_headers,
            };
            // External authorizers are asked before tokens are verified.
            let unverified;
            let seen = if context.action == Action::Custom {
                unverified = Seen { claims: None, ..self.seen.clone() };
                &unverified
            } else {
                self.seen
            };
            for (index, rule) in policy.spec.rules().iter().enumerate() {
                let matched = rule_matches(&rule.value, context, seen);
                if matched != Matched::No {
                    let rule = PolicyRuleRef { policy: policy.id.clone(), rule: index, span: rule.span };
                    found.push((*policy, rule, matched));
                }
            }
        }
        found
    }
}
