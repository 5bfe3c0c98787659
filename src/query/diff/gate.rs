//! What a chain of a gateway's listener decides, told in terms that mean the same on both sides.

use super::composition::{Way, renamed};
use super::fate::Fate;
use super::lists::Decided;
use super::region::{Gate, Meaning};
use super::token::without_token;
use crate::semantics::{By, Chain, Ending, Forward, Proxy, Route, RoutingProxy, Verdict, World, jwt_filter};
use crate::space::{Dimension, Universe};

/// What a chain of one side decides.
pub(super) fn gate(world: &World, proxy: &RoutingProxy, believed: u32, ways: &mut Vec<Way>) -> Gate {
    let judgement = proxy.judgement(world);
    let mut meanings = Vec::new();
    for verdict in &judgement.verdicts {
        meanings.push(match verdict {
            Verdict::End(ending) => Meaning::End(Fate::of(ending)),
            Verdict::Forward(index) => match proxy.forward(*index) {
                None => Meaning::End(Fate::nothing()),
                Some((_, forward)) => {
                    let way = Way::of(world, proxy, forward);
                    let known = ways.iter().position(|known| *known == way).unwrap_or_else(|| {
                        ways.push(way);
                        ways.len() - 1
                    });
                    Meaning::Way(known)
                }
            },
        });
    }
    // Tokens that the gateway does not look at may pass it and be looked at behind.
    let reads = proxy.chain == Chain::Http;
    let place = Proxy { namespace: &proxy.namespace, labels: &proxy.labels };
    let looks = reads && !jwt_filter(&world.mesh, place).is_empty();
    let list = if looks || !reads { judgement.list } else { without_token(&judgement.list) };
    // The address that counts is the client's own, unless proxies in front are believed.
    let list = if believed > 0 { list } else { renamed(list, &Dimension::RemoteIp, &Dimension::SourceIp) };
    let fates = meanings.iter().map(|_| Fate::nothing()).collect();
    Gate { decided: Decided { list, universe: judgement.universe, fates }, verdicts: judgement.verdicts, meanings }
}

impl Gate {
    /// A listener that is not there.
    pub(super) fn closed() -> Self {
        let decided = Decided::all(Fate::nothing(), Universe::default());
        let nothing = Ending::denied(By::NoListener, None);
        Self { decided, verdicts: vec![Verdict::End(nothing)], meanings: vec![Meaning::End(Fate::nothing())] }
    }

    /// A route of a way.
    pub(super) fn route<'p>(&self, proxy: Option<&'p RoutingProxy>, way: usize) -> Option<(&'p Route, &'p Forward)> {
        let at = self.meanings.iter().position(|meaning| *meaning == Meaning::Way(way))?;
        match self.verdicts.get(at)? {
            Verdict::Forward(index) => proxy?.forward(*index),
            Verdict::End(_) => None,
        }
    }
}
