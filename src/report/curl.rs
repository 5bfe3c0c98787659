//! A witness as a `curl` line, for a shell.

use super::secret::is_credential;
use crate::semantics::{Request, Token, WireProtocol};

/// Bytes of a line that nobody pastes.
const LONG_LINE: usize = 2000;

/// The line that sends a request, where one line can: in clear or by TLS that asks for no certificate, without a token
/// that somebody would have to sign, from whatever address. `$GATEWAY_IP` and `$POD_IP` are for the reader to set.
pub(super) fn curl(request: &Request, tls: bool) -> Option<String> {
    let signed = request.claims.is_some() || request.token.is_some_and(|token| token != Token::None);
    let of_the_caller = request.source.is_some() || request.source_ip.is_some() || request.source_workload.is_some();
    if request.protocol != WireProtocol::Http || signed || of_the_caller || request.method == "CONNECT" {
        return None;
    }
    let (address, port) = address(&request.entrypoint)?;
    let scheme = if tls { "https" } else { "http" };
    let path = url_path(&request.path)?;
    let mut words = vec!["curl".to_owned(), "--path-as-is".to_owned()];
    if path.contains(['[', ']', '{', '}']) {
        words.push("--globoff".to_owned());
    }
    match request.method.as_str() {
        "GET" => {}
        "HEAD" => words.push("--head".to_owned()),
        method => words.extend(["-X".to_owned(), quoted(method)?]),
    }
    for (name, value) in &request.headers {
        if is_credential(name) {
            return None;
        }
        // A colon without a value tells curl to send no such header; a semicolon sends it empty.
        let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        words.extend(["-H".to_owned(), quoted(&header)?]);
    }
    let host = match &request.authority {
        Some(authority) => {
            if !is_url_host(authority) {
                return None;
            }
            words.extend(["--connect-to".to_owned(), format!("::{address}:{port}")]);
            authority.clone()
        }
        None if port == if tls { "443" } else { "80" } => address,
        None => format!("{address}:{port}"),
    };
    if request.sni.as_ref().is_some_and(|sni| host.split(':').next() != Some(sni.as_str())) {
        return None;
    }
    words.push(format!("{scheme}://{host}{}", quoted(path)?));
    let line = words.join(" ");
    (line.len() <= LONG_LINE).then_some(line)
}

/// Address and port of an entrypoint.
fn address(entrypoint: &str) -> Option<(String, &str)> {
    let (kind, rest) = entrypoint.split_once(' ')?;
    let (path, port) = rest.rsplit_once(':')?;
    let address = match kind {
        "gateway" => "$GATEWAY_IP".to_owned(),
        "workload" => "$POD_IP".to_owned(),
        "service" => {
            let (namespace, name) = path.split_once('/')?;
            format!("{name}.{namespace}")
        }
        _ => return None,
    };
    Some((address, port))
}

/// Whether an authority may stand in a URL, and in a shell, as it is.
fn is_url_host(authority: &str) -> bool {
    let of_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    !host.is_empty() && host.bytes().all(of_host) && port.parse::<u16>().is_ok()
}

/// A path that a URL carries as it is: no fragment, and nothing that curl would encode or refuse.
fn url_path(path: &str) -> Option<&str> {
    let sent_as_it_is = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    (path.starts_with('/') && sent_as_it_is).then_some(path)
}

/// A word that a shell reads as this text.
fn quoted(text: &str) -> Option<String> {
    shlex::try_quote(text).ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request at an entrypoint for a path.
    fn request(entrypoint: &str, path: &str) -> Request {
        Request { path: path.to_owned(), ..Request::at(entrypoint) }
    }

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        let line = curl(&request("workload shop/cart:8080", "/a;b/%2e%2e/it's?x=$(id)"), false);
        let wanted = r#"curl --path-as-is http://$POD_IP:8080"/a;b/%2e%2e/it's?x="'$(id)'"#;
        let words = |line: &str| shlex::split(line).expect("a line of words");
        assert_eq!(words(&line.clone().expect("a line")), words(wanted));
        assert_eq!(
            words(&line.expect("a line")).last().map(String::as_str),
            Some("http://$POD_IP:8080/a;b/%2e%2e/it's?x=$(id)")
        );
    }

    #[test]
    fn an_authority_is_asked_for_at_the_address_of_the_entrypoint() {
        let request = Request {
            authority: Some("shop.example".to_owned()),
            method: "POST".to_owned(),
            headers: vec![("x-a".to_owned(), "b c".to_owned()), ("x-empty".to_owned(), String::new())],
            ..request("gateway shop/public:443", "/api")
        };
        let wanted = "curl --path-as-is -X POST -H 'x-a: b c' -H 'x-empty;' \
                      --connect-to ::$GATEWAY_IP:443 https://shop.example/api";
        assert_eq!(curl(&request, true).as_deref(), Some(wanted));
        let service = Request { entrypoint: "service shop/cart:80".to_owned(), ..request };
        assert!(curl(&service, false).expect("a line").contains("--connect-to ::cart.shop:80 http://shop.example/api"));
    }

    #[test]
    fn what_a_line_cannot_say_is_not_said() {
        let plain = request("workload shop/cart:8080", "/");
        assert!(curl(&plain, false).is_some());
        let header = |name: &str| vec![(name.to_owned(), "x".to_owned())];
        let unsaid = [
            Request { source: Some("cluster.local/ns/a/sa/b".to_owned()), ..plain.clone() },
            Request { source_ip: Some("10.0.0.1".to_owned()), ..plain.clone() },
            Request { claims: Some(serde_json::Map::new()), ..plain.clone() },
            Request { token: Some(Token::Invalid), ..plain.clone() },
            Request { protocol: WireProtocol::Tcp, ..plain.clone() },
            Request { sni: Some("other.example".to_owned()), ..plain.clone() },
            Request { authority: Some("a b".to_owned()), ..plain.clone() },
            Request { headers: header("Authorization"), ..plain.clone() },
            Request { path: "/a#b".to_owned(), ..plain.clone() },
            Request { path: "/a b".to_owned(), ..plain.clone() },
            Request { path: "*".to_owned(), ..plain.clone() },
            Request { path: format!("/{}", "a".repeat(LONG_LINE)), ..plain },
        ];
        for request in unsaid {
            assert_eq!(curl(&request, false), None, "{request:?}");
        }
    }
}
