//! `networking.istio.io` `Gateway`.

use compact_str::CompactString;
use serde::Deserialize;

use super::object::Labels;
use crate::text::Spanned;

/// `spec` of a `Gateway`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Gateway {
    /// Labels of the gateway workloads; absent and empty select every one of the mesh
    pub selector: Option<Spanned<Labels>>,
    /// What they listen for
    pub servers: Option<Spanned<Vec<Spanned<Server>>>>,
}

impl Gateway {
    /// The gateway servers, none if absent.
    pub fn servers(&self) -> &[Spanned<Server>] {
        self.servers.as_ref().map_or(&[], |servers| servers.value.as_slice())
    }
}

/// A gateway server: an entry of `servers`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Server {
    /// Port and protocol
    pub port: Option<Spanned<ServerPort>>,
    /// Address to listen on
    pub bind: Option<CompactString>,
    /// Hosts, with or without a namespace in front (`ns/host`)
    pub hosts: Option<Spanned<Vec<Spanned<CompactString>>>>,
    /// TLS settings
    pub tls: Option<Spanned<ServerTls>>,
    /// Used by nothing in istiod
    pub default_endpoint: Option<CompactString>,
    /// Labels statistics
    pub name: Option<CompactString>,
}

impl Server {
    /// Port number, 0 if absent.
    pub fn number(&self) -> u16 {
        self.port
            .as_ref()
            .and_then(|port| port.value.number.as_ref())
            .and_then(|number| u16::try_from(number.value).ok())
            .unwrap_or(0)
    }

    /// Protocol in capitals, empty if absent.
    pub fn protocol(&self) -> String {
        self.port
            .as_ref()
            .and_then(|port| port.value.protocol.as_ref())
            .map_or_else(String::new, |protocol| protocol.value.as_str().to_ascii_uppercase())
    }

    /// Hosts as written.
    pub fn hosts(&self) -> &[Spanned<CompactString>] {
        self.hosts.as_ref().map_or(&[], |hosts| hosts.value.as_slice())
    }

    /// Whether plaintext requests are redirected to HTTPS.
    pub fn https_redirect(&self) -> bool {
        self.tls.as_ref().and_then(|tls| tls.value.https_redirect) == Some(true)
    }

    /// The TLS mode, where there is a `tls`.
    pub fn tls_mode(&self) -> Option<TlsMode> {
        self.tls.as_ref().map(|tls| tls.value.mode.as_ref().map_or(TlsMode::Passthrough, |mode| mode.value))
    }
}

/// `port` of a gateway server.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServerPort {
    /// Port number that clients use
    pub number: Option<Spanned<i64>>,
    /// Protocol, in any case
    pub protocol: Option<Spanned<CompactString>>,
    /// Port name
    pub name: Option<Spanned<CompactString>>,
    /// Refused by validation
    pub target_port: Option<Spanned<i64>>,
}

/// `tls.mode` of a gateway server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TlsMode {
    /// TLS goes through untouched; also what an absent mode means
    Passthrough,
    /// Terminated, no client certificate
    Simple,
    /// Terminated, client certificate required
    Mutual,
    /// SNI names the cluster itself
    AutoPassthrough,
    /// Terminated, mesh certificate required
    IstioMutual,
    /// Terminated, client certificate verified if given
    OptionalMutual,
}

/// `tls` of a gateway server.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServerTls {
    /// Answers plaintext with a redirect
    pub https_redirect: Option<bool>,
    /// PASSTHROUGH if absent
    pub mode: Option<Spanned<TlsMode>>,
    /// Certificate file
    pub server_certificate: Option<CompactString>,
    /// Key file
    pub private_key: Option<CompactString>,
    /// File with the authorities of client certificates
    pub ca_certificates: Option<CompactString>,
    /// File with revoked certificates
    pub ca_crl: Option<CompactString>,
    /// Secret with the certificate
    pub credential_name: Option<CompactString>,
    /// Secrets with the certificates
    pub credential_names: Option<Vec<CompactString>>,
    /// Secret with the authorities of client certificates
    pub ca_cert_credential_name: Option<CompactString>,
    /// Several certificates
    pub tls_certificates: Option<Vec<CertificateFiles>>,
    /// Names that a client certificate may bear
    pub subject_alt_names: Option<Vec<CompactString>>,
    /// Fingerprints that a client certificate may have
    pub verify_certificate_spki: Option<Vec<CompactString>>,
    /// Hashes that a client certificate may have
    pub verify_certificate_hash: Option<Vec<CompactString>>,
    /// Lowest version
    pub min_protocol_version: Option<CompactString>,
    /// Highest version
    pub max_protocol_version: Option<CompactString>,
    /// Allowed ciphers
    pub cipher_suites: Option<Vec<CompactString>>,
    /// Accepts any client certificate
    pub insecure_skip_verify: Option<bool>,
}

/// An entry of `tlsCertificates`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CertificateFiles {
    /// Certificate file
    pub server_certificate: Option<CompactString>,
    /// Key file
    pub private_key: Option<CompactString>,
    /// File with the authorities of client certificates
    pub ca_certificates: Option<CompactString>,
}
