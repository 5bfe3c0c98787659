//! What Istio does with a request: one function for each of its concepts, short enough to hold
//! against the specification.
//!
//! One meaning, two readings. The symbolic one gives decision lists over the request space
//! ([`Judgement`]); the concrete one (`concrete`) decides one request and says how. What istiod or
//! Envoy do and the manifests do not tell is *undetermined*, with a [`Cause`] at its place.
//!
//! | question | files |
//! | --- | --- |
//! | what is there | `world`, `world_options`, `implied`, `membership`, `workload_port`, `protocol`, `registry`, `gateway_workload` |
//! | what may not act | `validation/`, `refused_configuration` |
//! | which policies stand at a proxy | `workload_selector`, `namespace_reader`, `extension`, `envoy_filter`, `ext_authz` |
//! | what a policy says | `authorization_policy`, `authorization_condition`, `string_match`, `trust_domain`, `request_authentication`, `peer_authentication`, `managed_header` |
//! | what policies do together | `authorization`; `inbound` in front of a workload |
//! | what a gateway takes in | `gateway_listener`, `gateway_server`, `gateway_topology`, `ingress` |
//! | where a request goes | `router`, `route_table`, `route_match`, `gateway_routes`, `virtual_service`, `delegate`, `http_route`, `l4_route`, `forward`, `host_name` |
//! | what a client knows and how it speaks | `client`, `client_class`, `client_claims`, `client_hosts`, `client_side`, `sidecar_scope`, `destination`, `destination_rule` |
//! | requests and answers | `request`, `judgement`, `decision`, `answer` |

mod answer;
mod authorization;
mod authorization_condition;
mod authorization_policy;
mod auto_passthrough;
mod client;
mod client_claims;
mod client_class;
mod client_hosts;
mod client_side;
mod concrete;
mod decision;
mod delegate;
mod destination;
mod destination_rule;
mod endpoints;
mod envoy_filter;
mod ext_authz;
mod extension;
mod forward;
mod gateway_listener;
mod gateway_routes;
mod gateway_server;
mod gateway_topology;
mod gateway_workload;
mod host_name;
mod http_route;
mod implied;
mod inbound;
mod ingress;
mod judgement;
mod l4_route;
mod managed_header;
mod membership;
mod namespace_reader;
mod passthrough;
mod peer_authentication;
mod protocol;
mod refused_configuration;
mod registry;
mod request;
mod request_authentication;
mod route_match;
mod route_table;
mod router;
mod service_lookup;
mod sidecar_scope;
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

pub(crate) use delegate::{Merged, delegations, http_routes, lets_through};
pub(crate) use gateway_server::{ServerKind, listening_port};
pub(crate) use host_name::{
    is_subset, names_for_namespace, overlap, parse_service_host, resolve_short_name, server_hosts, service_host,
};
pub(crate) use virtual_service::{
    MESH, applies_wherever, binds_to, export_rank, full_hosts, is_visible, resolve_gateway,
};
pub(crate) use workload_selector::{DRY_RUN, is_dry_run};

pub use answer::{Answer, Outcome, PASSED_OVER, Step};
pub use authorization_policy::{Chain, block as address_block};
pub use client::{Capture, Client, client_proxy, outbound_capture};
pub use client_class::client_classes;
pub use client_side::{ClientSide, Handshake, handshake};
pub use concrete::{OWN_TOKEN, Passing, Remark, Seen, decide_inbound, present_token, token_place};
pub use decision::{Assumption, By, Cause, CauseKind, Decision, PolicyRuleRef};
pub use destination::Target;
pub use endpoints::service_targets;
pub use forward::{Abort, Forward, HeaderChanges, HeaderStep, Leg, Passes};
pub use gateway_listener::{GatewayListener, gateway_listener};
pub use gateway_topology::{Topology, gateway_topology};
pub use gateway_workload::GatewayWorkload;
pub use http_route::Preflight;
pub use implied::implied_workload;
pub use inbound::{Guard, Inbound, METHODS, guard};
pub use judgement::{Ending, Judgement, Verdict};
pub use membership::Membership;
pub use namespace_reader::NamespaceReader;
pub(crate) use namespace_reader::requests_of;
pub use peer_authentication::{EffectiveMode, effective_mode};
pub use protocol::Protocol;
pub(crate) use protocol::is_grpc;
pub(crate) use registry::{EXPORT_TO, is_exported};
pub use request::{Request, Token, WireProtocol};
pub(crate) use request_authentication::share_a_place;
pub use request_authentication::{JwtFilter, TokenPlace, TokenSight, jwt_filter};
pub(crate) use route_match::{is_catch_all_match, match_cube};
pub(crate) use route_table::is_catch_all;
pub use route_table::{Route, RouteAction, RouteTable, VirtualHost};
pub use router::RoutingProxy;
pub(crate) use string_match::{is_template, policy_host, policy_path};
pub use validation::rejections;
pub(crate) use workload_port::target_port;
pub use workload_port::{WorkloadPort, path_normalization, workload_ports};
pub use workload_selector::{AttachedPolicies, Proxy, attached_policies, selects};
pub use world::World;
pub use world_options::WorldOptions;
