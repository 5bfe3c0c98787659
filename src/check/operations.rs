//! Methods and hosts of policies that other requests get past.

use super::evasion::{Chosen, Place, chosen, past};
use super::facts::Facts;
use super::grpc::speaks_grpc;
use super::observation::{Observation, Severity};
use super::spot::{Spot, Through};
use super::value::{Field, Value, values};
use crate::model::workload_in_words;
use crate::semantics::{Chain, Guard};
use crate::space::{Dimension, Pattern};
use crate::yaml::Change;

/// Looks at the operations of every policy.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    seen.extend(facts.at_policies(|policy, seen| {
        let asked = |value: &Value<'_>| matches!(value.field, Field::Method | Field::Host);
        let asked: Vec<Value<'_>> = values(policy).filter(asked).collect();
        if asked.is_empty() {
            return;
        }
        let spots = facts.spots_of(&policy.id);
        for value in &asked {
            seen.extend(method_gap(facts, &spots, value));
            seen.extend(host_without_port(facts, &spots, value));
        }
        seen.extend(host_on_sidecar(facts, &spots, &asked));
    }));
}

/// An observation about a request that gets past a value.
fn evaded(
    rule: &'static str,
    value: &Value<'_>,
    label: &str,
    message: String,
    by: (Through, &Spot<'_, '_>),
) -> Observation {
    let mut seen = Observation::new(rule, &value.policy.id, value.text.span, label, message);
    seen.workload = by.1.door().map(|door| door.workload.display_name());
    seen.witness = Some(by.0.request.into());
    seen
}

/// `method-gap`: GET is refused, and HEAD tells much of the same.
fn method_gap(facts: &Facts<'_>, spots: &[Spot<'_, '_>], value: &Value<'_>) -> Option<Observation> {
    if value.field != Field::Method || value.text.value != "GET" || !value.opens_when_dead() {
        return None;
    }
    // No call of gRPC is a HEAD.
    let calls = |spot: &Spot<'_, '_>| spot.door().is_some_and(|door| speaks_grpc(facts.world(), door));
    let spots: Vec<Spot<'_, '_>> = spots.iter().filter(|spot| !calls(spot)).copied().collect();
    let [get, head] = ["GET", "HEAD"].map(|method| Pattern::Exact(method.into()));
    let by = past(facts, &spots, value, Place::On(&Dimension::Method, &get), &[head])?;
    let message = "`GET` is refused and `HEAD` gets through, which runs the same handler".to_owned();
    Some(evaded("method-gap", value, "without HEAD", message, by).help("write `HEAD` beside it"))
}

/// `host-without-port`: the same host with a port behind it is another value.
fn host_without_port(facts: &Facts<'_>, spots: &[Spot<'_, '_>], value: &Value<'_>) -> Option<Observation> {
    let host = value.text.value.as_str();
    if value.field != Field::Host || host.ends_with('*') || host.contains(':') {
        return None;
    }
    if !value.opens_when_dead() {
        return shut_out(spots, value);
    }
    let (named, other) = match host.strip_prefix('*') {
        Some(suffix) => (Pattern::SuffixIgnoreCase(suffix.into()), format!("www{suffix}:8080")),
        None => (Pattern::ExactIgnoreCase(host.into()), format!("{host}:8080")),
    };
    let instead = Pattern::Exact(other.as_str().into());
    let by = past(facts, spots, value, Place::On(&Dimension::Authority, &named), &[instead])?;
    let message = format!("the authority `{other}` gets past `{host}`: the port is part of what is compared");
    let seen = evaded("host-without-port", value, "without its port", message, by);
    if host.starts_with('*') {
        // Of two stars one would be a letter.
        return Some(seen.help(format!(
            "write `{host}:PORT` beside it for each port that the authority may have, or admit the hosts that are meant"
        )));
    }
    let twin = format!("{host}:*");
    let help = format!("write `{twin}` beside it");
    Some(seen.help(help).fix(Change::Beside(twin), value.effect_of_matching()))
}

/// `host-without-port` in an ALLOW: clients that name the port are refused, where the port is none that they leave out.
fn shut_out(spots: &[Spot<'_, '_>], value: &Value<'_>) -> Option<Observation> {
    let host = value.text.value.as_str();
    let policy = value.policy;
    let odd = spots.iter().find_map(|spot| match spot {
        Spot::Listener(listener) => {
            listener.entrypoint.rsplit(':').next().filter(|port| !matches!(*port, "80" | "443"))
        }
        Spot::Door(_) => None,
    })?;
    // Of two stars one would be a letter.
    let twin = if host.starts_with('*') { format!("{host}:{odd}") } else { format!("{host}:*") };
    if values(policy).any(|other| other.field == Field::Host && other.text.value == twin) {
        return None;
    }
    let message = format!("clients of port {odd} send `{host}:{odd}`, and `{host}` does not match it");
    let seen = Observation::new("host-without-port", &policy.id, value.text.span, "without its port", message);
    let seen = seen.severity(Severity::Warning).help(format!("write `{twin}` beside it"));
    Some(seen.fix(Change::Beside(twin), value.effect_of_matching()))
}

/// `host-policy-on-sidecar`: whoever calls a sidecar chooses the authority, unless only the ingress gateway gets in.
fn host_on_sidecar(facts: &Facts<'_>, spots: &[Spot<'_, '_>], asked: &[Value<'_>]) -> Option<Observation> {
    let guarded = |door: &crate::matrix::Door<'_>| door.lock.guard == Guard::Sidecar && door.chain == Chain::Http;
    let mut hosts = asked.iter().filter(|value| value.field == Field::Host).peekable();
    let site = hosts.peek().and_then(|value| {
        facts.sites_of(&value.policy.id).find(|site| site.workload().is_some() && site.doors.iter().any(guarded))
    })?;
    let new = |value: &Value<'_>, who: &str| {
        let who = workload_in_words(who);
        let message = format!("who calls {who} from inside the mesh writes any host: it tells nothing of the caller");
        Observation::new("host-policy-on-sidecar", &value.policy.id, value.text.span, "chosen by the caller", message)
    };
    hosts.find_map(|value| match chosen(facts, spots, value, &Dimension::Authority) {
        Chosen::Shown(through, spot) => {
            let who = spot.door().map_or_else(|| site.name(), |door| door.workload.display_name());
            Some(spot.shown(new(value, &who), *through))
        }
        Chosen::Never => None,
        Chosen::Untold => {
            let who = site.name();
            let mut seen = new(value, &who);
            seen.workload = Some(who);
            Some(seen)
        }
    })
}
