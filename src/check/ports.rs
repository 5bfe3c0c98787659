//! Ports: which are there, what they speak, and what of a policy exists on them.

use super::facts::{Facts, Site};
use super::observation::{Effect, Observation, Severity};
use super::spot::Spot;
use super::value::{Field, Value, values, values_of};
use crate::matrix::Door;
use crate::model::{
    Action, AuthorizationPolicy, MtlsMode, PeerAuthentication, PolicyRule, Resource, Workload, workload_in_words,
};
use crate::semantics::{Chain, Guard, Protocol, ServerKind, World, selects, target_port, workload_ports};
use crate::space::{Cube, Dimension, Pattern};
use crate::text::{Span, Spanned};
use crate::yaml::Change;

/// Looks at every policy that names ports or asks for what only HTTP has.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for policy in facts.own_policies() {
        for value in values(policy).filter(|value| is_port(value)) {
            seen.extend(impossible_port(facts, &value));
        }
        for rule in policy.spec.rules() {
            seen.extend(http_on_tcp(facts, policy, rule).or_else(|| http_on_passthrough(facts, policy, rule)));
        }
    }
    for policy in facts.world().mesh.peer_authentications.iter().filter(|policy| !policy.context) {
        seen.extend(mtls_on_service_port(facts, policy));
    }
    undeclared(facts, seen);
}

/// Whether a value is a port.
fn is_port(value: &Value<'_>) -> bool {
    matches!(value.field, Field::Port | Field::Condition("destination.port"))
}

/// The port of the pods behind a port of a Service that selects a workload.
fn behind_service_port(world: &World, workload: &Workload, port: u16) -> Option<u16> {
    let services = world.services_of(workload);
    let ports = services.flat_map(|service| service.spec.ports());
    ports
        .filter(|known| known.value.port == Some(i64::from(port)))
        .find_map(|known| target_port(&known.value, workload))
}

/// The port of the pods behind a port of a Service, if it is one and the same for all of some workloads.
fn only_one_behind(world: &World, workloads: &[&Workload], port: u16) -> Option<u16> {
    let mut behind = workloads.iter().map(|workload| behind_service_port(world, workload, port));
    let first = behind.next()??;
    behind.all(|other| other == Some(first)).then_some(first)
}

/// Whether a workload listens on a port, as far as the input tells. One that is only implied is taken to listen on
/// whatever policies name.
fn listens(world: &World, workload: &Workload, port: u16) -> bool {
    let behind = behind_service_port(world, workload, port);
    if workload.implied {
        let targets = world.services_of(workload).flat_map(|service| service.spec.ports());
        let mut targets = targets.filter_map(|known| target_port(&known.value, workload));
        return behind.is_none_or(|behind| behind == port) || targets.any(|target| target == port);
    }
    workload_ports(world, workload).iter().any(|known| known.number == port)
}

/// Whether a policy rule names a port already.
fn names_port(value: &Value<'_>, port: u16) -> bool {
    let text = port.to_string();
    let others = values_of(value.policy, value.rule).filter(is_port);
    others.into_iter().any(|other| other.text.value == text)
}

/// `impossible-port`: nothing of what the policy selects listens there.
fn impossible_port(facts: &Facts<'_>, value: &Value<'_>) -> Option<Observation> {
    let world = facts.world();
    let port: u16 = value.text.value.parse().ok()?;
    let mut sites = facts.sites_of(&value.policy.id).peekable();
    let workloads: Vec<&Workload> = sites.by_ref().map_while(Site::workload).collect();
    let gateways = facts.sites_of(&value.policy.id).any(|site| site.gateway().is_some());
    let told = |workload: &&Workload| !workload_ports(world, workload).is_empty();
    if workloads.is_empty() || gateways || !workloads.iter().all(told) {
        return None;
    }
    if workloads.iter().any(|workload| listens(world, workload, port)) {
        return None;
    }
    let behind = workloads.iter().find_map(|workload| behind_service_port(world, workload, port));
    let who = workloads.first().map(|workload| workload_in_words(&workload.display_name())).unwrap_or_default();
    let new = |message: String| {
        Observation::new("impossible-port", &value.policy.id, value.text.span, "not a port of the pod", message)
    };
    // A list of several ports may be meant to have both.
    let only = only_one_behind(world, &workloads, port).filter(|behind| !names_port(value, *behind));
    Some(match behind {
        Some(behind) => {
            let seen = new(format!("{port} is the port of the Service: the pods of {who} listen on {behind}"))
                .help(format!("write `{behind}`"));
            let effect = only.and_then(|_| value.effect_of_matching());
            show_meant_port(facts, value, seen, behind).fix(Change::Instead(behind.to_string()), effect)
        }
        None if value.negated => return None,
        None => new(format!("{who} is not known to listen on port {port}")).severity(Severity::Warning),
    })
}

/// Shows a request that a DENY means by the port of a Service, at the port behind it.
fn show_meant_port(facts: &Facts<'_>, value: &Value<'_>, seen: Observation, behind: u16) -> Observation {
    if value.policy.spec.action() != Action::Deny || value.negated {
        return seen;
    }
    let mut meant = value.rule.value.clone();
    let operations = meant.to.iter_mut().flat_map(|to| &mut to.value).filter_map(|to| to.value.operation.as_mut());
    let ports = operations.filter_map(|operation| operation.value.ports.as_mut());
    let conditions = meant.when.iter_mut().flat_map(|when| &mut when.value);
    let conditions = conditions.filter_map(|condition| condition.value.values.as_mut());
    for port in ports.chain(conditions).flat_map(|list| &mut list.value) {
        if port.span == value.text.span {
            port.value = behind.to_string().into();
        }
    }
    let spots = facts.spots_of(&value.policy.id);
    let mut guarded = spots.iter().filter(|spot| spot.is_guarded() && spot.door().is_some());
    let through = |spot: &Spot<'_, '_>| {
        let cubes = spot.cubes_if(facts.world(), value.policy, &meant);
        cubes.into_iter().find_map(|cube| spot.gets_through(&cube))
    };
    match guarded.find_map(|spot| Some((through(spot)?, spot))) {
        Some((through, spot)) => spot.shown(seen, through),
        None => seen,
    }
}

/// `port-mtls-on-service-port`: the mode of a port that no pod listens on.
fn mtls_on_service_port(facts: &Facts<'_>, policy: &Resource<PeerAuthentication>) -> Vec<Observation> {
    let world = facts.world();
    let labels = policy.spec.selector.as_ref().and_then(|selector| selector.value.match_labels.as_ref());
    let workloads: Vec<&Workload> = world
        .workloads_in(&policy.id.namespace)
        .iter()
        .map(AsRef::as_ref)
        .filter(|workload| selects(labels, &workload.labels))
        .collect();
    let modes = policy.spec.port_level_mtls.iter().flat_map(|ports| &ports.value);
    let named = |port: u16| modes.clone().any(|(key, _)| key.value == port.to_string());
    let wrong = modes.clone().filter_map(|(key, mode)| {
        let port: u16 = key.value.parse().ok()?;
        if workloads.iter().any(|workload| listens(world, workload, port)) {
            return None;
        }
        let behind = workloads.iter().find_map(|workload| behind_service_port(world, workload, port))?;
        let message = format!("{port} is the port of the Service: the mode of the pods' port {behind} stays as it was");
        let mut seen =
            Observation::new("port-mtls-on-service-port", &policy.id, key.span, "not a port of the pod", message);
        if mode.mode.as_ref().is_some_and(|mode| mode.value == MtlsMode::Strict) {
            seen = show_plaintext(facts, seen, &workloads, Some(behind));
        }
        let only = only_one_behind(world, &workloads, port).filter(|behind| !named(*behind));
        let effect = only.and_then(|_| effect_of_mode(mode.mode.as_ref()?.value));
        Some(seen.help(format!("write `{behind}`")).fix(Change::Instead(behind.to_string()), effect))
    });
    wrong.collect()
}

/// Shows a request in plaintext that gets in at some workloads, at one of their ports or at any.
pub(super) fn show_plaintext(
    facts: &Facts<'_>,
    seen: Observation,
    workloads: &[&Workload],
    port: Option<u16>,
) -> Observation {
    let nobody = Cube::default().none(Dimension::Peer, vec![Pattern::Any]);
    let doors = workloads.iter().filter_map(|workload| facts.site_of(workload)).flat_map(|site| site.doors);
    let mut spots = doors.filter(|door| port.is_none_or(|port| door.port.number == port)).map(Spot::Door);
    match spots.find_map(|spot| Some((spot.gets_through(&nobody).filter(|_| spot.is_guarded())?, spot))) {
        Some((through, spot)) => spot.shown(seen, through),
        None => seen,
    }
}

/// What it does to access that a mode begins to act. `None`: nothing, or both that some get in and that others do not.
fn effect_of_mode(mode: MtlsMode) -> Option<Effect> {
    match mode {
        MtlsMode::Strict => Some(Effect::Closes),
        MtlsMode::Permissive => Some(Effect::Opens),
        MtlsMode::Disable | MtlsMode::Unset => None,
    }
}

/// Whether a value exists on HTTP chains alone.
fn is_http(value: &Value<'_>) -> bool {
    matches!(value.field, Field::RequestPrincipal | Field::Host | Field::Method | Field::Path)
        || matches!(value.field, Field::Condition(key) if key.starts_with("request."))
}

/// The first value of a rule that only HTTP has, and whether the rule names ports.
fn http_field<'p>(
    policy: &'p Resource<AuthorizationPolicy>,
    rule: &'p Spanned<PolicyRule>,
) -> Option<(Value<'p>, bool)> {
    let own = values_of(policy, rule);
    let first = own.clone().find(is_http)?;
    Some((first, own.clone().any(|value| is_port(&value))))
}

/// `http-field-on-tcp-port`: an ALLOW rule is no rule there, a DENY refuses the whole port.
fn http_on_tcp(
    facts: &Facts<'_>,
    policy: &Resource<AuthorizationPolicy>,
    rule: &Spanned<PolicyRule>,
) -> Option<Observation> {
    let (value, named) = http_field(policy, rule)?;
    let guarded = |door: &&Door<'_>| door.lock.guard == Guard::Sidecar;
    let doors: Vec<&Door<'_>> = facts.sites_of(&policy.id).flat_map(|site| site.doors).filter(guarded).collect();
    let wanted: Vec<u16> = values_of(policy, rule)
        .filter(|value| value.field == Field::Port && !value.negated)
        .filter_map(|value| value.text.value.parse().ok())
        .collect();
    let meant = |door: &&&Door<'_>| wanted.is_empty() || wanted.contains(&door.port.number);
    let mut tcp = doors.iter().filter(meant).filter(|door| door.port.protocol == Protocol::Tcp && door.port.by_service);
    let others = doors.iter().filter(meant).any(|door| door.port.protocol != Protocol::Tcp);
    let door = tcp.next()?;
    let who = format!("port {} of {}", door.port.number, workload_in_words(&door.workload.display_name()));
    let message = match policy.spec.action() {
        Action::Allow if !others => format!("{who} speaks TCP, where this rule does not exist: it admits nobody"),
        Action::Deny if !named || !others => {
            format!("{who} speaks TCP, where this rule has nothing to ask: it refuses every connection")
        }
        Action::Allow | Action::Deny | Action::Custom | Action::Audit => return None,
    };
    let mut seen = Observation::new("http-field-on-tcp-port", &policy.id, value.text.span, "only HTTP has it", message);
    seen.workload = Some(door.workload.display_name());
    Some(seen.help("name the port's protocol in the Service if it is HTTP, else ask for callers and ports"))
}

/// `http-policy-on-passthrough`: the gateway sees bytes within TLS.
fn http_on_passthrough(
    facts: &Facts<'_>,
    policy: &Resource<AuthorizationPolicy>,
    rule: &Spanned<PolicyRule>,
) -> Option<Observation> {
    let (value, named) = http_field(policy, rule)?;
    let action = policy.spec.action();
    if named || !matches!(action, Action::Allow | Action::Deny) {
        return None;
    }
    let world = facts.world();
    let server = facts.sites_of(&policy.id).filter_map(Site::gateway).find_map(|gateway| {
        let gateways = world.mesh.gateways.iter().filter(|known| gateway.gateways.contains(&known.id));
        let servers: Vec<Span> = gateways
            .flat_map(|known| known.spec.servers())
            .filter(|server| ServerKind::of(&server.value) == ServerKind::Passthrough)
            .map(|server| server.value.tls.as_ref().map_or(server.span, |tls| tls.span))
            .collect();
        servers.first().copied()
    })?;
    let comes = if action == Action::Allow { "admits nobody" } else { "refuses every connection" };
    let message = format!("the gateway passes TLS through and sees no request: there this rule {comes}");
    let seen = Observation::new("http-policy-on-passthrough", &policy.id, value.text.span, "only HTTP has it", message);
    Some(
        seen.related(server, "passes TLS through")
            .help("ask for `connection.sni`, or name the ports that the rule is meant for"),
    )
}

/// `undeclared-protocol`: what a port speaks is guessed from its first bytes, and policies read it either way.
fn undeclared(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let world = facts.world();
    let mut said: Vec<Span> = Vec::new();
    for site in &facts.sites {
        let sniffed: Vec<u16> = site
            .doors
            .iter()
            .filter(|door| door.port.protocol == Protocol::Sniffed && door.port.by_service && door.chain == Chain::Http)
            .filter(|door| door.lock.guard == Guard::Sidecar)
            .map(|door| door.port.number)
            .collect();
        if sniffed.is_empty() {
            continue;
        }
        let acting = site.attached.deny.iter().chain(&site.attached.allow).chain(&site.attached.custom);
        let http = |policy: &&Resource<AuthorizationPolicy>| values(policy).any(|value| is_http(&value));
        let Some((workload, policy)) = site.workload().zip(acting.copied().find(http)) else { continue };
        for service in world.services_of(workload).filter(|service| !service.context) {
            for port in service.spec.ports() {
                let here = target_port(&port.value, workload).is_some_and(|target| sniffed.contains(&target));
                if here && !said.contains(&port.span) {
                    said.push(port.span);
                    let message = format!(
                        "what {} speaks is guessed, and {} asks for what only HTTP has",
                        workload_in_words(&workload.display_name()),
                        policy.id
                    );
                    let mut found =
                        Observation::new("undeclared-protocol", &service.id, port.span, "no protocol", message)
                            .related(policy.name_span, "asks for requests");
                    found.workload = Some(workload.display_name());
                    seen.push(found);
                }
            }
        }
    }
}
