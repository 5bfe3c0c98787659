//! Requests that a gateway lets pass, followed to the workload behind it.

use super::facts::{Facts, Site};
use super::spot::{Spot, Through};
use crate::matrix::{Crossing, Door, Way};
use crate::semantics::{Chain, Target};
use crate::space::Cube;

/// Where a way leads, if a workload of the input or an implied one reads requests there.
pub(super) fn led_to<'f, 'w>(facts: &'f Facts<'w>, way: &Way<'_>) -> Option<(&'f Site<'w>, &'f Door<'w>)> {
    let Target::Workload { workload, port, .. } = &way.leg.target else { return None };
    let site = facts.site_of(workload)?;
    let door = site.doors.iter().find(|door| door.port.number == port.number && door.chain == Chain::Http)?;
    Some((site, door))
}

/// By how many ways of a listener it is tried to get to a workload.
const MANY_WAYS: usize = 50;

/// A request within a cube that gets through at a place for certain: at a listener, if there is one, such a one that the
/// workload behind lets in as well.
pub(super) fn all_the_way(facts: &Facts<'_>, spot: &Spot<'_, '_>, within: &Cube) -> Option<Through> {
    let through = spot.gets_through(within)?;
    let Spot::Listener(listener) = spot else { return Some(through) };
    let asked = Crossing { sent: within.clone(), ..Crossing::default() };
    let across = Way::all(&listener.proxy, listener.judgement()).take(MANY_WAYS).find_map(|way| {
        let (_, door) = led_to(facts, &way)?;
        let across = way.gets_in(facts.world(), door, &asked, &[], |_| true).filter(|across| !across.supposed)?;
        Some(Through { request: way.witness(&listener.entrypoint, &across), path: across.wire_path, ending: None })
    });
    across.or(Some(through))
}

/// A request that gets in at a place for certain, from nobody if there is such a one.
pub(super) fn lets_in(facts: &Facts<'_>, spot: &Spot<'_, '_>) -> Option<Through> {
    match spot {
        Spot::Door(_) => spot.lets_in(),
        Spot::Listener(_) => all_the_way(facts, spot, &Cube::default()),
    }
}
