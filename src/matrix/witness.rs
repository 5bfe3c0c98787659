//! From a point of the request space to a request that can be sent.

use serde_json::{Map, Value};

use crate::model::Workload;
use crate::semantics::{Chain, Judgement, Request, RoutingProxy, Token, WireProtocol};
use crate::space::{Dimension, Normalization, PathDomain, Point, wire_form};

/// The request that is a point at a workload's port.
pub fn inbound_witness(workload: &Workload, port: u16, chain: Chain, domain: PathDomain, point: &Point) -> Request {
    let mut request = Request::at(format!("workload {}:{port}", workload.display_name()));
    fill(&mut request, point, domain);
    if chain == Chain::Tcp {
        request.protocol = WireProtocol::Tcp;
        "/".clone_into(&mut request.path);
    }
    request
}

/// The request that is a point at a gateway's listener.
pub fn gateway_witness(entrypoint: &str, proxy: &RoutingProxy, judgement: &Judgement, point: &Point) -> Request {
    let mut request = Request::at(entrypoint);
    fill(&mut request, point, judgement.universe.path);
    request.source = request.source.filter(|_| proxy.asks_for_certificate());
    if proxy.chain == Chain::Tcp {
        request.protocol = WireProtocol::Tcp;
        "/".clone_into(&mut request.path);
    }
    request
}

/// Writes the values of a point into a request.
pub(crate) fn fill(request: &mut Request, point: &Point, domain: PathDomain) {
    let mode = match domain {
        PathDomain::Normalized(mode) => mode,
        PathDomain::Raw => Normalization::None,
    };
    request.path = wire_form(&point.path, mode);
    let mut claims = Map::new();
    let mut query: Vec<String> = Vec::new();
    for (dimension, values) in &point.values {
        let first = values.first().cloned();
        match dimension {
            Dimension::Peer => request.source = first,
            Dimension::Method => request.method = first.unwrap_or_else(|| "GET".to_owned()),
            Dimension::Authority => request.authority = first,
            Dimension::SourceIp => request.source_ip = first,
            Dimension::RemoteIp => {
                if let Some(address) = first {
                    request.headers.push(("x-forwarded-for".to_owned(), address));
                }
            }
            Dimension::Sni => request.sni = first,
            Dimension::Token => {
                request.token = match first.as_deref() {
                    Some("valid") => Some(Token::Valid),
                    Some("invalid") => Some(Token::Invalid),
                    _ => None,
                };
            }
            Dimension::Issuer => insert(&mut claims, &["iss"], values),
            Dimension::Subject => insert(&mut claims, &["sub"], values),
            Dimension::Claim(names) => insert(&mut claims, names, values),
            Dimension::Header(name) => {
                request.headers.extend(values.iter().map(|value| (name.to_string(), value.clone())));
            }
            // The one without a name is the query as a whole.
            Dimension::Query(name) if name.is_empty() => query.extend(first),
            Dimension::Query(name) => query.extend(first.map(|value| format!("{name}={value}"))),
            Dimension::Port | Dimension::Scheme | Dimension::DestinationIp | Dimension::Metadata(_) => {}
        }
    }
    if !claims.is_empty() {
        request.claims = Some(claims);
    }
    if !query.is_empty() {
        request.path = format!("{}?{}", request.path, query.join("&"));
    }
}

/// Sets a claim, nested by its names: a text, or a list where there are several.
fn insert(claims: &mut Map<String, Value>, names: &[impl AsRef<str>], values: &[String]) {
    let value = match values {
        [] => return,
        [only] => Value::String(only.clone()),
        several => Value::Array(several.iter().cloned().map(Value::String).collect()),
    };
    let Some((last, outer)) = names.split_last() else {
        return;
    };
    let mut place = claims;
    for name in outer {
        let entry = place.entry(name.as_ref().to_owned()).or_insert_with(|| Value::Object(Map::new()));
        if !entry.is_object() {
            *entry = Value::Object(Map::new());
        }
        let Value::Object(inner) = entry else {
            return;
        };
        place = inner;
    }
    place.insert(last.as_ref().to_owned(), value);
}
