//! What the policies at one proxy do together: CUSTOM, JWT, DENY, ALLOW, in Envoy's order.

use std::rc::Rc;
use std::sync::Arc;

use super::authorization_policy::Chain;
use super::decision::{By, Cause, CauseKind, PolicyRuleRef};
use super::ext_authz::{Provider, provider};
use super::extension::Extensions;
use super::judgement::{Ending, JudgementBuilder, Verdict};
use super::namespace_reader::{NamespaceReader, RuleReading};
use super::request_authentication::JwtFilter;
use super::workload_selector::AttachedPolicies;
use super::world::World;
use crate::model::{AuthorizationPolicy, Resource};
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
    /// The whole world
    pub(crate) world: &'a World,
    /// The policies in force
    pub(crate) attached: &'a AttachedPolicies<'a>,
    /// The chain
    pub(crate) chain: Chain,
    /// The JWT filter, on HTTP chains
    pub(crate) jwt: &'a JwtFilter,
    /// Filters from elsewhere
    pub(crate) extensions: &'a Extensions,
    /// What the port itself may refuse before any policy is asked
    pub(crate) unadmitted: &'a [(Cube, Cause)],
    /// Reads their rules
    pub(crate) reader: &'a NamespaceReader<'a>,
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
    let mut referred: Vec<(Arc<Cube>, Cause)> = Vec::new();
    for (policy, admitted) in rules_of(policies, &policies.attached.custom) {
        match provider(policies.world, &policies.attached.custom, policy, policies.chain) {
            Provider::Unusable => builder.end(admitted.cubes.iter().cloned(), &refused(&admitted)),
            Provider::Skipped => {}
            Provider::Asked(message) => {
                let span = policy.spec.provider.as_ref().map_or(policy.name_span, |provider| provider.span);
                let cause = Cause { kind: CauseKind::CustomPolicy, message, span: Some(span) };
                referred.extend(admitted.cubes.iter().map(|cube| (Arc::clone(cube), cause.clone())));
            }
        }
    }
    if policies.chain == Chain::Http {
        policies.jwt.append(builder);
    }
    for (_, admitted) in rules_of(policies, &policies.attached.deny) {
        match &admitted.uncertain {
            None => builder.end(admitted.cubes.iter().cloned(), &refused(&admitted)),
            Some(cause) => referred.extend(admitted.cubes.iter().map(|cube| (Arc::clone(cube), cause.clone()))),
        }
    }
    if let Some(cause) = &policies.extensions.may_refuse {
        referred.push((Arc::new(Cube::default()), cause.clone()));
    }
    referred.extend(policies.unadmitted.iter().map(|(cube, cause)| (Arc::new(cube.clone()), cause.clone())));
    let passing = passing(policies);
    for (refused, cause) in &referred {
        for cube in passing.iter().flat_map(|passing| &passing.cubes) {
            append_doubtful(builder, &Arc::new(refused.and(cube)), cause, next);
        }
    }
    for passing in &passing {
        for cube in &passing.cubes {
            append_passing(builder, cube, passing, next);
        }
    }
    Ending::denied(By::Policy, None)
}

/// The ending of requests that a rule refuses.
fn refused(admitted: &RuleReading) -> Ending {
    Ending::denied(By::Policy, Some(admitted.rule.clone()))
}

/// Requests that the ALLOW stage lets pass.
struct Passing {
    /// Which
    cubes: Vec<Arc<Cube>>,
    /// The rule that admits them, where one is needed
    rule: Option<Arc<PolicyRuleRef>>,
    /// Why it may not match after all
    uncertain: Option<Cause>,
}

/// Appends what happens to requests that the policies let pass.
fn append_passing(builder: &mut JudgementBuilder, cube: &Arc<Cube>, passing: &Passing, next: &Next) {
    match (&passing.uncertain, next) {
        (Some(cause), _) => append_doubtful(builder, cube, cause, next),
        (None, Next::Workload) => builder.end([Arc::clone(cube)], &Ending::reached(passing.rule.clone())),
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
fn append_doubtful(builder: &mut JudgementBuilder, cube: &Arc<Cube>, cause: &Cause, next: &Next) {
    let ending = Ending::undetermined(cause.clone());
    let Next::Routes(routes) = next else {
        builder.end([Arc::clone(cube)], &ending);
        return;
    };
    for (route, verdict) in routes {
        match verdict {
            Verdict::End(end) if end.by.is_some() => builder.end([cube.and(route)], end),
            Verdict::End(_) | Verdict::Forward(_) => builder.end([cube.and(route)], &ending),
        }
    }
}

/// What passes the ALLOW stage, the certain rules first.
fn passing(policies: &ProxyPolicies<'_>) -> Vec<Passing> {
    if policies.attached.allow.is_empty() {
        return vec![Passing { cubes: vec![Arc::new(Cube::default())], rule: None, uncertain: None }];
    }
    let rules = rules_of(policies, &policies.attached.allow).into_iter().map(|(_, admitted)| Passing {
        cubes: admitted.cubes.clone(),
        rule: Some(admitted.rule.clone()),
        uncertain: admitted.uncertain.clone(),
    });
    let (certain, uncertain): (Vec<_>, Vec<_>) = rules.partition(|passing| passing.uncertain.is_none());
    certain.into_iter().chain(uncertain).collect()
}

/// The rules of policies that exist on the chain, in order.
fn rules_of<'a>(
    policies: &ProxyPolicies<'a>,
    list: &[&'a Resource<AuthorizationPolicy>],
) -> Vec<(&'a Resource<AuthorizationPolicy>, Rc<RuleReading>)> {
    let token_headers = policies.jwt.headers();
    let mut found = Vec::new();
    for policy in list {
        let rules = policies.reader.rules(policy, policies.chain, &token_headers);
        found.extend(rules.iter().map(|rule| (*policy, Rc::clone(rule))));
    }
    found
}
