//! The addresses that policies tell apart.

use std::net::IpAddr;

use crate::model::{PolicyRule, Source, Values};
use crate::semantics::{AttachedPolicies, address_block};

/// The rules of every policy that decides.
fn rules<'a>(attached: &'a AttachedPolicies<'a>) -> impl Iterator<Item = &'a PolicyRule> {
    let policies = attached.allow.iter().chain(&attached.deny).chain(&attached.custom);
    policies.flat_map(|policy| policy.spec.rules()).map(|rule| &rule.value)
}

/// Whether a policy has a condition of this key.
pub(super) fn asks_for(attached: &AttachedPolicies<'_>, key: &str) -> bool {
    let mut conditions = rules(attached).flat_map(|rule| rule.when.iter().flat_map(|when| &when.value));
    conditions.any(|condition| condition.value.key.as_ref().is_some_and(|known| known.value == key))
}

/// The blocks that policies hold an address against, by fields of sources and by a condition.
pub(super) fn blocks(
    attached: &AttachedPolicies<'_>,
    key: &str,
    fields: for<'a> fn(&'a Source) -> [&'a Values; 2],
) -> Vec<ipnet::IpNet> {
    let sources = rules(attached).flat_map(|rule| rule.from.iter().flat_map(|from| &from.value));
    let sources = sources.filter_map(|from| from.value.source.as_ref());
    let by_source = sources.flat_map(|source| fields(&source.value));
    let conditions = rules(attached).flat_map(|rule| rule.when.iter().flat_map(|when| &when.value));
    let asked = conditions.filter(|condition| condition.value.key.as_ref().is_some_and(|known| known.value == key));
    let by_condition = asked.flat_map(|condition| [&condition.value.values, &condition.value.not_values]);
    let values = by_source.chain(by_condition).flatten().flat_map(|list| &list.value);
    values.filter_map(|value| address_block(&value.value)).collect()
}

/// The fields of a source that hold the address of the connection's other end.
pub(super) fn of_connection(source: &Source) -> [&Values; 2] {
    [&source.ip_blocks, &source.not_ip_blocks]
}

/// The fields of a source that hold the address of the client behind all proxies.
fn of_client(source: &Source) -> [&Values; 2] {
    [&source.remote_ip_blocks, &source.not_remote_ip_blocks]
}

/// One address for each set of blocks that an address can lie in: of either family one that no block holds, if there is
/// one, and those at the ends of the blocks and beside them.
pub(super) fn addresses_told_apart(attached: &AttachedPolicies<'_>, remote_too: bool) -> Vec<IpAddr> {
    let mut found = blocks(attached, "source.ip", of_connection);
    if remote_too {
        found.extend(blocks(attached, "remote.ip", of_client));
    }
    let mut candidates = vec![IpAddr::from([203, 0, 113, 7]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7])];
    for block in &found {
        let (first, last) = (block.network(), block.broadcast());
        candidates.extend([Some(first), Some(last), step(first, false), step(last, true)].into_iter().flatten());
    }
    let mut known: Vec<Vec<bool>> = Vec::new();
    candidates.retain(|address| {
        let mut signature: Vec<bool> = found.iter().map(|block| block.contains(address)).collect();
        signature.push(address.is_ipv4());
        let new = !known.contains(&signature);
        if new {
            known.push(signature);
        }
        new
    });
    candidates
}

/// The next or the previous address, if there is one.
fn step(address: IpAddr, up: bool) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => {
            let number = u32::from(address);
            let next = if up { number.checked_add(1) } else { number.checked_sub(1) };
            next.map(|number| IpAddr::V4(number.into()))
        }
        IpAddr::V6(address) => {
            let number = u128::from(address);
            let next = if up { number.checked_add(1) } else { number.checked_sub(1) };
            next.map(|number| IpAddr::V6(number.into()))
        }
    }
}
