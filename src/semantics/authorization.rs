//! What the policies at one proxy do together: CUSTOM, JWT, DENY, ALLOW, in Envoy's order.

use super::authorization_policy::{Chain, RuleContext, RuleRequests, rule_requests};
use super::decision::{By, Cause, CauseKind, PolicyRuleRef};
use super::ext_authz::{Provider, provider};
use super::extension::Extensions;
use super::judgement::{Ending, JudgementBuilder, Verdict};
use super::request_authentication::JwtFilter;
use super::workload_selector::AttachedPolicies;
use crate::model::{Action, AuthorizationPolicy, Mesh, Resource};
use crate::space::Cube;

/// What happens to requests that pass all policies.
#[derive(Debug, Clone)]
pub(crate) enum Next {
    /// The workload gets them
    Workload,
    /// The proxy routes them: cubes and what becomes of them, first match wins, `NoRoute` last
    Routes(Vec<(Cube, Verdict)>),
}

/// Everything at one proxy that decides on a chain, short of the connection itself.
pub(crate) struct ProxyPolicies<'a> {
    /// The whole mesh
    pub(crate) mesh: &'a Mesh,
    /// The policies in force
    pub(crate) attached: &'a AttachedPolicies<'a>,
    /// The chain
    pub(crate) chain: Chain,
    /// The JWT filter, on HTTP chains
    pub(crate) jwt: &'a JwtFilter,
    /// Filters from elsewhere
    pub(crate) extensions: &'a Extensions,
}

/// The requests of one rule of one policy.
struct Admitted {
    /// The rule
    rule: PolicyRuleRef,
    /// What it matches
    requests: RuleRequests,
}

/// Appends what the policies of a proxy decide.
///
/// A CUSTOM rule with an unusable provider refuses first. Then a token that does not verify ends the
/// request, then DENY. What passes needs an ALLOW rule if any ALLOW policy is attached, even one
/// without rules. Whatever may still be refused by somebody who is not in the manifests is
/// undetermined, but only where the policies themselves would let it pass.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/listener_builder.go`, `buildHTTPConnectionManager`
/// (filter order); `pilot/pkg/security/authz/builder/builder.go`, `build` (AUDIT, DENY, ALLOW).
pub(crate) fn append_policies(builder: &mut JudgementBuilder, policies: &ProxyPolicies<'_>, next: &Next) -> Ending {
    let mut referred: Vec<(Cube, Cause)> = Vec::new();
    for (policy, admitted) in rules_of(policies, &policies.attached.custom) {
        match provider(policies.mesh, &policies.attached.custom, policy, policies.chain) {
            Provider::Unusable => {
                builder.end(admitted.requests.cubes, &Ending::denied(By::Policy, Some(admitted.rule)));
            }
            Provider::Skipped => {}
            Provider::Asked(message) => {
                let span = policy.spec.provider.as_ref().map_or(policy.name_span, |provider| provider.span);
                let cause = Cause { kind: CauseKind::CustomPolicy, message, span: Some(span) };
                referred.extend(admitted.requests.cubes.into_iter().map(|cube| (cube, cause.clone())));
            }
        }
    }
    if policies.chain == Chain::Http {
        policies.jwt.append(builder);
    }
    for (_, admitted) in rules_of(policies, &policies.attached.deny) {
        match admitted.requests.uncertain {
            None => builder.end(admitted.requests.cubes, &Ending::denied(By::Policy, Some(admitted.rule))),
            Some(cause) => referred.extend(admitted.requests.cubes.into_iter().map(|cube| (cube, cause.clone()))),
        }
    }
    if let Some(cause) = &policies.extensions.may_refuse {
        referred.push((Cube::default(), cause.clone()));
    }
    let passing = passing(policies);
    for (refused, cause) in &referred {
        for (cube, ..) in &passing {
            append_doubtful(builder, &refused.and(cube), cause, next);
        }
    }
    for (cube, rule, uncertain) in passing {
        append_passing(builder, &cube, rule, uncertain, next);
    }
    Ending::denied(By::Policy, None)
}

/// Appends what happens to requests that the policies let pass.
fn append_passing(
    builder: &mut JudgementBuilder,
    cube: &Cube,
    rule: Option<PolicyRuleRef>,
    uncertain: Option<Cause>,
    next: &Next,
) {
    match (uncertain, next) {
        (Some(cause), _) => append_doubtful(builder, cube, &cause, next),
        (None, Next::Workload) => builder.end([cube.clone()], &Ending::reached(rule)),
        (None, Next::Routes(routes)) => {
            for (route, verdict) in routes {
                match verdict {
                    Verdict::End(end) => builder.end([cube.and(route)], end),
                    Verdict::Forward(index) => builder.forward([cube.and(route)], *index),
                }
            }
        }
    }
}

/// Appends requests that somebody may refuse who is not in the manifests. What the proxy would answer
/// by itself reaches no workload either way.
fn append_doubtful(builder: &mut JudgementBuilder, cube: &Cube, cause: &Cause, next: &Next) {
    let ending = Ending::undetermined(cause.clone());
    let Next::Routes(routes) = next else {
        builder.end([cube.clone()], &ending);
        return;
    };
    for (route, verdict) in routes {
        match verdict {
            Verdict::End(end) if end.by.is_some() => builder.end([cube.and(route)], end),
            Verdict::End(_) | Verdict::Forward(_) => builder.end([cube.and(route)], &ending),
        }
    }
}

/// What passes the ALLOW stage, the certain rules first: the cube, the rule that admits it, and why
/// it may not match after all.
fn passing(policies: &ProxyPolicies<'_>) -> Vec<(Cube, Option<PolicyRuleRef>, Option<Cause>)> {
    if policies.attached.allow.is_empty() {
        return vec![(Cube::default(), None, None)];
    }
    let mut rules = rules_of(policies, &policies.attached.allow);
    rules.sort_by_key(|(_, admitted)| admitted.requests.uncertain.is_some());
    rules
        .into_iter()
        .flat_map(|(_, admitted)| {
            let Admitted { rule, requests } = admitted;
            requests.cubes.into_iter().map(move |cube| (cube, Some(rule.clone()), requests.uncertain.clone()))
        })
        .collect()
}

/// The rules of policies that exist on the chain, in order.
fn rules_of<'a>(
    policies: &ProxyPolicies<'a>,
    list: &[&'a Resource<AuthorizationPolicy>],
) -> Vec<(&'a Resource<AuthorizationPolicy>, Admitted)> {
    let bundle = policies.mesh.settings.trust_bundle();
    let mut found = Vec::new();
    for policy in list {
        let context = RuleContext {
            namespace: &policy.id.namespace,
            bundle: &bundle,
            chain: policies.chain,
            action: policy.spec.action(),
        };
        for (index, rule) in policy.spec.rules().iter().enumerate() {
            if let Some(mut requests) = rule_requests(&rule.value, context) {
                if context.action == Action::Custom {
                    requests.uncertain = None;
                }
                let rule = PolicyRuleRef { policy: policy.id.clone(), rule: index, span: rule.span };
                found.push((*policy, Admitted { rule, requests }));
            }
        }
    }
    found
}
