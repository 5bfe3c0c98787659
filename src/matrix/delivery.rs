//! What proxies in front deliver to a door: requests that go through both hops.

use super::crossing::{Crossing, Unread, arriving, both, server_names};
use super::door::Door;
use super::front::{Front, Fronts, Lead};
use super::witness::fill;
use crate::semantics::{
    By, Cause, CauseKind, Chain, Decision, Ending, Forward, Guard, Handshake, Judgement, Leg, Passes, Protocol,
    Request, Verdict, WireProtocol,
};
use crate::space::{
    Budget, Cube, DecisionList, Dimension, Excess, Label, PathDomain, Search, TwoHopSearch, partition, through,
};
use crate::text::Span;

/// What a route makes of the requests that were asked about.
#[derive(Debug, Clone)]
pub enum Delivered {
    /// One gets through
    Request(Box<Request>),
    /// It cannot be told
    Unknown(Cause),
}

/// A route that leads to a door.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The route in the text
    pub route: Span,
    /// What it delivers
    pub delivered: Delivered,
}

impl Fronts<'_> {
    /// The deliveries to a door of the requests that are asked about, certain ones first.
    pub fn delivered(&self, door: &Door<'_>, asked: &Crossing) -> Vec<Delivery> {
        let leads = self.leads.get(&(door.workload.id.clone(), door.port.number));
        let delivery = |lead: &Lead| {
            let front = self.listeners.get(lead.front)?;
            let (route, forward) = front.proxy.forward(*lead.routes.first()?)?;
            let asked = &*front.asked_there(asked)?;
            let judgement = front.judgement.get_or_init(|| front.proxy.judgement(self.world));
            let leg = forward.legs.get(lead.leg)?;
            if let Handshake::Unknown(cause) = &lead.handshake {
                return Some(Delivery { route: route.span, delivered: Delivered::Unknown(cause.clone()) });
            }
            let delivered = if forward.passes == Passes::Requests {
                one_route(front, judgement, door, asked, (lead, forward, leg), route.span)?
            } else {
                bytes(front, judgement, door, asked, (lead, forward), route.span)?
            };
            // The route leads to this workload only if it is the one that serves an unknown Service.
            let delivered = match (front.sent(delivered), &lead.supposed) {
                (Delivered::Request(_), Some(cause)) => Delivered::Unknown(cause.clone()),
                (delivered, _) => delivered,
            };
            Some(Delivery { route: route.span, delivered })
        };
        let mut deliveries: Vec<Delivery> = leads.into_iter().flatten().filter_map(delivery).collect();
        deliveries.sort_by_key(|delivery| (matches!(delivery.delivered, Delivered::Unknown(_)), delivery.route));
        deliveries
    }
}

/// What a route of bytes delivers through a door: whatever its policies let in from the gateway, as it was sent.
/// `None`: nothing, proven.
fn bytes(
    front: &Front,
    judgement: &Judgement,
    door: &Door<'_>,
    asked: &Crossing,
    (lead, forward): (&Lead, &Forward),
    span: Span,
) -> Option<Delivered> {
    // Bytes within TLS are no requests to a port that reads them.
    let read = door.chain == Chain::Http && !matches!(door.lock.guard, Guard::Nothing { .. });
    let sealed = forward.passes == Passes::Tls || lead.handshake == Handshake::Sealed;
    let announced = door.port.protocol == Protocol::Sniffed && lead.handshake == Handshake::Identity;
    // Nor are bytes of which the client says that they are none.
    let bytes = front.wire == WireProtocol::Tcp;
    if read && (sealed || announced || bytes) {
        return None;
    }
    let always = judgement.verdicts.iter().all(|verdict| {
        matches!(verdict, Verdict::Forward(route) if lead.takes(*route))
            || matches!(verdict, Verdict::End(Ending { by: Some(By::NoRoute | By::Closed), .. }))
    });
    let unread = || Cause {
        kind: CauseKind::UnmodelledCondition,
        message: "the gateway passes bytes on without reading them".to_owned(),
        span: Some(span),
    };
    let bounds = match asked.unread(front.proxy.asks_for_certificate()) {
        Unread::Nothing => return None,
        Unread::Within(bounds) => bounds,
        Unread::Unknown => return Some(Delivered::Unknown(unread())),
    };
    let mut doubt = None;
    for sender in senders(front, lead, asked.mtls) {
        let peer: Vec<&str> = sender.into_iter().collect();
        let names = forward.legs.get(lead.leg).filter(|_| !peer.is_empty()).map(server_names).unwrap_or_default();
        let list = door.lock.judgement.list.specialise(&Dimension::Peer, &peer);
        // TLS that arrives as such asks for a name that the gateway does not choose.
        let list = if sealed && peer.is_empty() { list } else { list.specialise(&Dimension::Sni, &names) };
        let found = partition(&list, &bounds, &door.lock.judgement.universe, &Budget::default());
        for (label, search) in found.labels() {
            let ending = match door.lock.judgement.verdict(label) {
                Some(Verdict::End(ending)) if ending.decision != Decision::Denied => ending,
                _ => continue,
            };
            match search {
                Search::Empty => {}
                Search::Found(point)
                    if always && ending.decision == Decision::Allowed && forward.passes == Passes::Bytes =>
                {
                    let mut request = Request::at(front.entrypoint());
                    fill(&mut request, &point, door.lock.judgement.universe.path);
                    request.source = None;
                    request.sni = front.proxy.sni_hosts.first().map(|host| host.replace('*', "www"));
                    if door.chain == Chain::Tcp {
                        request.protocol = WireProtocol::Tcp;
                        "/".clone_into(&mut request.path);
                    }
                    return Some(Delivered::Request(Box::new(request)));
                }
                Search::Found(_) => {
                    let cause = ending.cause.as_deref().cloned().unwrap_or_else(unread);
                    doubt.get_or_insert(Delivered::Unknown(cause));
                }
                Search::OutOfBudget { why } => {
                    let cause = Cause { kind: CauseKind::Budget, message: why.to_string(), span: Some(span) };
                    doubt.get_or_insert(Delivered::Unknown(cause));
                }
            }
        }
    }
    doubt
}

/// What one route delivers through a door. `None`: nothing, proven.
fn one_route(
    front: &Front,
    judgement: &Judgement,
    door: &Door<'_>,
    asked: &Crossing,
    (lead, forward, leg): (&Lead, &Forward, &Leg),
    span: Span,
) -> Option<Delivered> {
    let unknown = |why: &Excess| {
        Delivered::Unknown(Cause { kind: CauseKind::Budget, message: why.to_string(), span: Some(span) })
    };
    let maybe =
        judgement.labels(|verdict| matches!(verdict, Verdict::End(Ending { decision: Decision::Undetermined, .. })));
    let taken = judgement.labels(|verdict| matches!(verdict, Verdict::Forward(route) if lead.takes(*route)));
    let via = taken.first().copied();
    let mut doubt: Option<Delivered> = None;
    let first = joined(asked.of(&judgement.list), &taken);
    let bounds = Cube { path: asked.seen.clone(), tests: Vec::new() };
    let universe = &both(judgement, &door.lock.judgement);
    for sender in senders(front, lead, asked.mtls) {
        let second = arriving(&door.lock.judgement, sender, leg);
        // A request that the gateway may refuse or change is no delivery, and no proof that there is none.
        let ways = via.iter().map(|label| (*label, true)).chain(maybe.iter().map(|label| (*label, false)));
        for (label, certain) in ways {
            let found = through(&first, label, &forward.rewrite, &second, &bounds, universe, &Budget::default());
            for (second_label, search) in found {
                let ending = match door.lock.judgement.verdict(second_label) {
                    Some(Verdict::End(ending)) if ending.decision != Decision::Denied => ending,
                    _ => continue,
                };
                match search {
                    TwoHopSearch::Empty => {}
                    TwoHopSearch::Found { first, wire_path, .. } if certain && ending.decision == Decision::Allowed => {
                        let mut request = Request::at(front.entrypoint());
                        fill(&mut request, &first, PathDomain::Raw);
                        let query =
                            request.path.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
                        request.path = format!("{wire_path}{query}");
                        request.source = request.source.filter(|_| front.proxy.asks_for_certificate());
                        return Some(Delivered::Request(Box::new(request)));
                    }
                    TwoHopSearch::Found { .. } => {
                        let cause = match judgement.verdict(label) {
                            Some(Verdict::End(ending)) => ending.cause.clone(),
                            _ => ending.cause.clone(),
                        };
                        if let Some(cause) = cause {
                            doubt.get_or_insert(Delivered::Unknown(*cause));
                        }
                    }
                    TwoHopSearch::OutOfBudget { why } => {
                        doubt.get_or_insert_with(|| unknown(&why));
                    }
                }
            }
        }
    }
    doubt
}

/// A list in which sorted labels are one, the first of them.
fn joined(mut list: DecisionList, labels: &[Label]) -> DecisionList {
    let Some(first) = labels.first().copied() else { return list };
    let one = |label: Label| if labels.binary_search(&label).is_ok() { first } else { label };
    list.default = one(list.default);
    list.rules.iter_mut().for_each(|rule| rule.label = one(rule.label));
    list
}

/// The identities that a gateway may show to a door; none where it speaks plaintext or nobody opens its TLS.
fn senders<'f>(front: &'f Front, lead: &Lead, mtls: Option<bool>) -> Vec<Option<&'f str>> {
    let mut senders = match lead.handshake {
        Handshake::Identity => front.proxy.identities.iter().map(Option::as_deref).collect(),
        Handshake::Plaintext | Handshake::Sealed => vec![None],
        Handshake::Unanswered(_) | Handshake::Refused(_) | Handshake::Unknown(_) => Vec::new(),
    };
    senders.retain(|sender| mtls.is_none_or(|mtls| sender.is_some() == mtls));
    senders
}
