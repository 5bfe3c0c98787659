//! The request of a row.

use meshlint::model::Labels;
use meshlint::semantics::{Request, Token, WireProtocol};

/// What a row asks.
pub(super) enum Question {
    /// What happens to a request
    Request(Box<Request>),
    /// Whether any policy is attached to a proxy
    Attached {
        /// Its namespace
        namespace: String,
        /// Its labels
        labels: Labels,
    },
    /// Which workloads serve Gateways, and who counts as the ingress
    Gateways,
}

/// Reads the third cell of a row.
pub(super) fn question(words: &str) -> Question {
    if words == "gateways" {
        return Question::Gateways;
    }
    if let Some(rest) = words.strip_prefix("attached ") {
        let mut words = rest.split(' ');
        let namespace = words.next().expect("a namespace").to_owned();
        let pairs = words.map(|pair| pair.split_once('=').expect("KEY=VALUE"));
        return Question::Attached { namespace, labels: pairs.map(|(k, v)| (k.into(), v.into())).collect() };
    }
    let mut request = Request::at("workload foo/web:8080");
    let mut rest = words;
    while !rest.is_empty() {
        let (word, tail) = split(rest);
        let (next, after) = split(tail);
        rest = after;
        match word {
            "tcp" => {
                request.protocol = WireProtocol::Tcp;
                rest = tail;
            }
            "bad-token" => {
                request.token = Some(Token::Invalid);
                rest = tail;
            }
            "at" => {
                let (place, tail) = split(after);
                request.entrypoint = format!("{next} {place}");
                rest = tail;
            }
            "from" => {
                let (namespace, account) = next.split_once('/').expect("NS/SA");
                let short = !next.contains("/ns/");
                let full = format!("cluster.local/ns/{namespace}/sa/{account}");
                request.source = Some(if short { full } else { next.to_owned() });
            }
            "host" => request.authority = Some(next.to_owned()),
            "ip" => request.source_ip = Some(next.to_owned()),
            "sni" => request.sni = Some(next.to_owned()),
            "header" => {
                // Values with spaces are written with `_`.
                let (value, tail) = split(after);
                request.headers.push((next.trim_end_matches(':').to_owned(), value.replace('_', " ")));
                rest = tail;
            }
            "empty-host" => {
                request.authority = Some(String::new());
                rest = tail;
            }
            "empty-header" => request.headers.push((next.to_owned(), String::new())),
            "token" => {
                request.claims = Some(serde_json::from_str(tail).expect("claims"));
                rest = "";
            }
            method => {
                method.clone_into(&mut request.method);
                request.path = next.replace("\\x01", "\u{1}").replace("\\x7f", "\u{7f}");
            }
        }
    }
    Question::Request(Box::new(request))
}

/// The first word and the rest.
fn split(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}
