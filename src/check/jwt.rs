//! Tokens: who asks for one, who verifies it, and who may come without.

use std::collections::BTreeSet;

use super::facts::{Facts, Site};
use super::observation::{Observation, Severity};
use super::spot::{Spot, with_paths};
use super::value::{Field, Value, values, values_of};
use crate::model::{AuthorizationPolicy, JwtRule, RequestAuthentication, Resource, workload_in_words};
use crate::semantics::{By, Chain, Decision, Ending, Guard, policy_path};
use crate::space::{Cube, Dimension, Pattern};
use crate::text::Spanned;

/// Looks at policies that ask for tokens, and at what verifies them.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for policy in facts.own_policies() {
        let asked: Vec<Value<'_>> = values(policy).filter(asks_for_token).collect();
        for value in &asked {
            seen.extend(malformed(value));
        }
        if let Some(first) = asked.first() {
            seen.extend(never_verified(facts, first));
            seen.extend(asked.iter().filter_map(|value| unknown_issuer(facts, value)));
        }
    }
    let own = facts.world().mesh.request_authentications.iter().filter(|authentication| !authentication.context);
    for authentication in own {
        for rule in authentication.spec.jwt_rules() {
            seen.extend(private_key(authentication, rule));
        }
        seen.extend(optional_token(facts, authentication));
    }
}

/// Whether a value is compared with a verified token.
fn asks_for_token(value: &Value<'_>) -> bool {
    value.field == Field::RequestPrincipal
        || matches!(value.field, Field::Condition(key) if key.starts_with("request.auth."))
}

/// Whether a value is issuer and subject.
fn is_principal(value: &Value<'_>) -> bool {
    matches!(value.field, Field::RequestPrincipal | Field::Condition("request.auth.principal"))
}

/// `malformed-request-principal`: matches no token as it is meant.
fn malformed(value: &Value<'_>) -> Option<Observation> {
    let text = value.text.value.as_str();
    if !is_principal(value) || text == "*" {
        return None;
    }
    let host_only = |rest: &str| !rest.trim_end_matches('/').contains('/');
    let url =
        ["https://", "http://"].into_iter().find_map(|scheme| text.strip_prefix(scheme)).filter(|rest| host_only(rest));
    let (label, help) = if text == "*/*" {
        ("the subject `*` itself", "write `*`".to_owned())
    } else if url.is_some() {
        ("an issuer without a subject", format!("write `{}/*`", text.trim_end_matches(['/', '*'])))
    } else if !text.contains(['/', '*']) {
        ("no issuer, or no subject", format!("write `{text}/*` for an issuer, `*/{text}` for a subject"))
    } else {
        return None;
    };
    let comes = value.when_dead();
    let message = format!("`{text}` is compared as `ISSUER/SUBJECT` and matches no token as it is meant, {comes}");
    let seen = Observation::new("malformed-request-principal", &value.policy.id, value.text.span, label, message);
    Some(seen.help(help))
}

/// `claims-never-verified`: nothing verifies tokens where the policy acts.
fn never_verified(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    // Where some verify them, workloads that are only implied prove nothing.
    let some = facts.sites_of(&value.policy.id).any(|site| !site.jwt.is_empty());
    let is_there = |site: &&Site<'_>| site.workload().is_some_and(|workload| !workload.implied);
    let mut bare = facts.sites_of(&value.policy.id).filter(|site| site.jwt.is_empty());
    let site = bare.find(|site| !some || is_there(site))?;
    let mesh = &facts.world().mesh;
    let root = mesh.settings.root_namespace();
    let others = [value.policy.id.namespace.as_str(), root]
        .into_iter()
        .any(|namespace| mesh.request_authentications.in_namespace(namespace).next().is_some());
    let severity = facts.ground.absence(Severity::Error, others)?;
    let who = site.name();
    let shown = workload_in_words(&who);
    let message = format!("no RequestAuthentication acts on {shown}, so no request ever has a token there");
    let seen =
        Observation::new("claims-never-verified", &value.policy.id, value.text.span, "asks for a token", message);
    Some(seen.severity(severity))
}

/// `unknown-issuer`: of tokens that are never accepted.
fn unknown_issuer(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    let text = value.text.value.as_str();
    let (issuer, subject) = text.rsplit_once('/').filter(|_| is_principal(value) && !text.starts_with('*'))?;
    let known: BTreeSet<String> = facts.sites_of(&value.policy.id).flat_map(|site| site.jwt.issuers()).collect();
    let any = facts.sites_of(&value.policy.id).any(|site| site.jwt.rules().any(|rule| rule.issuer.is_none()));
    if any || known.is_empty() || known.contains(issuer) || malformed(value).is_some() || subject.is_empty() {
        return None;
    }
    let message = format!("no token of the issuer `{issuer}` is accepted here");
    let list = known.iter().map(|issuer| format!("`{issuer}`")).collect::<Vec<_>>().join(", ");
    let seen = Observation::new("unknown-issuer", &value.policy.id, value.text.span, "of no known issuer", message);
    Some(seen.help(format!("the issuers are {list}")))
}

/// `private-key-in-jwks`: who reads the manifest can sign tokens.
fn private_key(authentication: &Resource<RequestAuthentication>, rule: &Spanned<JwtRule>) -> Option<Observation> {
    let jwks = rule.value.jwks.as_ref()?;
    let set: serde_json::Value = serde_json::from_str(&jwks.value).ok()?;
    let keys = set.get("keys").and_then(serde_json::Value::as_array)?;
    let private = |key: &serde_json::Value| {
        let symmetric = key.get("kty").and_then(serde_json::Value::as_str) == Some("oct");
        key.get("d").is_some() || (symmetric && key.get("k").is_some())
    };
    keys.iter().any(private).then(|| {
        let message =
            format!("the key set of {} holds a private key: whoever reads it can sign tokens", authentication.id);
        Observation::new("private-key-in-jwks", &authentication.id, jwks.span, "not only public keys", message)
    })
}

/// `optional-token`: a request without any token gets in.
fn optional_token(facts: &Facts<'_>, authentication: &Resource<RequestAuthentication>) -> Option<Observation> {
    let issuer = authentication.spec.jwt_rules().first()?;
    let span = issuer.value.issuer.as_ref().map_or(issuer.span, |issuer| issuer.span);
    let mine = |site: &&Site<'_>| site.jwt.rules.iter().any(|rule| rule.span == issuer.span);
    let token = Cube::default().any(Dimension::Token, vec![Pattern::Exact("none".into())]);
    let mut worst: Option<Observation> = None;
    for site in facts.sites.iter().filter(mine) {
        for spot in facts.spots_at(site) {
            if spot.chain() != Chain::Http || spot.door().is_some_and(|door| door.lock.guard != Guard::Sidecar) {
                continue;
            }
            let careless = |ending: &Ending| !names_paths(facts, ending);
            let asked: Vec<Pattern> = token_paths(site).into_iter().map(policy_path).collect();
            // A path for which some rule asks for a token, else one that no rule names.
            let covered = (!asked.is_empty() && spot.door().is_some()).then(|| with_paths(&token, asked));
            let covered = covered.and_then(|within| spot.gets_through(&within));
            let (found, severity) = match covered.or_else(|| spot.gets_through_by(&token, careless)) {
                Some(found) if !is_deliberate(facts, site, &spot, &found.request.path) => (found, Severity::Error),
                Some(found) => (found, Severity::Warning),
                None => match spot.gets_through(&token) {
                    Some(found) => (found, Severity::Warning),
                    None => continue,
                },
            };
            let who = site.name();
            let shown = workload_in_words(&who);
            let message = match severity {
                Severity::Error => {
                    format!("{shown} accepts requests without any token: a token is only looked at where there is one")
                }
                Severity::Warning | Severity::Info => {
                    format!("{shown} accepts some requests without any token, by a rule that names their paths")
                }
            };
            let mut seen =
                Observation::new("optional-token", &authentication.id, span, "verified only if it is there", message)
                    .severity(severity);
            seen.workload = site.workload().map(|_| who);
            if let Some(by) = found.ending.as_ref().and_then(|ending| ending.policy.as_ref()) {
                seen = seen.related(by.span, "this rule admits it");
            }
            seen.witness = Some(found.request.into());
            if worst.as_ref().is_none_or(|worst| worst.severity < seen.severity) {
                worst = Some(seen);
            }
        }
    }
    worst
}

/// Whether the rule that admits names the paths that it is for.
fn names_paths(facts: &Facts<'_>, ending: &Ending) -> bool {
    debug_assert!(ending.decision == Decision::Allowed && ending.by == Some(By::Reached));
    let Some(by) = &ending.policy else { return false };
    let policy = facts.world().mesh.authorization_policy(&by.policy);
    policy.is_some_and(|policy| !named_paths(policy, Some(by.rule)).is_empty())
}

/// Whether a path gets through a gateway only by a rule that names paths: it asks for tokens elsewhere.
fn is_deliberate(facts: &Facts<'_>, site: &Site<'_>, spot: &Spot<'_, '_>, path: &str) -> bool {
    if spot.door().is_some() {
        return false;
    }
    let own = facts.world();
    let allow = site.attached.allow.iter().filter(|policy| own.mesh.authorization_policy(&policy.id).is_some());
    let mut named = allow.flat_map(|policy| named_paths(policy, None));
    !token_paths(site).is_empty() && named.any(|known| policy_path(known).matches(path))
}

/// The paths of the rules at a site that ask for a token.
fn token_paths<'w>(site: &Site<'w>) -> Vec<&'w str> {
    let policies = site.attached.allow.iter().chain(&site.attached.deny);
    let asking = policies.flat_map(|policy| {
        let all = policy.spec.rules().iter().enumerate();
        let asking = all.filter(|(_, rule)| values_of(policy, rule).any(|value| asks_for_token(&value)));
        asking.map(move |(index, _)| (policy, index))
    });
    asking.flat_map(|(policy, rule)| named_paths(policy, Some(rule))).collect()
}

/// The paths that a policy, or one rule of it, names.
fn named_paths(policy: &Resource<AuthorizationPolicy>, rule: Option<usize>) -> Vec<&str> {
    let here = |value: &Value<'_>| {
        value.field == Field::Path && !value.negated && rule.is_none_or(|rule| value.rule_index() == rule)
    };
    values(policy).filter(here).map(|value| value.text.value.as_str()).collect()
}
