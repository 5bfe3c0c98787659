//! Identities in policies: who has none, and who does not exist.

#![expect(clippy::wildcard_enum_match_arm, reason = "a value that is no identity names none")]

use super::evasion::show_meant;
use super::facts::{Facts, Site};
use super::observation::{Observation, Severity};
use super::spot::{Spot, without};
use super::value::{Field, Value, values};
use crate::model::{Action, MtlsMode, Workload, workload_in_words};
use crate::semantics::{EffectiveMode, Guard, effective_mode};
use crate::space::{Cube, Dimension, Pattern};
use crate::text::Span;

/// Looks at the identities of every policy.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    seen.extend(facts.at_policies(|policy, seen| {
        let named: Vec<Value<'_>> = values(policy).filter(is_identity).collect();
        for value in &named {
            seen.extend(
                malformed(facts, value)
                    .or_else(|| foreign(facts, value))
                    .or_else(|| unknown_namespace(facts, value))
                    .or_else(|| unknown_principal(facts, value))
                    .or_else(|| shared(facts, value)),
            );
        }
        let mut doors = facts.sites_of(&policy.id).flat_map(|site| site.doors);
        if named.is_empty() || !doors.any(|door| lax_mode(facts, door.workload, door.port.number).is_some()) {
            return;
        }
        let mut said: Option<Span> = None;
        for value in &named {
            if said == Some(value.rule.span) {
                continue;
            }
            let found = dodged(facts, value).or_else(|| lax(facts, value));
            if found.is_some() {
                said = Some(value.rule.span);
            }
            seen.extend(found);
        }
    }));
}

/// Whether a value is compared with the peer's identity.
fn is_identity(value: &Value<'_>) -> bool {
    matches!(value.field, Field::Principal | Field::Namespace | Field::ServiceAccount | Field::TrustDomain)
        || matches!(
            value.field,
            Field::Condition("source.principal" | "source.namespace" | "source.serviceAccount" | "source.trustDomain")
        )
}

/// Whether a value is a principal.
fn is_principal(value: &Value<'_>) -> bool {
    matches!(value.field, Field::Principal | Field::Condition("source.principal"))
}

/// The mode at a port, if it takes callers without identity.
fn lax_mode(facts: &Facts<'_>, workload: &Workload, port: u16) -> Option<EffectiveMode> {
    let mode = effective_mode(&facts.world().mesh, workload, port);
    (mode.order.is_none() && mode.mode != MtlsMode::Strict).then_some(mode)
}

/// `identity-dodged-by-plaintext`: who shows no identity is not the one that is refused.
fn dodged(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    if !value.opens_when_dead() {
        return None;
    }
    let deny = value.policy.spec.action() == Action::Deny;
    let rule = value.rule_index();
    let asks = |cube: &&Cube| {
        let mut tests = cube.tests.iter().filter(|test| test.dimension == Dimension::Peer).peekable();
        tests.peek().is_some()
            && if deny { tests.any(|test| test.any_of.is_some()) } else { tests.all(|test| test.any_of.is_none()) }
    };
    for spot in facts.spots_of(&value.policy.id) {
        let Spot::Door(door) = spot else { continue };
        let Some(mode) = lax_mode(facts, door.workload, door.port.number) else { continue };
        if door.lock.guard != Guard::Sidecar {
            continue;
        }
        for cube in spot.cubes_of(&value.policy.id, rule).into_iter().filter(asks) {
            let within = without(cube, &Dimension::Peer).none(Dimension::Peer, vec![Pattern::Any]);
            let found = spot.gets_through_by(&within, |ending| {
                deny || ending.policy.as_ref().is_some_and(|by| by.policy == value.policy.id && by.rule == rule)
            });
            let Some(found) = found else { continue };
            let who = door.workload.display_name();
            let shown = workload_in_words(&who);
            let message = format!("a caller that shows no identity gets past `{}` at {shown}", value.text.value);
            let mut seen = Observation::new(
                "identity-dodged-by-plaintext",
                &value.policy.id,
                value.text.span,
                "only who shows it",
                message,
            );
            seen.workload = Some(who);
            seen.witness = Some(found.request.into());
            seen.admits = (!deny).then_some(value.rule.span);
            return Some(match mode.span {
                Some(span) => seen.related(span, "this mode takes callers without identity"),
                None => seen,
            });
        }
    }
    None
}

/// `identity-without-strict-mtls`: callers in plaintext are refused, and may wonder.
fn lax(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    if value.policy.spec.action() != Action::Allow || value.negated {
        return None;
    }
    let doors = facts.sites_of(&value.policy.id).flat_map(|site| site.doors);
    let mut guarded = doors.filter(|door| door.lock.guard == Guard::Sidecar);
    let door = guarded.find(|door| lax_mode(facts, door.workload, door.port.number).is_some())?;
    let who = door.workload.display_name();
    let shown = workload_in_words(&who);
    let message = format!("{shown} takes plaintext, and whoever speaks it has no identity: this rule refuses them");
    let mut seen = Observation::new(
        "identity-without-strict-mtls",
        &value.policy.id,
        value.text.span,
        "asks for an identity",
        message,
    );
    seen.workload = Some(who);
    Some(seen)
}

/// `malformed-principal`: never the identity of a workload of the mesh.
fn malformed(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    let text = value.text.value.as_str();
    let sidecar = |site: &Site<'_>| site.doors.iter().any(|door| door.lock.guard == Guard::Sidecar);
    let sees_mesh = || facts.sites_of(&value.policy.id).any(sidecar);
    if !is_principal(value) || !sees_mesh() {
        return None;
    }
    let parts: Vec<&str> = text.split('/').collect();
    let (label, meant) = if let Some(rest) = text.strip_prefix("spiffe://") {
        ("begins with `spiffe://`", Some(rest.to_owned()))
    } else if text.contains(char::is_whitespace) {
        ("has a space", Some(text.split_whitespace().collect::<String>()))
    } else if !text.contains('*') && !matches!(parts.as_slice(), [_, "ns", _, "sa", _]) {
        let meant = match parts.as_slice() {
            ["ns", namespace, "sa", account] | [namespace, account] => {
                Some(format!("cluster.local/ns/{namespace}/sa/{account}"))
            }
            _ => None,
        };
        ("no `TRUSTDOMAIN/ns/NAMESPACE/sa/ACCOUNT`", meant)
    } else {
        return None;
    };
    let comes = value.when_dead();
    let message = format!("no workload has the identity `{text}`, {comes}");
    let seen = Observation::new("malformed-principal", &value.policy.id, value.text.span, label, message);
    let Some(meant) = meant else { return Some(seen) };
    let seen = seen.help(format!("write `{meant}`"));
    Some(show_meant(facts, value, seen, Pattern::Exact(meant.as_str().into())))
}

/// Trust domain, namespace and account of a principal that names all three.
fn parts<'v>(value: &'v Value<'_>) -> Option<(&'v str, &'v str, &'v str)> {
    let text = value.text.value.as_str();
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [domain, "ns", namespace, "sa", account] if is_principal(value) => Some((domain, namespace, account)),
        _ => None,
    }
}

/// `foreign-trust-domain`: connections of that trust domain are refused before any policy is asked.
fn foreign(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    let settings = &facts.world().mesh.settings;
    let domain = match value.field {
        Field::TrustDomain | Field::Condition("source.trustDomain") => value.text.value.as_str(),
        _ => parts(value)?.0,
    };
    let accepted = settings.accepted_trust_domains();
    let at_gateways = facts.sites_of(&value.policy.id).all(|site| site.gateway().is_some());
    if domain.contains('*')
        || accepted.contains(&domain)
        || (is_principal(value) && domain == "cluster.local")
        || at_gateways
    {
        return None;
    }
    let known = accepted.iter().map(|domain| format!("`{domain}`")).collect::<Vec<_>>().join(", ");
    let message = if settings.known() {
        format!("the mesh accepts no identity of the trust domain `{domain}`, only of {known}")
    } else {
        format!("the input has no mesh settings, and by default only {known} is accepted, not `{domain}`")
    };
    let mut seen =
        Observation::new("foreign-trust-domain", &value.policy.id, value.text.span, "is not accepted", message);
    seen.severity = (!settings.known()).then_some(Severity::Info);
    Some(seen)
}

/// `unknown-namespace`: nothing lives there.
fn unknown_namespace(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    const USUAL: [&str; 6] =
        ["default", "istio-system", "kube-system", "istio-ingress", "istio-egress", "istio-gateways"];
    let world = facts.world();
    let namespace = match value.field {
        Field::Namespace | Field::Condition("source.namespace") => value.text.value.as_str(),
        Field::ServiceAccount | Field::Condition("source.serviceAccount") => value.text.value.split_once('/')?.0,
        _ => parts(value)?.1,
    };
    let known = &facts.namespaces;
    let gateways = world.gateway_workloads.iter().any(|gateway| gateway.namespace == namespace);
    if namespace.contains('*') || known.contains(namespace) || gateways || USUAL.contains(&namespace) {
        return None;
    }
    let severity = facts.ground.absence(Severity::Warning, !world.mesh.namespaces.is_empty())?;
    let message = format!("there is no namespace `{namespace}`");
    let seen = Observation::new("unknown-namespace", &value.policy.id, value.text.span, "nothing lives there", message)
        .severity(severity);
    Some(match nearest(namespace, known.iter().map(String::as_str)) {
        Some(near) => seen.help(format!("did you mean `{near}`?")),
        None => seen,
    })
}

/// The known name that is most like another, if it is much like it.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let scored = known.map(|known| (strsim::jaro_winkler(known, name), known));
    scored.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

/// Namespace and account that a value names.
pub(super) fn account<'v>(value: &'v Value<'v>) -> Option<(&'v str, &'v str)> {
    match value.field {
        Field::ServiceAccount | Field::Condition("source.serviceAccount") => {
            Some(value.text.value.split_once('/').unwrap_or((&value.policy.id.namespace, &value.text.value)))
        }
        _ => parts(value).map(|(_, namespace, account)| (namespace, account)),
    }
}

/// `unknown-principal`: no workload of that namespace runs as this account.
fn unknown_principal(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    let mesh = &facts.world().mesh;
    let (namespace, account) = account(value).filter(|(_, account)| !account.contains('*'))?;
    let accounts = || {
        let used = mesh.workloads_in(namespace).map(|workload| workload.service_account.as_str());
        used.chain(mesh.service_accounts.in_namespace(namespace).map(|object| object.id.name.as_str()))
    };
    if accounts().any(|known| known == account) {
        return None;
    }
    let path = format!("ns/{namespace}/sa/{account}");
    let gateways = facts.world().gateway_workloads.iter().any(|gateway| gateway.identities.contains(&path));
    let others = mesh.workloads_in(namespace).next().is_some();
    if gateways || namespace == mesh.settings.root_namespace() {
        return None;
    }
    let severity = facts.ground.absence(Severity::Warning, others)?;
    let message = format!("no workload of `{namespace}` runs as `{account}`");
    let seen = Observation::new("unknown-principal", &value.policy.id, value.text.span, "nobody has it", message)
        .severity(severity);
    let mut accounts: Vec<&str> = accounts().collect();
    accounts.sort_unstable();
    Some(match nearest(account, accounts.into_iter()) {
        Some(near) => seen.help(format!("did you mean `{near}`?")),
        None => seen,
    })
}

/// `shared-service-account`: who is admitted as one workload is several.
fn shared(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    let (namespace, account) = account(value)?;
    if value.policy.spec.action() != Action::Allow || value.negated {
        return None;
    }
    let mut users = facts.world().mesh.workloads_in(namespace).filter(|workload| workload.service_account == account);
    let (first, second) = (users.next()?, users.next()?);
    let message = format!(
        "`{namespace}/{account}` is not one workload: `{}` and `{}` run as it",
        first.display_name(),
        second.display_name()
    );
    let seen = Observation::new("shared-service-account", &value.policy.id, value.text.span, "admits both", message);
    Some(seen.related(first.name_span, "runs as it").related(second.name_span, "runs as it, too"))
}
