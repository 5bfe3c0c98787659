//! Servers of gateways: what they let in, and beside what.

use std::collections::{BTreeSet, HashMap};

use super::beside::Served;
use super::facts::Facts;
use super::observation::{Observation, Severity};
use crate::model::{Gateway, ObjectId, Resource, Server, TlsMode, Workload};
use crate::semantics::{Membership, ServerKind, World, is_subset, overlap, selects, server_hosts};
use crate::text::{Span, Spanned};

/// A server of a Gateway.
type Placed<'w> = (&'w Resource<Gateway>, &'w Spanned<Server>);

/// Looks at every server of every Gateway, and at those beside it.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let mesh = &facts.world().mesh;
    for gateway in mesh.gateways.iter().filter(|gateway| !gateway.context) {
        seen.extend(without_workload(facts, gateway));
        for server in gateway.spec.servers() {
            seen.extend(wildcard(gateway, server));
            seen.extend(auto_passthrough(gateway, server));
        }
    }
    for site in &facts.sites {
        let Some(workload) = site.gateway() else { continue };
        let gateways = mesh.gateways.iter().filter(|gateway| workload.gateways.contains(&gateway.id));
        let servers: Vec<Placed<'_>> =
            gateways.flat_map(|gateway| gateway.spec.servers().iter().map(move |server| (gateway, server))).collect();
        pairs(&Served { facts, site }, &servers, seen);
    }
    seen.sort_by(|a, b| (a.label.span, a.rule, &a.message).cmp(&(b.label.span, b.rule, &b.message)));
    seen.dedup_by(|a, b| (a.label.span, a.rule) == (b.label.span, b.rule));
}

/// A host of a server without its namespace.
fn name(host: &str) -> &str {
    host.rsplit('/').next().unwrap_or(host)
}

/// The place of a server's TLS mode, else of its port.
fn tls_span(server: &Spanned<Server>) -> Span {
    let tls = server.value.tls.as_ref();
    let mode = tls.and_then(|tls| tls.value.mode.as_ref().map(|mode| mode.span)).or(tls.map(|tls| tls.span));
    mode.or(server.value.port.as_ref().map(|port| port.span)).unwrap_or(server.span)
}

/// `wildcard-gateway-host`: whatever host a virtual service of any namespace asks for.
fn wildcard(gateway: &Resource<Gateway>, server: &Spanned<Server>) -> Option<Observation> {
    let host = server.value.hosts().iter().find(|host| matches!(host.value.as_str(), "*" | "*/*"))?;
    let message = format!("{} serves any host that some virtual service of some namespace claims", gateway.id);
    Some(Observation::new("wildcard-gateway-host", &gateway.id, host.span, "any host", message))
}

/// `auto-passthrough`: no policy of the gateway is asked.
fn auto_passthrough(gateway: &Resource<Gateway>, server: &Spanned<Server>) -> Option<Observation> {
    (server.value.tls_mode() == Some(TlsMode::AutoPassthrough)).then(|| {
        let message = format!("{} passes connections on by server name, and no policy of it is asked", gateway.id);
        Observation::new("auto-passthrough", &gateway.id, tls_span(server), "past its policies", message)
    })
}

/// `gateway-without-workload`: no pod has the labels, or those that do are no gateways.
fn without_workload(facts: &Facts<'_>, gateway: &Resource<Gateway>) -> Option<Observation> {
    let world = facts.world();
    let selector = gateway.spec.selector.as_ref().filter(|selector| !selector.value.is_empty())?;
    let new = |label: &str, message: String| {
        Observation::new("gateway-without-workload", &gateway.id, selector.span, label, message)
    };
    let mut picked =
        world.mesh.workloads.iter().filter(|workload| selects(Some(&selector.value), &workload.labels)).peekable();
    if let Some(first) = picked.peek().copied() {
        let message =
            format!("{} is served by no gateway: `{}` has no proxy of that kind", gateway.id, first.display_name());
        let none = picked.all(|workload| is_no_gateway(world, workload));
        return none.then(|| new("picks no gateway", message).related(first.name_span, "has these labels"));
    }
    // Others of their kind: pods that serve other Gateways.
    let others = world.gateway_workloads.iter().any(|known| known.object.is_some());
    let severity = facts.ground.absence(Severity::Warning, others)?;
    let labels = selector.value.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
    let message = format!("{} is served by no pod: none has `{labels}`", gateway.id);
    Some(new("picks no pod", message).severity(severity))
}

/// Whether a pod has a sidecar or no proxy at all, as far as the input says so: one of a gateway has its own container
/// for the proxy, or asks for it by the template.
fn is_no_gateway(world: &World, workload: &Workload) -> bool {
    let asks = workload.annotation("inject.istio.io/templates").is_some();
    !workload.proxy_container && !asks && world.membership(workload) != Membership::Assumed
}

/// What is wrong between two servers of one workload.
fn pairs(served: &Served<'_, '_>, servers: &[Placed<'_>], seen: &mut Vec<Observation>) {
    for (one, other) in rivals(servers) {
        for (one, other) in [(one, other), (other, one)] {
            seen.extend(mutual_behind_simple(served, one, other));
            seen.extend(plaintext_twin(served, one, other));
        }
        if one.0.id != other.0.id {
            seen.extend(overlapping(one, other));
        }
        seen.extend(twin_server_names(one, other));
    }
}

/// The pairs of servers, in order, that may have a host in common: one that both name, or a wildcard of one of them.
fn rivals<'w>(servers: &[Placed<'w>]) -> Vec<(Placed<'w>, Placed<'w>)> {
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut wide: Vec<usize> = Vec::new();
    for (place, (_, server)) in servers.iter().enumerate() {
        let names: BTreeSet<&str> = server.value.hosts().iter().map(|host| name(&host.value)).collect();
        if names.iter().any(|name| name.starts_with('*')) {
            wide.push(place);
        }
        for name in names {
            by_name.entry(name).or_default().push(place);
        }
    }
    let pair = |place: usize| {
        let one = servers.get(place).copied()?;
        let sharing = one.1.value.hosts().iter().filter_map(|host| by_name.get(name(&host.value)));
        let mut others: BTreeSet<usize> = sharing.flatten().chain(&wide).copied().collect();
        if wide.binary_search(&place).is_ok() {
            others.extend(0..servers.len());
        }
        let later = others.split_off(&(place + 1));
        Some(later.into_iter().filter_map(move |other| Some((one, servers.get(other).copied()?))))
    };
    (0..servers.len()).filter_map(pair).flatten().collect()
}

/// `mutual-host-behind-simple`: the server name of one and the authority of the other.
fn mutual_behind_simple(served: &Served<'_, '_>, simple: Placed<'_>, mutual: Placed<'_>) -> Option<Observation> {
    let https = |server: &Server| ServerKind::of(server) == ServerKind::Https;
    let (one, other) = (&simple.1.value, &mutual.1.value);
    let demands = matches!(other.tls_mode(), Some(TlsMode::Mutual | TlsMode::IstioMutual));
    if !https(one)
        || !https(other)
        || one.number() != other.number()
        || one.tls_mode() != Some(TlsMode::Simple)
        || !demands
    {
        return None;
    }
    let wide = one.hosts().iter().find(|host| {
        let narrow = other
            .hosts()
            .iter()
            .any(|narrow| narrow.value != host.value && is_subset(name(&narrow.value), name(&host.value)));
        name(&host.value).starts_with('*') && narrow
    })?;
    let narrow = other.hosts().iter().find(|narrow| is_subset(name(&narrow.value), name(&wide.value)))?;
    let passing = served.beside(name(&narrow.value), (one, name(&wide.value)), (other, name(&narrow.value)));
    if mutual.0.context || passing.is_never() {
        return None;
    }
    let message = format!(
        "who names another host of `{}` in TLS shows no certificate and may still ask for `{}`",
        name(&wide.value),
        name(&narrow.value)
    );
    let seen =
        Observation::new("mutual-host-behind-simple", &mutual.0.id, narrow.span, "asks for a certificate", message);
    Some(passing.shown(seen.related(wide.span, "this host covers it, without a certificate")))
}

/// `plaintext-twin`: the same host in plaintext, without a redirect.
fn plaintext_twin(served: &Served<'_, '_>, plain: Placed<'_>, tls: Placed<'_>) -> Option<Observation> {
    let (one, other) = (&plain.1.value, &tls.1.value);
    if ServerKind::of(one) != ServerKind::Http
        || ServerKind::of(other) != ServerKind::Https
        || one.https_redirect()
        || plain.0.context
    {
        return None;
    }
    let both = one.hosts().iter().flat_map(|host| other.hosts().iter().map(move |twin| (host, twin)));
    let mut both = both.filter(|(host, twin)| is_subset(name(&twin.value), name(&host.value)));
    let (host, twin, passing) = both.find_map(|(host, twin)| {
        let passing = served.beside(name(&twin.value), (one, ""), (other, name(&twin.value)));
        // A wildcard serves the host only where a route for it is known.
        let same = name(&host.value) == name(&twin.value);
        (passing.is_shown() || same && !passing.is_never()).then_some((host, twin, passing))
    })?;
    let message =
        format!("`{}` is served over HTTPS, and in plaintext on port {} as well", name(&twin.value), one.number());
    let seen = Observation::new("plaintext-twin", &plain.0.id, host.span, "in plaintext", message);
    let seen =
        seen.related(twin.span, "over HTTPS").help("add `tls: {httpsRedirect: true}` to the server in plaintext");
    Some(passing.shown(seen))
}

/// `overlapping-gateways`: two Gateways want one host of one port.
fn overlapping(one: Placed<'_>, other: Placed<'_>) -> Option<Observation> {
    let (older, younger) = (&one.1.value, &other.1.value);
    let same = older.number() == younger.number() && older.bind == younger.bind && !other.0.context;
    let both = younger.hosts().iter().find_map(|host| {
        let known = older.hosts().iter().find(|known| {
            overlap(name(&known.value), name(&host.value)) && name(&known.value) != "*" && name(&host.value) != "*"
        })?;
        Some((host, known))
    });
    let (host, known) = both.filter(|_| same)?;
    let id: &ObjectId = &other.0.id;
    let message = format!(
        "{} and {} both serve `{}` on port {} of one gateway",
        one.0.id,
        id,
        name(&host.value),
        younger.number()
    );
    let seen = Observation::new("overlapping-gateways", id, host.span, "served by another Gateway, too", message);
    Some(seen.related(known.span, "the other"))
}

/// `refused-configuration`: two servers of one port that end TLS for one server name. Hosts that are written alike lose
/// the port to each other; written with and without their namespace both get a filter chain, and Envoy takes no two
/// chains that match alike.
fn twin_server_names(one: Placed<'_>, other: Placed<'_>) -> Option<Observation> {
    let (older, younger) = (&one.1.value, &other.1.value);
    let ends_tls = |server: &Server| matches!(ServerKind::of(server), ServerKind::Https | ServerKind::TlsBytes);
    let bound = |server: &Server| server.bind.as_ref().is_some_and(|bind| !bind.is_empty());
    if !ends_tls(older) || !ends_tls(younger) || older.number() != younger.number() || bound(older) || bound(younger) {
        return None;
    }
    let hosts = |(gateway, server): Placed<'_>| {
        let written: Vec<&str> = server.value.hosts().iter().map(|host| host.value.as_str()).collect();
        server_hosts(&written, &gateway.id.namespace)
    };
    let (first, second) = (hosts(one), hosts(other));
    // One Gateway's servers of one port name are one route table, of which the second is dropped.
    let port_name =
        |server: &Server| server.port.as_ref().and_then(|port| Some(port.value.name.as_ref()?.value.clone()));
    let dropped = one.0.id == other.0.id && port_name(older) == port_name(younger);
    if dropped || other.0.context || second.iter().any(|host| first.contains(host)) {
        return None;
    }
    let host = younger
        .hosts()
        .iter()
        .find(|host| first.iter().any(|known| name(known).eq_ignore_ascii_case(name(&host.value))))?;
    let known = older.hosts().iter().find(|known| name(&known.value).eq_ignore_ascii_case(name(&host.value)));
    let message = format!(
        "two servers of port {} end TLS for `{}`: Envoy refuses the whole port",
        younger.number(),
        name(&host.value)
    );
    let seen = Observation::new("refused-configuration", &other.0.id, host.span, "a second time", message)
        .help("serve the host in one server");
    Some(match known {
        Some(known) => seen.related(known.span, "the first"),
        None => seen,
    })
}
