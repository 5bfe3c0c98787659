//! What both sides decide behind their routes, as one list.

use super::change::ChangeKind;
use super::composition::{Behind, product};
use super::fate::Fate;
use super::lists::{self, Decided};
use crate::semantics::Route;
use crate::space::{DecisionList, Dimension, Label, Universe};

/// What is behind the route of one side, if one takes the requests, and what is decided in the end.
pub(super) type SideBehind = (Option<(Behind, Route)>, Decided);

/// The values that can occur in front of doors: a gateway that looks at no tokens lets all of them pass.
pub(super) fn seen_behind(universe: &Universe, sides: [&SideBehind; 2]) -> Universe {
    let mut universe = universe.clone();
    for (_, decided) in sides {
        for (dimension, domain) in &decided.universe.domains {
            let token =
                matches!(dimension, Dimension::Token | Dimension::Issuer | Dimension::Subject | Dimension::Claim(_));
            if token {
                let known = universe.domain(dimension);
                universe.set(dimension.clone(), lists::joint_domain(domain, &known));
            }
        }
    }
    universe
}

/// Fates before and now, and what the change comes to; nothing where the decision is the same.
pub(super) type Pairs = Vec<Option<(Fate, Fate, ChangeKind)>>;

/// The list of both sides whose labels are pairs of fates; all pairs that are no change are one.
pub(super) fn in_pairs(was: &Decided, is: &Decided) -> Result<(DecisionList, Pairs), String> {
    let mut pairs: Pairs = vec![None];
    let list = product(&was.list, &is.list, |before, now| {
        let (Some(before), Some(now)) = (was.fate(before), is.fate(now)) else { return Label::IMPOSSIBLE };
        let Some(kind) = ChangeKind::of(before.decision, now.decision) else { return Label(0) };
        let same = |known: &Option<(Fate, Fate, ChangeKind)>| {
            known.as_ref().is_some_and(|(was, is, _)| was == before && is == now)
        };
        let at = pairs.iter().position(same).unwrap_or_else(|| {
            pairs.push(Some((before.clone(), now.clone(), kind)));
            pairs.len() - 1
        });
        Label(u32::try_from(at).unwrap_or(u32::MAX - 1))
    })?;
    Ok((list, pairs))
}
