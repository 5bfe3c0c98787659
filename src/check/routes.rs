//! Routes of virtual services: what they bind to, where they lead, and what they say.

use std::collections::BTreeSet;

use compact_str::CompactString;

use super::facts::Facts;
use super::identity::nearest;
use super::observation::{Observation, Severity};
use crate::model::{Destination, ObjectId, Resource, VirtualService};
use crate::semantics::{
    MESH, binds_to, names_for_namespace, overlap, parse_service_host, resolve_gateway, resolve_short_name,
    server_hosts, service_host,
};
use crate::text::Spanned;

/// Looks at every virtual service.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for service in facts.world().mesh.virtual_services.iter().filter(|service| !service.context) {
        seen.extend(unknown_gateways(facts, service));
        for destination in service.spec.destinations() {
            seen.extend(unknown_destination(facts, service, destination));
        }
        seen.extend(unbound_hosts(facts, service));
        seen.extend(refused_codes(service));
    }
}

/// `unknown-gateway`: the virtual service is bound to nothing there.
fn unknown_gateways(facts: &Facts<'_>, service: &Resource<VirtualService>) -> Vec<Observation> {
    let mesh = &facts.world().mesh;
    let own = service.id.namespace.as_str();
    let api = |namespace: &str, name: &str| {
        mesh.unmodelled
            .iter()
            .any(|object| object.id.kind == "Gateway" && object.id.namespace == namespace && object.id.name == name)
    };
    let missing = service.spec.gateways().iter().filter_map(|gateway| {
        let full = resolve_gateway(&gateway.value, own);
        let (namespace, name) = full.split_once('/')?;
        if mesh.gateway(namespace, name).is_some() || api(namespace, name) {
            return None;
        }
        let new =
            |message: String| Observation::new("unknown-gateway", &service.id, gateway.span, "is not there", message);
        let written = |(known, _): &(&ObjectId, &ObjectId)| known.namespace == namespace && known.name == name;
        if let Some((_, applied)) = mesh.moved_gateways.iter().find(written) {
            let moved = applied.path();
            let message = format!(
                "there is no Gateway `{full}`: its kustomization makes `{moved}` of it, and rewrites no `gateways`"
            );
            return Some(new(message).help(format!("write `{moved}`")));
        }
        let elsewhere = mesh.gateways.iter().find(|known| known.id.name == name);
        if let Some(known) = elsewhere.filter(|_| !gateway.value.contains(['/', '.'])) {
            let message = format!("there is no Gateway `{full}`; one of that name is in `{}`", known.id.namespace);
            // What names no namespace lands in `default` here, and is often applied to another one.
            let unsure = own == "default" || known.id.namespace == "default";
            let severity = if unsure { Severity::Warning } else { Severity::Error };
            let seen = new(message).severity(severity).related(known.name_span, "of that name");
            return Some(seen.help(format!("write `{}`", known.id.path())));
        }
        let others: Vec<&str> = mesh.gateways.in_namespace(namespace).map(|known| known.id.name.as_str()).collect();
        let severity = facts.ground.absence(Severity::Error, !others.is_empty())?;
        let seen = new(format!("there is no Gateway `{full}`")).severity(severity);
        Some(match nearest(name, others.into_iter()) {
            Some(near) => seen.help(format!("did you mean `{near}`?")),
            None => seen,
        })
    });
    missing.collect()
}

/// `unknown-destination`: a host, port or subset that is not there.
fn unknown_destination(
    facts: &Facts<'_>,
    service: &Resource<VirtualService>,
    destination: &Spanned<Destination>,
) -> Option<Observation> {
    let written = destination.value.host.as_ref()?;
    let full = resolve_short_name(&written.value, &service.id.namespace);
    // The Service may live elsewhere, while the rules that name its subsets are here.
    let missing = unknown_service(facts, service, destination, written, &full);
    missing.or_else(|| unknown_subset(facts, service, destination, &full))
}

/// A Service that is not there, or has no such port.
fn unknown_service(
    facts: &Facts<'_>,
    service: &Resource<VirtualService>,
    destination: &Spanned<Destination>,
    written: &Spanned<CompactString>,
    full: &str,
) -> Option<Observation> {
    let world = facts.world();
    let Some((name, namespace)) = parse_service_host(full) else {
        return half_a_name(facts, service, written);
    };
    let new =
        |span, label: &str, message: String| Observation::new("unknown-destination", &service.id, span, label, message);
    let entry =
        world.mesh.service_entries.iter().any(|entry| {
            entry.spec.hosts.iter().flat_map(|hosts| &hosts.value).any(|known| overlap(&known.value, full))
        });
    let Some(known) = world.mesh.service(namespace, name) else {
        let others: Vec<&str> =
            world.mesh.services.in_namespace(namespace).map(|known| known.id.name.as_str()).collect();
        let severity = facts.ground.absence(Severity::Error, !others.is_empty()).filter(|_| !entry)?;
        let seen =
            new(written.span, "is not there", format!("there is no Service `{namespace}/{name}`")).severity(severity);
        return Some(match nearest(name, others.into_iter()) {
            Some(near) => seen.help(format!("did you mean `{near}`?")),
            None => seen,
        });
    };
    let number = destination.value.port.as_ref().and_then(|port| port.number.as_ref());
    if let Some(number) =
        number.filter(|number| known.spec.ports().iter().all(|port| port.value.port != Some(number.value)))
    {
        let ports = known.spec.ports().iter().filter_map(|port| port.value.port).map(|port| format!("`{port}`"));
        let ports = ports.collect::<Vec<_>>().join(", ");
        if ports.is_empty() {
            return None;
        }
        let message = format!("the Service `{namespace}/{name}` has no port {}, only {ports}", number.value);
        return Some(new(number.span, "is not there", message));
    }
    None
}

/// A subset that no destination rule of its host names, where there are such rules.
fn unknown_subset(
    facts: &Facts<'_>,
    service: &Resource<VirtualService>,
    destination: &Spanned<Destination>,
    host: &str,
) -> Option<Observation> {
    let subset = destination.value.subset.as_ref().filter(|subset| !subset.value.is_empty())?;
    let mesh = &facts.world().mesh;
    let rules: Vec<_> = mesh
        .destination_rules
        .iter()
        .filter(|rule| {
            rule.spec
                .host
                .as_ref()
                .is_some_and(|named| overlap(&resolve_short_name(&named.value, &rule.id.namespace), host))
        })
        .collect();
    let names: BTreeSet<&str> = rules
        .iter()
        .flat_map(|rule| rule.spec.subsets.iter().flat_map(|subsets| &subsets.value))
        .filter_map(|subset| subset.value.name.as_ref())
        .map(|name| name.value.as_str())
        .collect();
    if names.contains(subset.value.as_str()) {
        return None;
    }
    let severity = facts.ground.absence(Severity::Error, !rules.is_empty())?;
    let message = format!("no DestinationRule of `{host}` has the subset `{}`", subset.value);
    let seen = Observation::new("unknown-destination", &service.id, subset.span, "is not there", message);
    let seen = seen.severity(severity);
    Some(match nearest(&subset.value, names.into_iter()) {
        Some(near) => seen.help(format!("did you mean `{near}`?")),
        None => seen,
    })
}

/// `unknown-destination`: `NAME.NAMESPACE`, with `.svc` or without, which Istio does not complete.
fn half_a_name(
    facts: &Facts<'_>,
    service: &Resource<VirtualService>,
    written: &Spanned<CompactString>,
) -> Option<Observation> {
    let mesh = &facts.world().mesh;
    let short = written.value.strip_suffix(".svc");
    let (name, namespace) = short.unwrap_or(&written.value).split_once('.')?;
    let entry = mesh.service_entries.iter().any(|entry| {
        let mut hosts = entry.spec.hosts.iter().flat_map(|hosts| &hosts.value);
        hosts.any(|known| overlap(&known.value, &written.value))
    });
    if namespace.contains('.') || entry {
        return None;
    }
    // Without `.svc` it may be a name of the world outside, unless the Service is there.
    let known = mesh.service(namespace, name).is_some();
    let others = mesh.services.in_namespace(namespace).next().is_some();
    let severity = if known {
        Severity::Error
    } else {
        facts.ground.absence(Severity::Error, others).filter(|_| short.is_some())?
    };
    let message = format!("`{}` is no host of the mesh: Istio completes no name that has a dot", written.value);
    let seen = Observation::new("unknown-destination", &service.id, written.span, "half a name", message);
    Some(seen.severity(severity).help(format!("write `{}`", service_host(name, namespace))))
}

/// `unbound-host`: no server of a bound gateway admits the host, and `mesh` is not bound.
fn unbound_hosts(facts: &Facts<'_>, service: &Resource<VirtualService>) -> Vec<Observation> {
    let mesh = &facts.world().mesh;
    let names: Vec<String> =
        service.spec.gateways().iter().map(|name| resolve_gateway(&name.value, &service.id.namespace)).collect();
    let known: Vec<_> = names
        .iter()
        .filter_map(|full| full.split_once('/'))
        .filter_map(|(namespace, name)| mesh.gateway(namespace, name))
        .collect();
    if binds_to(service, MESH) || names.is_empty() || known.len() < names.len() {
        return Vec::new();
    }
    let admits = |host: &str| {
        known.iter().any(|gateway| {
            gateway.spec.servers().iter().any(|server| {
                let written: Vec<&str> = server.value.hosts().iter().map(|host| host.value.as_str()).collect();
                let hosts = server_hosts(&written, &gateway.id.namespace);
                names_for_namespace(&hosts, &service.id.namespace).iter().any(|served| overlap(served, host))
            })
        })
    };
    let unbound =
        service.spec.hosts().iter().filter(|host| !admits(&resolve_short_name(&host.value, &service.id.namespace)));
    let seen = unbound.map(|host| {
        let gateways = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let message = format!("no server of {gateways} admits `{}`, so this host is served nowhere", host.value);
        Observation::new("unbound-host", &service.id, host.span, "no server admits it", message)
    });
    seen.collect()
}

/// `refused-configuration`: redirect codes that Envoy does not know.
fn refused_codes(service: &Resource<VirtualService>) -> Vec<Observation> {
    let codes = service.spec.http().iter().filter_map(|route| {
        let code = route.value.redirect.as_ref()?.value.redirect_code.as_ref()?;
        matches!(code.value, 300 | 304 | 305).then_some(code)
    });
    let seen = codes.map(|code| {
        let message = format!("with the redirect code {} Envoy refuses every route of the port", code.value);
        Observation::new("refused-configuration", &service.id, code.span, "is no redirect code", message)
            .help("write 301, 302, 303, 307 or 308")
    });
    seen.collect()
}
