//! One request as one proxy sees it.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::super::authorization_policy::Chain;
use super::super::request::Token;
use super::super::request_authentication::TokenPlace;
use crate::space::{Dimension, Point};

/// One request as one proxy sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The chain that judges it
    pub chain: Chain,
    /// Identity of the peer, without `spiffe://`; `None` without one
    pub peer: Option<String>,
    /// Port that the proxy listens on
    pub port: u16,
    /// Address of the peer
    pub source_ip: Option<IpAddr>,
    /// Address of the client, as far as the proxy believes what it is told
    pub remote_ip: Option<IpAddr>,
    /// Server name on TLS, lower-case
    pub sni: Option<String>,
    /// `:method`
    pub method: String,
    /// `:scheme`
    pub scheme: String,
    /// `:authority`, port included
    pub authority: String,
    /// Normalised path, with its query
    pub path: String,
    /// Headers in order
    pub headers: Vec<(String, String)>,
    /// The token
    pub token: Token,
    /// Where it is carried
    pub token_place: TokenPlace,
    /// Claims of a token that verified here
    pub claims: Option<Map<String, Value>>,
}

impl Seen {
    /// The path without its query.
    pub fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Every value of a header.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let matching = self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        matching.map(|(_, value)| value.as_str())
    }

    /// The first value of a query parameter, not decoded.
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.path.split_once('?')?;
        query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The strings of a claim: of the claim itself, or of the list that it is.
    pub fn claim(&self, names: &[impl AsRef<str>]) -> Vec<&str> {
        let Some(claims) = &self.claims else {
            return Vec::new();
        };
        let mut names = names.iter();
        let mut value = names.next().and_then(|name| claims.get(name.as_ref()));
        for name in names {
            value = value.and_then(|value| value.get(name.as_ref()));
        }
        match value {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The point of the request space that this is, on the dimensions of interest.
    pub fn point<'a>(&self, dimensions: impl IntoIterator<Item = &'a Dimension>) -> Point {
        let values = dimensions.into_iter().map(|dimension| (dimension.clone(), self.values(dimension))).collect();
        let path = if self.chain == Chain::Tcp { "/".to_owned() } else { self.bare_path().to_owned() };
        Point { values, path }
    }

    /// The values of one dimension; none if absent.
    fn values(&self, dimension: &Dimension) -> Vec<String> {
        let one = |value: Option<&str>| value.map(str::to_owned).into_iter().collect();
        let token = match self.token {
            Token::None => "none",
            Token::Valid => "valid",
            Token::Invalid => "invalid",
        };
        match dimension {
            Dimension::Port => vec![self.port.to_string()],
            Dimension::Peer => one(self.peer.as_deref()),
            Dimension::SourceIp => self.source_ip.map(|ip| ip.to_string()).into_iter().collect(),
            Dimension::RemoteIp => self.remote_ip.map(|ip| ip.to_string()).into_iter().collect(),
            Dimension::DestinationIp | Dimension::Metadata(_) => Vec::new(),
            Dimension::Sni => one(self.sni.as_deref()),
            Dimension::Method => one(Some(&self.method)),
            Dimension::Scheme => one(Some(&self.scheme)),
            Dimension::Authority => one(Some(&self.authority)),
            Dimension::Header(name) => self.header(name).map(str::to_owned).collect(),
            Dimension::Query(name) if name.is_empty() => one(self.path.split_once('?').map(|(_, query)| query)),
            Dimension::Query(name) => one(self.query(name)),
            Dimension::Token => vec![token.to_owned()],
            Dimension::Issuer => self.claim(&["iss"]).into_iter().map(str::to_owned).collect(),
            Dimension::Subject => {
                self.claim(&["sub"]).into_iter().filter(|subject| !subject.is_empty()).map(str::to_owned).collect()
            }
            Dimension::Claim(names) => self.claim(names).into_iter().map(str::to_owned).collect(),
        }
    }
}
