//! What clients outside reach: by a gateway, and past it.

use std::collections::BTreeSet;

use super::facts::{Facts, Site};
use super::grpc::speaks_grpc;
use super::observation::Observation;
use super::outside::{Opener, leads_in, opener};
use super::spot::Spot;
use crate::matrix::{Crossing, Delivered, Door};
use crate::model::{ObjectId, Resource, Service, workload_in_words};
use crate::semantics::{Chain, Guard, Protocol};
use crate::space::{Cube, Dimension, PathTest, Pattern};
use crate::text::Span;
use crate::yaml::IntOrString;

/// Looks at every workload that a gateway routes to, and at every Service that is dialled from outside.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    let led_to = facts.fronts().led_to();
    let paths = Sensitive::of(facts);
    let mut said: BTreeSet<Span> = BTreeSet::new();
    for site in &facts.sites {
        let Some(workload) = site.workload() else { continue };
        debug_assert!(!facts.world().is_gateway(workload));
        let is_led_to = led_to.contains(&workload.id);
        if is_led_to {
            seen.extend(second_door(facts, site, &mut said));
        }
        for door in site.doors {
            if is_led_to {
                paths.reached(facts, door, &mut said, seen);
            }
            seen.extend(paths.dialled(facts, door, &mut said));
        }
    }
    for service in facts.world().mesh.services.iter().filter(|service| !service.context) {
        seen.extend(internal_port(facts, service));
    }
}

/// `second-door`: what a gateway guards is open past it.
fn second_door(facts: &Facts<'_>, site: &Site<'_>, said: &mut BTreeSet<Span>) -> Option<Observation> {
    let nobody = Cube::default().none(Dimension::Peer, vec![Pattern::Any]);
    let found = site.doors.iter().find_map(|door| {
        let opener = opener(facts.world(), door.workload, door.port.number)?;
        let through = Spot::Door(door).gets_through(&nobody).filter(|_| !opener.context)?;
        Some((opener, through, door))
    });
    let (opener, through, door) = found?;
    if !said.insert(opener.span) {
        return None;
    }
    let who = door.workload.display_name();
    let shown = workload_in_words(&who);
    let message = format!(
        "a gateway routes to {shown}, and {} opens its port {} to the outside past it",
        opener.what, door.port.number
    );
    let mut seen = Observation::new("second-door", opener.object, opener.span, "past the gateway", message);
    seen.workload = Some(who);
    seen.witness = Some(through.request.into());
    Some(seen)
}

/// Paths that are nobody's business outside.
struct Sensitive {
    /// Each with everything below it
    paths: Vec<String>,
    /// The same as a condition
    test: PathTest,
}

/// The paths that are asked about unless the owner lists others.
const PATHS: [&str; 6] = ["/metrics", "/actuator", "/debug", "/admin", "/.env", "/swagger"];

/// Behind how many virtual hosts of one listener it is still asked: each is told from all others for it.
const MANY_HOSTS: usize = 1_000;

impl Sensitive {
    /// Those that the owner lists, else those that are usual.
    fn of(facts: &Facts<'_>) -> Self {
        let listed = facts.world().options.sensitive_paths.clone();
        let paths = listed.unwrap_or_else(|| PATHS.into_iter().map(str::to_owned).collect());
        let patterns = paths
            .iter()
            .flat_map(|path| [Pattern::Exact(path.as_str().into()), Pattern::Prefix(format!("{path}/").into())]);
        let test = PathTest::any(patterns.collect());
        Self { paths, test }
    }

    /// `sensitive-path-exposed`: the routes by which such a path gets to a door, each once.
    fn reached(&self, facts: &Facts<'_>, door: &Door<'_>, said: &mut BTreeSet<Span>, seen: &mut Vec<Observation>) {
        let many = facts.fronts().most_hosts(door) > MANY_HOSTS;
        if self.paths.is_empty() || many || speaks_grpc(facts.world(), door) {
            return;
        }
        // Segments that climb only for the second proxy are what other checks are about.
        let plain = PathTest::none(vec![Pattern::Contains("..;".into())]);
        let sent = Cube { tests: Vec::new(), path: vec![plain] };
        let asked = Crossing { seen: vec![self.test.clone()], sent, ..Crossing::default() };
        for delivery in facts.fronts().delivered(door, &asked) {
            let Delivered::Request(request) = delivery.delivered else { continue };
            let Some(id) = route_owner(facts, delivery.route) else { continue };
            if !said.insert(delivery.route) {
                continue;
            }
            let who = door.workload.display_name();
            let shown = workload_in_words(&who);
            let path = request.path.split('?').next().unwrap_or_default().to_owned();
            let message = format!("{shown} gets paths from outside that are nobody's business there, such as `{path}`");
            let mut found =
                Observation::new("sensitive-path-exposed", id, delivery.route, "lets such a path through", message);
            found.workload = Some(who);
            found.witness = Some(request);
            seen.push(found);
        }
    }
}

impl Sensitive {
    /// `sensitive-path-exposed`: clients outside dial the workload itself, and get such a path. Where a gateway leads there
    /// as well, its second door is what is said.
    fn dialled(&self, facts: &Facts<'_>, door: &Door<'_>, said: &mut BTreeSet<Span>) -> Option<Observation> {
        let world = facts.world();
        // Which paths an Ingress takes is not read.
        let told = |opener: &Opener<'_>| !opener.context && opener.object.kind != "Ingress";
        let opener = opener(world, door.workload, door.port.number).filter(told)?;
        // Who declares bytes serves no paths, and without a proxy no policy could refuse them.
        let judged =
            door.chain == Chain::Http && door.lock.guard == Guard::Sidecar && door.port.protocol != Protocol::Tcp;
        if self.paths.is_empty() || !judged || said.contains(&opener.span) || speaks_grpc(world, door) {
            return None;
        }
        let asked = Cube { tests: Vec::new(), path: vec![self.test.clone()] }.none(Dimension::Peer, vec![Pattern::Any]);
        let spot = Spot::Door(door);
        let through = spot.gets_through(&asked)?;
        said.insert(opener.span);
        let message = format!(
            "{} opens {} to the outside, with paths that are nobody's business there, such as `{}`",
            opener.what,
            workload_in_words(&door.workload.display_name()),
            through.path
        );
        let seen = Observation::new(
            "sensitive-path-exposed",
            opener.object,
            opener.span,
            "opens such a path as well",
            message,
        );
        Some(spot.shown(seen, through))
    }
}

/// The virtual service that a route stands in, unless it is somebody else's.
fn route_owner<'f>(facts: &'f Facts<'_>, route: Span) -> Option<&'f ObjectId> {
    let within = |whole: Span| whole.file == route.file && whole.start <= route.start && route.end <= whole.end;
    let mut services = facts.world().mesh.virtual_services.iter();
    services.find(|service| within(service.span) && !service.context).map(|service| &*service.id)
}

/// Ports of proxies that show what they are made of, with what they serve.
const PROXY_PORTS: [(i64, &str); 4] = [
    (15000, "the proxy's administration"),
    (15004, "the proxy's debugging"),
    (15020, "the proxy's and the application's metrics"),
    (15090, "the proxy's metrics"),
];

/// Ports of the control plane that speak plaintext, with what they serve.
const CONTROL_PORTS: [(i64, &str); 3] = [
    (8080, "the control plane's debugging"),
    (15010, "the control plane's configuration in plaintext"),
    (15014, "the control plane's metrics"),
];

/// `sensitive-path-exposed`: a Service that opens such a port to the outside.
fn internal_port(facts: &Facts<'_>, service: &Resource<Service>) -> Option<Observation> {
    let opener = leads_in(facts.world(), service).filter(|opener| !opener.context)?;
    let labels = service.spec.selector.as_ref()?;
    let control = labels.get("app").is_some_and(|app| app == "istiod");
    let listed = PROXY_PORTS.iter().chain(CONTROL_PORTS.iter().filter(|_| control));
    let found = service.spec.ports().iter().find_map(|port| {
        let target = match &port.value.target_port {
            Some(IntOrString::Int(number)) => Some(*number),
            Some(IntOrString::String(_)) => None,
            None => port.value.port,
        };
        let (number, what) = listed.clone().find(|(number, _)| Some(*number) == target)?;
        Some((port.span, number, what))
    });
    let (span, number, what) = found?;
    let message = format!("{} opens port {number} to the outside, which serves {what}", opener.object);
    let seen = Observation::new("sensitive-path-exposed", &service.id, span, "nobody's business outside", message);
    Some(seen.related(opener.span, "opens it").help("leave the port out of the Service that is dialled from outside"))
}
