//! `networking.istio.io` kinds that describe services and clients: `DestinationRule`, `ServiceEntry`, `Sidecar`, `WorkloadEntry`.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::Deserialize;

use super::client_settings::{ConnectionPool, LoadBalancer, OutlierDetection, ProxyProtocol, RetryBudget, Tunnel};
use super::gateway::ServerTls;
use super::http_route::Destination;
use super::object::Labels;
use super::security::WorkloadSelector;
use crate::text::Spanned;

/// `spec` of a `DestinationRule`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DestinationRule {
    /// Host of a service
    pub host: Option<Spanned<CompactString>>,
    /// Settings of every subset without its own
    pub traffic_policy: Option<Spanned<TrafficPolicy>>,
    /// Named parts of the service
    pub subsets: Option<Spanned<Vec<Spanned<Subset>>>>,
    /// Namespaces that see it
    pub export_to: Option<Vec<CompactString>>,
    /// Clients that use it
    pub workload_selector: Option<Spanned<WorkloadSelector>>,
}

/// `trafficPolicy`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TrafficPolicy {
    /// Which endpoint
    pub load_balancer: Option<LoadBalancer>,
    /// How connections are kept
    pub connection_pool: Option<ConnectionPool>,
    /// Which endpoints are left out
    pub outlier_detection: Option<OutlierDetection>,
    /// How clients speak
    pub tls: Option<Spanned<ClientTls>>,
    /// Settings by port
    pub port_level_settings: Option<Vec<PortTrafficPolicy>>,
    /// Tunnels TCP
    pub tunnel: Option<Tunnel>,
    /// PROXY protocol to the service
    pub proxy_protocol: Option<ProxyProtocol>,
    /// How many retries
    pub retry_budget: Option<RetryBudget>,
}

/// An entry of `portLevelSettings`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PortTrafficPolicy {
    /// The service port
    pub port: Option<super::http_route::PortSelector>,
    /// Which endpoint
    pub load_balancer: Option<LoadBalancer>,
    /// How connections are kept
    pub connection_pool: Option<ConnectionPool>,
    /// Which endpoints are left out
    pub outlier_detection: Option<OutlierDetection>,
    /// How clients speak
    pub tls: Option<Spanned<ClientTls>>,
}

/// `tls` of a traffic policy.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClientTls {
    /// How clients speak
    pub mode: Option<Spanned<ClientTlsMode>>,
    /// Certificate file
    pub client_certificate: Option<CompactString>,
    /// Key file
    pub private_key: Option<CompactString>,
    /// File with authorities
    pub ca_certificates: Option<CompactString>,
    /// Secret with the certificate
    pub credential_name: Option<CompactString>,
    /// Names that the server may bear
    pub subject_alt_names: Option<Vec<CompactString>>,
    /// Server name to send
    pub sni: Option<CompactString>,
    /// Accepts any server certificate
    pub insecure_skip_verify: Option<bool>,
    /// File with revoked certificates
    pub ca_crl: Option<CompactString>,
}

/// `tls.mode` of a traffic policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ClientTlsMode {
    /// Plaintext
    Disable,
    /// TLS without client certificate
    Simple,
    /// TLS with a certificate of its own
    Mutual,
    /// Mesh mTLS
    IstioMutual,
}

/// An entry of `subsets`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Subset {
    /// Name
    pub name: Option<Spanned<CompactString>>,
    /// Labels of its workloads
    pub labels: Option<Labels>,
    /// Settings of its own
    pub traffic_policy: Option<Spanned<TrafficPolicy>>,
}

/// `spec` of a `ServiceEntry`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServiceEntry {
    /// Hosts
    pub hosts: Option<Spanned<Vec<Spanned<CompactString>>>>,
    /// Virtual addresses
    pub addresses: Option<Vec<CompactString>>,
    /// Ports
    pub ports: Option<Vec<ServiceEntryPort>>,
    /// Inside or outside of the mesh
    pub location: Option<CompactString>,
    /// How addresses are found
    pub resolution: Option<CompactString>,
    /// Addresses
    pub endpoints: Option<Vec<WorkloadEntry>>,
    /// Pods and workload entries that serve it
    pub workload_selector: Option<ServiceEntrySelector>,
    /// Namespaces that see it
    pub export_to: Option<Vec<CompactString>>,
    /// Names in certificates
    pub subject_alt_names: Option<Vec<CompactString>>,
}

/// `workloadSelector: {labels: …}`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ServiceEntrySelector {
    /// Labels that a workload must have
    pub labels: Option<Labels>,
}

/// A port of a `ServiceEntry`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServiceEntryPort {
    /// Port number
    pub number: Option<i64>,
    /// Protocol
    pub protocol: Option<CompactString>,
    /// Name
    pub name: Option<CompactString>,
    /// Port of the endpoints
    pub target_port: Option<i64>,
}

/// `spec` of a `WorkloadEntry`, and an endpoint of a `ServiceEntry`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WorkloadEntry {
    /// Address
    pub address: Option<CompactString>,
    /// Ports by name
    pub ports: Option<BTreeMap<CompactString, i64>>,
    /// Labels
    pub labels: Option<Labels>,
    /// Network
    pub network: Option<CompactString>,
    /// Locality
    pub locality: Option<CompactString>,
    /// Weight
    pub weight: Option<i64>,
    /// Service account
    pub service_account: Option<Spanned<CompactString>>,
}

/// `spec` of a `Sidecar`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Sidecar {
    /// Which workloads
    pub workload_selector: Option<ServiceEntrySelector>,
    /// Listeners of its own for what comes in
    pub ingress: Option<Spanned<Vec<Spanned<SidecarIngress>>>>,
    /// What it knows of the mesh
    pub egress: Option<Spanned<Vec<SidecarEgress>>>,
    /// How connections are kept
    pub inbound_connection_pool: Option<ConnectionPool>,
    /// What happens to unknown hosts
    pub outbound_traffic_policy: Option<OutboundTrafficPolicy>,
}

impl Sidecar {
    /// The mode of `outboundTrafficPolicy`; an empty policy means `REGISTRY_ONLY`, the API's zero value.
    pub fn outbound_mode(&self) -> Option<&str> {
        let policy = self.outbound_traffic_policy.as_ref()?;
        Some(policy.mode.as_ref().map_or("REGISTRY_ONLY", |mode| mode.value.as_str()))
    }
}

/// An entry of `ingress`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SidecarIngress {
    /// Port
    pub port: Option<ServiceEntryPort>,
    /// Address
    pub bind: Option<CompactString>,
    /// How traffic is captured
    pub capture_mode: Option<CompactString>,
    /// Where requests go
    pub default_endpoint: Option<CompactString>,
    /// TLS settings
    pub tls: Option<ServerTls>,
    /// How connections are kept
    pub connection_pool: Option<ConnectionPool>,
}

/// An entry of `egress`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SidecarEgress {
    /// Port
    pub port: Option<ServiceEntryPort>,
    /// Address
    pub bind: Option<CompactString>,
    /// How traffic is captured
    pub capture_mode: Option<CompactString>,
    /// `ns/host` that it knows
    pub hosts: Option<Vec<Spanned<CompactString>>>,
}

/// `outboundTrafficPolicy`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OutboundTrafficPolicy {
    /// `ALLOW_ANY` or `REGISTRY_ONLY`
    pub mode: Option<Spanned<CompactString>>,
    /// Proxy for unknown hosts
    pub egress_proxy: Option<Destination>,
}
