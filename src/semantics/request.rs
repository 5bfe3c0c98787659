//! A request as the `eval` contract writes it: one concrete point of everything that can be sent.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whether the client carries a token, and whether it verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Token {
    /// No token at all
    None,
    /// One that verifies
    Valid,
    /// One that does not
    Invalid,
}

/// What the client speaks on the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WireProtocol {
    /// HTTP
    #[default]
    Http,
    /// Bytes that are not HTTP
    Tcp,
}

/// One request: a line of `eval`, and the witness of a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Any text; copied to the answer
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `gateway NS/NAME:PORT`, `workload NS/NAME:PORT` or `service NS/NAME:PORT`
    pub entrypoint: String,
    /// The peer identity that is presented by mTLS, `TRUSTDOMAIN/ns/NS/sa/SA`; `None` presents none
    #[serde(default)]
    pub source: Option<String>,
    /// As on the wire
    #[serde(default = "get")]
    pub method: String,
    /// As on the wire; the entrypoint's host if absent
    #[serde(default)]
    pub authority: Option<String>,
    /// As on the wire, with its query
    #[serde(default = "root")]
    pub path: String,
    /// Name and value, in order
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// `NS/NAME` of the client's workload, for `service`
    #[serde(default)]
    pub source_workload: Option<String>,
    /// Address of the client
    #[serde(default)]
    pub source_ip: Option<String>,
    /// Server name on TLS; the authority's host if absent
    #[serde(default)]
    pub sni: Option<String>,
    /// Claims of the token
    #[serde(default)]
    pub claims: Option<Map<String, Value>>,
    /// `valid` with claims, else `none`, if absent
    #[serde(default)]
    pub token: Option<Token>,
    /// HTTP, or bytes that are not
    #[serde(default)]
    pub protocol: WireProtocol,
}

/// The default method.
fn get() -> String {
    "GET".to_owned()
}

/// The default path.
fn root() -> String {
    "/".to_owned()
}

impl Request {
    /// `GET /` at an entrypoint, without identity.
    pub fn at(entrypoint: impl Into<String>) -> Self {
        Self {
            id: None,
            entrypoint: entrypoint.into(),
            source: None,
            method: get(),
            authority: None,
            path: root(),
            headers: Vec::new(),
            source_workload: None,
            source_ip: None,
            sni: None,
            claims: None,
            token: None,
            protocol: WireProtocol::Http,
        }
    }

    /// The token in force.
    pub fn token(&self) -> Token {
        self.token.unwrap_or(if self.claims.is_some() { Token::Valid } else { Token::None })
    }

    /// Every value of a header, its name in any case.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The path without query and fragment.
    pub fn bare_path(&self) -> &str {
        self.path.split(['?', '#']).next().unwrap_or_default()
    }
}
