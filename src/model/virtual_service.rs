//! `networking.istio.io` `VirtualService`.

use compact_str::CompactString;
use serde::Deserialize;

use super::http_route::{Destination, HttpRoute, WeightedDestination};
use super::object::Labels;
use crate::text::Spanned;

/// `spec` of a `VirtualService`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct VirtualService {
    /// Hosts it routes; empty makes it a delegate
    pub hosts: Option<Spanned<Vec<Spanned<CompactString>>>>,
    /// Gateways it binds to; empty means `mesh`
    pub gateways: Option<Spanned<Vec<Spanned<CompactString>>>>,
    /// HTTP routes in order
    pub http: Option<Spanned<Vec<Spanned<HttpRoute>>>>,
    /// Routes by SNI
    pub tls: Option<Spanned<Vec<Spanned<TlsRoute>>>>,
    /// Routes of plain TCP
    pub tcp: Option<Spanned<Vec<Spanned<TcpRoute>>>>,
    /// Namespaces that see it
    pub export_to: Option<Spanned<Vec<Spanned<CompactString>>>>,
}

impl VirtualService {
    /// Hosts as written.
    pub fn hosts(&self) -> &[Spanned<CompactString>] {
        items(self.hosts.as_ref())
    }

    /// Gateways as written.
    pub fn gateways(&self) -> &[Spanned<CompactString>] {
        items(self.gateways.as_ref())
    }

    /// HTTP routes as written.
    pub fn http(&self) -> &[Spanned<HttpRoute>] {
        items(self.http.as_ref())
    }

    /// TLS routes as written.
    pub fn tls(&self) -> &[Spanned<TlsRoute>] {
        items(self.tls.as_ref())
    }

    /// TCP routes as written.
    pub fn tcp(&self) -> &[Spanned<TcpRoute>] {
        items(self.tcp.as_ref())
    }

    /// Every destination named anywhere: HTTP, TLS, TCP routes and mirrors.
    pub fn destinations(&self) -> impl Iterator<Item = &Spanned<Destination>> {
        let http = self.http().iter().flat_map(|route| {
            let route = &route.value;
            let mirrors = items(route.mirrors.as_deref()).iter().filter_map(|mirror| mirror.value.destination.as_ref());
            route.destinations().chain(route.mirror.as_deref()).chain(mirrors)
        });
        let tls = items(self.tls.as_ref())
            .iter()
            .flat_map(|route| items(route.value.route.as_ref()))
            .filter_map(|weighted| weighted.value.destination.as_ref());
        let tcp = items(self.tcp.as_ref())
            .iter()
            .flat_map(|route| items(route.value.route.as_ref()))
            .filter_map(|weighted| weighted.value.destination.as_ref());
        http.chain(tls).chain(tcp)
    }
}

/// The list, empty if absent.
pub(crate) fn items<T>(list: Option<&Spanned<Vec<T>>>) -> &[T] {
    list.map_or(&[], |list| list.value.as_slice())
}

/// An entry of `tls`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TlsRoute {
    /// Alternatives
    #[serde(rename = "match")]
    pub matches: Option<Spanned<Vec<Spanned<TlsMatch>>>>,
    /// Weighted destinations
    pub route: Option<Spanned<Vec<Spanned<WeightedDestination>>>>,
}

/// An entry of `tls[].match`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TlsMatch {
    /// Names in TLS
    pub sni_hosts: Option<Vec<Spanned<CompactString>>>,
    /// Static
    pub destination_subnets: Option<Vec<CompactString>>,
    /// Static
    pub port: Option<i64>,
    /// Static
    pub source_labels: Option<Labels>,
    /// Static
    pub gateways: Option<Vec<Spanned<CompactString>>>,
    /// Static
    pub source_namespace: Option<CompactString>,
}

impl TlsMatch {
    /// The conditions that it shares with a match of TCP.
    pub fn l4(&self) -> L4Match {
        L4Match {
            destination_subnets: self.destination_subnets.clone(),
            port: self.port,
            source_subnet: None,
            source_labels: self.source_labels.clone(),
            gateways: self.gateways.clone(),
            source_namespace: self.source_namespace.clone(),
        }
    }
}

/// An entry of `tcp`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TcpRoute {
    /// Alternatives
    #[serde(rename = "match")]
    pub matches: Option<Spanned<Vec<Spanned<L4Match>>>>,
    /// Weighted destinations
    pub route: Option<Spanned<Vec<Spanned<WeightedDestination>>>>,
}

/// An entry of `tcp[].match`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct L4Match {
    /// Static
    pub destination_subnets: Option<Vec<CompactString>>,
    /// Static
    pub port: Option<i64>,
    /// Deprecated
    pub source_subnet: Option<CompactString>,
    /// Static
    pub source_labels: Option<Labels>,
    /// Static
    pub gateways: Option<Vec<Spanned<CompactString>>>,
    /// Static
    pub source_namespace: Option<CompactString>,
}
