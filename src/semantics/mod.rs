//! What Istio does with a request: one function for each of its concepts, short enough to hold
//! against the specification.
//!
//! One meaning, two readings. The symbolic one gives decision lists over the request space
//! ([`Judgement`]); the concrete one (`concrete`) decides one request and says how. What istiod or
//! Envoy do and the manifests do not tell is *undetermined*, with a [`Cause`] at its place.

mod answer;
mod authorization;
mod authorization_condition;
mod authorization_policy;
mod client;
mod concrete;
mod decision;
mod destination;
mod ext_authz;
mod extension;
mod gateway_server;
mod gateway_workload;
mod host_name;
mod implied;
mod inbound;
mod judgement;
mod managed_header;
mod membership;
mod namespace_reader;
mod peer_authentication;
mod protocol;
mod refused_configuration;
mod request;
mod request_authentication;
mod route_table;
mod router;
mod string_match;
mod trust_domain;
mod validation;
mod virtual_service;
mod workload_port;
mod workload_selector;
mod world;
mod world_options;

/// The release of Istio that answers follow.
pub const ISTIO_RELEASE: &str = "1.32";

pub use answer::{Answer, Outcome, Step};
pub use authorization_policy::Chain;
pub use client::{Client, client_proxy};
pub use concrete::{Passing, Remark, Seen, decide_inbound, present_token, token_place};
pub use decision::{Assumption, By, Cause, CauseKind, Decision, PolicyRuleRef};
pub use destination::{ClientSide, Target, service_targets};
pub use gateway_server::gateway_proxy;
pub use gateway_workload::GatewayWorkload;
pub use implied::implied_workload;
pub use inbound::{Guard, Inbound, METHODS, guard};
pub use judgement::{Ending, Judgement, Verdict};
pub use membership::Membership;
pub use namespace_reader::NamespaceReader;
pub use peer_authentication::{EffectiveMode, effective_mode};
pub use protocol::Protocol;
pub use request::{Request, Token, WireProtocol};
pub use request_authentication::{JwtFilter, TokenPlace, jwt_filter};
pub use route_table::{Abort, Forward, Route, RouteAction, RouteTable};
pub use router::RoutingProxy;
pub use validation::rejections;
pub use workload_port::{WorkloadPort, path_normalization, workload_ports};
pub use workload_selector::{AttachedPolicies, Proxy, attached_policies, selects};
pub use world::World;
pub use world_options::WorldOptions;
