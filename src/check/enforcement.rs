//! Policies that act nowhere, or not where they are meant to.

use super::facts::{Facts, Site};
use super::identity::nearest;
use super::observation::{Observation, Severity};
use super::ports::show_plaintext;
use super::spot::Spot;
use crate::model::{
    AuthorizationPolicy, Labels, MtlsMode, ObjectId, PeerAuthentication, Resource, TargetRef, Workload,
    WorkloadSelector, workload_in_words,
};
use crate::semantics::{Guard, Membership, World, selects};
use crate::text::{Span, Spanned};

/// Looks at what every policy selects.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let mesh = &facts.world().mesh;
    for policy in facts.own_policies() {
        seen.extend(without_sidecar(facts, policy));
        let spec = &policy.spec;
        seen.extend(no_match(facts, &policy.id, spec.selector.as_ref()));
        seen.extend(ineffective(facts, &policy.id, spec.target_refs()));
    }
    for policy in mesh.request_authentications.iter().filter(|policy| !policy.context) {
        seen.extend(no_match(facts, &policy.id, policy.spec.selector.as_ref()));
        seen.extend(ineffective(facts, &policy.id, policy.spec.target_refs()));
    }
    for policy in mesh.peer_authentications.iter().filter(|policy| !policy.context) {
        let root = policy.id.namespace == mesh.settings.root_namespace();
        let labels = policy.spec.selector.as_ref().filter(|selector| labels_of(selector).is_some());
        match labels.filter(|_| root) {
            Some(selector) => {
                let message =
                    format!("{} never acts: in the root namespace a selector makes Istio ignore it", policy.id);
                let found = Observation::new("ignored-authentication", &policy.id, selector.span, "ignored", message);
                seen.push(show_ignored(facts, found, policy));
            }
            None => seen.extend(no_match(facts, &policy.id, policy.spec.selector.as_ref())),
        }
    }
    competing(facts, seen);
    outside_capture(facts, seen);
}

/// Shows a request in plaintext to a workload for which a policy that is ignored demands mutual TLS.
fn show_ignored(facts: &Facts<'_>, seen: Observation, policy: &Resource<PeerAuthentication>) -> Observation {
    let strict = policy.spec.mtls.as_ref().and_then(|mtls| mtls.value.mode.as_ref());
    if strict.is_none_or(|mode| mode.value != MtlsMode::Strict) {
        return seen;
    }
    let labels = policy.spec.selector.as_ref().and_then(labels_of);
    let workloads = facts.sites.iter().filter_map(Site::workload);
    let meant: Vec<&Workload> = workloads.filter(|workload| selects(labels, &workload.labels)).collect();
    show_plaintext(facts, seen, &meant, None)
}

/// The labels of a selector, unless it selects everything.
fn labels_of(selector: &Spanned<WorkloadSelector>) -> Option<&Labels> {
    selector.value.match_labels.as_ref().filter(|labels| !labels.is_empty())
}

/// `policy-without-sidecar`: nobody asks the policy where it is attached.
fn without_sidecar(facts: &Facts<'_>, policy: &Resource<AuthorizationPolicy>) -> Option<Observation> {
    let world = facts.world();
    let selector = policy.spec.selector.as_ref().filter(|selector| labels_of(selector).is_some());
    let out = |workload: &Workload| match world.membership(workload) {
        Membership::Out { reason, span } if !workload.implied => Some((reason, span)),
        Membership::Out { .. } | Membership::In | Membership::Assumed => None,
    };
    let mut all: Vec<(String, Span)> = Vec::new();
    let mut who = None;
    let mut through = None;
    for site in facts.sites_of(&policy.id) {
        let workload = site.workload()?;
        let (reason, span) = out(workload)?;
        // What guards a pod of ambient mode is not a sidecar.
        if site.doors.iter().any(|door| matches!(door.lock.guard, Guard::Unmodelled(_))) {
            return None;
        }
        who.get_or_insert_with(|| workload.display_name());
        let lets_in = || site.doors.iter().find_map(|door| Spot::Door(door).lets_in());
        through = through.or_else(|| Some((workload.display_name(), lets_in()?.request)));
        all.push((reason, span));
    }
    let (reason, span) = all.into_iter().next()?;
    let (who, request) = match through {
        Some((who, request)) => (who, Some(request)),
        None => (who?, None),
    };
    let shown = workload_in_words(&who);
    let place = selector.map_or(policy.name_span, |selector| selector.span);
    let message = format!("no proxy guards {shown}, so nobody asks {}: {reason}", policy.id);
    let mut seen = Observation::new("policy-without-sidecar", &policy.id, place, "selects what has no proxy", message)
        .related(span, "takes the proxy away");
    seen.workload = Some(who);
    seen.witness = request.map(Box::new);
    seen.admits = Some(span);
    Some(seen)
}

/// `selector-matches-nothing` and `policy-in-wrong-namespace`.
fn no_match(facts: &Facts<'_>, policy: &ObjectId, selector: Option<&Spanned<WorkloadSelector>>) -> Option<Observation> {
    let world = facts.world();
    let selector = selector?;
    let labels = labels_of(selector)?;
    let own = policy.namespace.as_str();
    let root = own == world.mesh.settings.root_namespace() && policy.kind != "PeerAuthentication";
    let gateways = world.gateway_workloads.iter().any(|gateway| {
        (gateway.object.is_none() || gateway.namespace == own || root) && selects(Some(labels), &gateway.labels)
    });
    let selected = |workload: &Workload| selects(Some(labels), &workload.labels);
    if gateways
        || world.mesh.workloads_in(own).any(selected)
        || (root && world.mesh.workloads.iter().map(AsRef::as_ref).any(selected))
    {
        return None;
    }
    // What names no namespace lands in `default` here, and is often applied to another one.
    let elsewhere =
        world.mesh.workloads.iter().find(|workload| workload.id.namespace != "default" && selected(workload));
    // A Service of the own namespace that looks for such pods says that they are there, only not in the input.
    let served = world.mesh.services.in_namespace(own).any(|service| {
        service.spec.selector.as_ref().is_some_and(|wanted| !wanted.is_empty() && selects(Some(wanted), labels))
    });
    if let Some(workload) = elsewhere.filter(|_| !root && !served && !is_generic(labels)) {
        let message = format!(
            "{policy} selects nothing in `{own}`: such a workload is in `{}`, where it does not act",
            workload.id.namespace
        );
        let seen =
            Observation::new("policy-in-wrong-namespace", policy, selector.span, "nothing in this namespace", message)
                .related(workload.name_span, "such a workload");
        return Some(seen.help(format!("put it into the namespace `{}`", workload.id.namespace)));
    }
    let others = world.mesh.workloads_in(own).any(|workload| !world.is_gateway(workload));
    let severity = facts.ground.absence(Severity::Warning, others && !served)?;
    let wanted = labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
    let message = format!("{policy} selects no workload: none has `{wanted}`");
    let seen = Observation::new("selector-matches-nothing", policy, selector.span, "picks no workload", message)
        .severity(severity);
    let values: Vec<_> = world.mesh.workloads_in(own).flat_map(|workload| &workload.labels).collect();
    let near = labels.iter().find_map(|(key, value)| {
        let same_key = values.iter().filter(|(known, _)| *known == key).map(|(_, value)| value.as_str());
        nearest(value, same_key).filter(|near| near != value).map(|near| format!("did you mean `{key}: {near}`?"))
    });
    Some(match near {
        Some(near) => seen.help(near),
        None => seen,
    })
}

/// Whether labels say too little to tell one application from another.
fn is_generic(labels: &Labels) -> bool {
    !labels.keys().any(|key| {
        matches!(key.as_str(), "app" | "istio" | "app.kubernetes.io/name" | "app.kubernetes.io/instance" | "k8s-app")
    })
}

/// `ineffective-target`: a target that no proxy of its kind looks at.
fn ineffective(facts: &Facts<'_>, policy: &ObjectId, targets: &[TargetRef]) -> Vec<Observation> {
    let mesh = &facts.world().mesh;
    let wrong = targets.iter().filter_map(|target| {
        let (kind, name) = (target.kind.as_ref()?, target.name.as_ref()?);
        let message = match kind.value.as_str() {
            "GatewayClass" if name.value != "istio-waypoint" => {
                format!("{policy} never acts: of all classes only `istio-waypoint` is looked at")
            }
            "GatewayClass" if policy.namespace != mesh.settings.root_namespace() => format!(
                "{policy} never acts: a class is looked at in the root namespace `{}` only",
                mesh.settings.root_namespace()
            ),
            "Gateway" => {
                let api = mesh.unmodelled.iter().any(|object| {
                    object.id.kind == "Gateway"
                        && object.id.namespace == policy.namespace
                        && object.id.name == name.value
                });
                mesh.gateway(&policy.namespace, &name.value).filter(|_| !api)?;
                format!(
                    "{policy} never acts: `{}` is a Gateway of Istio, and targets are those of the Gateway API",
                    name.value
                )
            }
            _ => return None,
        };
        let seen = Observation::new("ineffective-target", policy, name.span, "nobody looks at it", message);
        Some(if kind.value == "Gateway" { seen.help("select the gateway's pods by `selector`") } else { seen })
    });
    wrong.collect()
}

/// `competing-authentication`: of several at one level only the oldest acts.
fn competing(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let mesh = &facts.world().mesh;
    let mut policies: Vec<_> = mesh.peer_authentications.iter().collect();
    policies.sort_by_key(|policy| policy.age_key());
    for (place, policy) in policies.iter().enumerate() {
        let namespace = policy.id.namespace.as_str();
        let own = policy.spec.selector.as_ref().and_then(labels_of);
        let older = policies.iter().take(place).filter(|older| older.id.namespace == namespace);
        let rival = older.into_iter().find_map(|older| match (own, older.spec.selector.as_ref().and_then(labels_of)) {
            (None, None) => Some((older, None)),
            (Some(own), Some(theirs)) if namespace != mesh.settings.root_namespace() => {
                let both = |workload: &&Workload| {
                    selects(Some(own), &workload.labels) && selects(Some(theirs), &workload.labels)
                };
                let workloads = facts.world().workloads_in(namespace);
                workloads.iter().map(AsRef::as_ref).find(both).map(|workload| (older, Some(workload.display_name())))
            }
            _ => None,
        });
        let Some((older, who)) = rival.filter(|_| !policy.context) else { continue };
        let at =
            who.as_ref().map_or_else(|| format!("in `{namespace}`"), |who| format!("at {}", workload_in_words(who)));
        let known = if policy.created.is_some() && older.created.is_some() {
            "the older"
        } else {
            "the older one, which files do not tell"
        };
        let message = format!("{} and {} stand at one level {at}: only one acts, {known}", older.id, policy.id);
        let span =
            policy.spec.selector.as_ref().filter(|_| own.is_some()).map_or(policy.name_span, |selector| selector.span);
        let mut found =
            Observation::new("competing-authentication", &policy.id, span, "the second at this level", message)
                .related(older.name_span, "the first");
        found.workload = who;
        seen.push(found);
    }
}

/// `port-outside-capture`: a port that a Service opens past the sidecar.
fn outside_capture(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let world: &World = facts.world();
    let mut said: Vec<Span> = Vec::new();
    for site in &facts.sites {
        let Some(workload) = site.workload().filter(|workload| !workload.context) else { continue };
        let acts = [&site.attached.deny, &site.attached.allow, &site.attached.custom].into_iter().flatten().next();
        let Some(policy) = acts else { continue };
        if matches!(world.membership(workload), Membership::Out { .. }) {
            continue;
        }
        for door in site.doors.iter().filter(|door| door.port.by_service) {
            let Guard::Nothing { reason, span: Some(span) } = &door.lock.guard else { continue };
            if said.contains(span) {
                continue;
            }
            said.push(*span);
            let who = workload.display_name();
            let message = format!("no policy is asked at `{who}:{}`: {reason}", door.port.number);
            let mut found = Observation::new("port-outside-capture", &workload.id, *span, "past the sidecar", message)
                .related(policy.name_span, "is not asked there");
            found.workload = Some(who);
            found.witness = Spot::Door(door).lets_in().map(|through| through.request.into());
            found.admits = Some(*span);
            seen.push(found);
        }
    }
}
