//! What a chain of a gateway's listener decides, told in terms that mean the same on both sides.

use super::composition::Sender;
use super::fate::Fate;
use super::joint::renamed;
use super::lists::Decided;
use super::region::{Gate, Meaning};
use super::way::{Way, Ways};
use crate::semantics::{By, Chain, Ending, Forward, Route, RoutingProxy, Verdict, WireProtocol};
use crate::space::{Dimension, Universe};

/// A chain of a listener, and how many proxies in front of it are believed.
pub(super) type Served = (RoutingProxy, u32);

/// What a chain of one side decides, of whose proxies in front so many are believed.
/// Routes that nobody asks for are told apart no further.
pub(super) fn gate(sender: &Sender<'_>, believed: u32, asked: &dyn Fn(&Forward) -> bool, ways: &mut Ways) -> Gate {
    let Sender { world, proxy, filter, tokens, wire, by_client } = *sender;
    let judgement = proxy.judgement(world);
    // Bytes that are no HTTP are no request to a proxy that reads them.
    let unread = wire == WireProtocol::Tcp && proxy.chain == Chain::Http && proxy.unknown.is_none();
    let mut meaning = |verdict: &Verdict| match verdict {
        _ if unread => Meaning::End(Fate::of(&Ending::denied(By::BadRequest, None))),
        Verdict::End(ending) => Meaning::End(Fate::of(ending)),
        Verdict::Forward(index) => match proxy.forward(*index) {
            None => Meaning::End(Fate::nothing()),
            Some((_, forward)) if !asked(forward) => Meaning::End(Fate::nothing()),
            Some((_, forward)) => Meaning::Way(ways.number(Way::of(world, proxy, forward, by_client))),
        },
    };
    let meanings: Vec<Meaning> = judgement.verdicts.iter().map(&mut meaning).collect();
    let list = tokens.asked(tokens.of_proxy(&judgement.list, filter));
    // The address that counts is the client's own, unless proxies in front are believed.
    let list = if believed > 0 { list } else { renamed(list, &Dimension::RemoteIp, &Dimension::SourceIp) };
    let mut universe = judgement.universe;
    tokens.restrict(&mut universe);
    let fates = meanings.iter().map(|_| Fate::nothing()).collect();
    Gate { decided: Decided { list, universe, fates }, verdicts: judgement.verdicts, meanings }
}

impl Gate {
    /// A listener that is not there.
    pub(super) fn closed() -> Self {
        let decided = Decided::all(Fate::nothing(), Universe::default());
        let nothing = Ending::denied(By::NoListener, None);
        Self { decided, verdicts: vec![Verdict::End(nothing)], meanings: vec![Meaning::End(Fate::nothing())] }
    }

    /// A route of a way.
    pub(super) fn route<'p>(&self, proxy: &'p RoutingProxy, way: usize) -> Option<(&'p Route, &'p Forward)> {
        let at = self.meanings.iter().position(|meaning| *meaning == Meaning::Way(way))?;
        match self.verdicts.get(at)? {
            Verdict::Forward(index) => proxy.forward(*index),
            Verdict::End(_) => None,
        }
    }
}
