//! The concrete reading: one request, decided step by step with matching of its own.
//!
//! It shares what is static with the symbolic reading (which policies are attached, which routes a
//! listener has, which mode a port is in) and nothing of how values are matched and lists are
//! searched. A property ties the two; `eval` asks both.

mod inbound;
mod mismatch;
mod policy;
mod route;
mod seen;
mod strings;
mod token;

pub(super) use inbound::{ConcretePolicies, Passed};
pub use inbound::{Remark, decide_inbound};
pub(super) use route::{answers_preflight, route_mismatch};
pub use seen::Seen;
pub use token::{OWN_TOKEN, Passing, present_token, token_place};
