//! Resources as written, with their spans, and [`Mesh`], their index.
//!
//! The model does not judge: whether a policy acts, which workload a selector means, what a port
//! speaks is for `semantics`. It knows which kinds there are, which keys they have, in which
//! namespace an object lives and which of two equal names acts.

mod client_settings;
mod cluster;
mod counts;
mod duplicate;
mod entry;
mod extension;
mod gateway;
mod http_route;
mod kind;
mod kustomize;
mod load;
mod mesh;
mod mesh_settings;
mod object;
mod objects;
mod placeholder;
mod problem;
mod read;
mod security;
mod surprise;
mod traffic;
mod unknown_field;
mod virtual_service;
mod workload;

pub use client_settings::{
    ConnectionPool, ConsistentHash, Failover, HttpPool, LoadBalancer, LocalitySetting, OutlierDetection, TcpPool,
    Tunnel,
};
pub use cluster::{ContainerPort, Ingress, NoSpec, ParentRef, Service, ServicePort, UnmodelledSpec};
pub use counts::{Counts, LeftOut};
pub use extension::{ConfigPatch, EnvoyFilter, ListenerMatch, PatchMatch, ProxyConfig, ProxyExtension};
pub use gateway::{CertificateFiles, Gateway, Server, ServerPort, ServerTls, TlsMode};
pub use http_route::{
    CorsPolicy, Delegate, Destination, Fault, HeaderOperations, Headers, HttpMatch, HttpRoute, Percent, Redirect,
    Retries, Rewrite, StringMatch, StringMatches, WeightedDestination,
};
pub(crate) use kind::names_mesh_group;
pub use load::{InputFile, LoadOptions, Loaded, load};
pub use mesh::Mesh;
pub use mesh_settings::{MeshSettings, SettingsOrigin};
pub use object::{Labels, Metadata, ObjectId, Resource};
pub use objects::{Objects, Placed};
pub(crate) use placeholder::{is_explicit as is_placeholder, is_likely as is_likely_placeholder};
pub use problem::{Problem, ProblemKind};
pub use security::{
    Action, AuthorizationPolicy, Condition, From, JwtRule, MtlsMode, Operation, PeerAuthentication, PolicyRule,
    RequestAuthentication, Source, TargetRef, To, Values, WorkloadSelector,
};
pub use traffic::{
    ClientTls, ClientTlsMode, DestinationRule, ServiceEntry, ServiceEntryPort, ServiceEntrySelector, Sidecar,
    SidecarEgress, SidecarIngress, Subset, TrafficPolicy, WorkloadEntry,
};
pub use virtual_service::{L4Match, TcpRoute, TlsMatch, TlsRoute, VirtualService};
pub use workload::{Workload, workload_in_words};
