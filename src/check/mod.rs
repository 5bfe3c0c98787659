//! Checks: what is wrong beside the statements over cells. One module for each kind of trap; each asks the
//! semantics and the matrix where an effect decides, and the text for the place. No words of rule files, no
//! severities but those that differ from them.

mod addresses;
mod authorizer;
mod beside;
mod delegates;
mod doors;
mod doubt;
mod effect;
mod enforcement;
mod evasion;
mod facts;
mod forwarded_headers;
mod gateways;
mod ground;
mod grpc;
mod hidden_source;
mod hijack;
mod identity;
mod jwt;
mod observation;
mod onward;
mod operations;
mod origin;
mod outside;
mod paths;
mod policy_shape;
mod policy_strings;
mod ports;
mod protection;
mod regexes;
mod rewrites;
mod route_order;
mod route_value;
mod routes;
mod shut;
mod siblings;
mod spot;
mod standing;
mod stripped;
mod unreachable_route;
mod unserved;
mod value;
mod virtual_hosts;
mod visibility;

use rayon::prelude::*;

use facts::Facts;
pub use ground::Ground;
pub use observation::{Effect, Fix, Label, Observation, Related, Severity};
pub use outside::is_opened;

/// A check: looks at everything and notes what it sees.
type Check = fn(&Facts<'_>, &mut Vec<Observation>);

/// All checks, by module.
const CHECKS: &[Check] = &[
    addresses::check,
    authorizer::check,
    delegates::check,
    doors::check,
    doubt::check,
    effect::check,
    enforcement::check,
    forwarded_headers::check,
    gateways::check,
    grpc::check,
    hidden_source::check,
    hijack::check,
    identity::check,
    jwt::check,
    operations::check,
    origin::check,
    paths::check,
    policy_shape::check,
    policy_strings::check,
    ports::check,
    protection::check,
    regexes::check,
    rewrites::check,
    route_order::check,
    routes::check,
    siblings::check,
    stripped::check,
    unreachable_route::check,
    unserved::check,
    virtual_hosts::check,
    visibility::check,
];

/// What all checks see, sorted by place and rule.
pub fn observations(ground: Ground<'_>) -> Vec<Observation> {
    let facts = Facts::of(ground);
    let seen = CHECKS.par_iter().map(|check| {
        let mut seen = Vec::new();
        check(&facts, &mut seen);
        seen
    });
    let mut seen: Vec<Observation> = seen.flatten().collect();
    // There is much to free, and it can be done side by side.
    facts.sites.into_par_iter().for_each(drop);
    seen.sort_by(|a, b| (a.label.span, a.rule, &a.message).cmp(&(b.label.span, b.rule, &b.message)));
    effect::settle(&mut seen);
    seen
}
