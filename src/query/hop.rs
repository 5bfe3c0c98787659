//! One hop of one request: what the proxy there sees, and both readings of what it decides.

use std::net::IpAddr;

use crate::model::Workload;
use crate::semantics::{
    By, Chain, Decision, Ending, Forward, Guard, HeaderChanges, METHODS, Protocol, Request, Seen, TokenPlace,
    WireProtocol, WorkloadPort, World, guard, path_normalization,
};
use crate::space::{Normalization, normalize, substitute};

/// Why a request does not even get to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// The proxy answers 400
    BadRequest,
    /// As well, unless it looks for itself what the bytes are: to it they are no HTTP
    Unreadable,
    /// No route takes CONNECT
    Connect,
}

impl Malformed {
    /// How such a request ends.
    pub(super) fn ending(self) -> Ending {
        match self {
            Self::BadRequest | Self::Unreadable => Ending::denied(By::BadRequest, None),
            Self::Connect => Ending::denied(By::NoRoute, None),
        }
    }
}

/// What the first proxy of a request sees. The peer, port and chain are the caller's to say.
pub(super) fn first_sight(
    request: &Request,
    authority: &str,
    normalization: Option<Normalization>,
) -> (Seen, Option<Malformed>) {
    let mut malformed = None;
    let (scheme, authority, target) = match normalization {
        None => ("http", authority, request.path.as_str()),
        Some(_) => absolute(&request.path).unwrap_or(("http", authority, &request.path)),
    };
    let path = match normalization {
        None => target.to_owned(),
        Some(mode) => normalize(target, mode).unwrap_or_else(|| {
            malformed = Some(if is_readable(target) { Malformed::BadRequest } else { Malformed::Unreadable });
            "/".to_owned()
        }),
    };
    if request.method == "CONNECT" {
        let port = request.path.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        malformed = Some(if port { Malformed::Connect } else { Malformed::BadRequest });
    } else if !METHODS.contains(&request.method.as_str()) || asks_for_upgrade(request) {
        malformed = malformed.or(Some(Malformed::BadRequest));
    }
    let source_ip = request.source_ip.as_deref().unwrap_or("203.0.113.7").parse::<IpAddr>().ok();
    let seen = Seen {
        chain: Chain::Http,
        peer: None,
        port: 0,
        source_ip,
        remote_ip: source_ip,
        sni: request.sni.as_ref().map(|sni| sni.to_ascii_lowercase()),
        method: request.method.clone(),
        scheme: scheme.to_owned(),
        authority: authority.to_owned(),
        path,
        headers: joined(&request.headers),
        token: request.token(),
        token_place: TokenPlace::bearer(),
        claims: request.claims.clone(),
    };
    (seen, malformed)
}

/// The server name that a TLS client asks for when it calls an authority; none for an address.
pub(super) fn server_name(authority: &str) -> Option<String> {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty() && bare.parse::<IpAddr>().is_err()).then(|| host.to_ascii_lowercase())
}

/// Scheme, authority and path of a target in absolute form. `None`: it is in another form, or in none.
///
/// # Upstream
/// Envoy: `source/common/http/http1/codec_impl.cc`, `handlePath`. Observed: without a path it is `/`, but a query needs one.
fn absolute(target: &str) -> Option<(&'static str, &str, &str)> {
    let (scheme, rest) = target.split_once("://")?;
    let scheme = ["http", "https"].into_iter().find(|known| known.eq_ignore_ascii_case(scheme))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let path = if path.is_empty() { "/" } else { path };
    (!authority.is_empty() && path.starts_with('/')).then_some((scheme, authority, path))
}

/// Whether the target of a request line looks like one to a proxy that has yet to find out whether it reads HTTP.
///
/// # Upstream
/// Envoy: `source/extensions/filters/listener/http_inspector/http_inspector.cc`, `parseHttpHeader` (any method will do);
/// `source/common/http/http1/balsa_parser.cc`, `isUrlValid`.
fn is_readable(target: &str) -> bool {
    let visible = target.bytes().all(|byte| byte.is_ascii_graphic() || matches!(byte, b'\t' | b'\x0c'));
    let scheme = target
        .split_once("://")
        .is_some_and(|(scheme, _)| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphabetic()));
    visible && (target.starts_with(['/', '*']) || scheme)
}

/// Whether a request asks to go on in a protocol that no proxy of the mesh hands over to.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/listener_builder.go`, `buildHTTPConnectionManager` (only websocket).
fn asks_for_upgrade(request: &Request) -> bool {
    let mut connection = request.header_values("connection").flat_map(|line| line.split(','));
    let asked = connection.any(|token| token.trim().eq_ignore_ascii_case("upgrade"));
    let mut protocols = request.header_values("upgrade").peekable();
    asked && protocols.peek().is_some() && !protocols.any(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// Headers that Envoy keeps in one line, however many the client sends.
const ONE_LINE: &[&str] = &["origin", "access-control-request-method"];

/// The headers as a proxy keeps them.
///
/// # Upstream
/// Envoy: `source/extensions/filters/http/cors/cors_filter.cc` (registered as inline headers).
fn joined(headers: &[(String, String)]) -> Vec<(String, String)> {
    let mut kept: Vec<(String, String)> = Vec::new();
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        let before = kept.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name));
        match before.filter(|_| ONE_LINE.contains(&lower.as_str())) {
            Some((_, line)) => *line = format!("{line},{value}"),
            None => kept.push((name.clone(), value.clone())),
        }
    }
    kept
}

/// The client's address as a sidecar believes it: the last entry of X-Forwarded-For, else the connection's.
pub(super) fn forwarded_address(seen: &Seen) -> Option<IpAddr> {
    address_before(seen, 0).or(seen.source_ip)
}

/// The client's address as a gateway believes it, with so many trusted proxies in front.
pub(super) fn trusted_address(seen: &Seen, hops: u32) -> Option<IpAddr> {
    let skipped = hops.checked_sub(1);
    skipped.and_then(|skipped| address_before(seen, skipped)).or(seen.source_ip)
}

/// The last address of X-Forwarded-For, its lines joined, before so many that are skipped.
///
/// # Upstream
/// Envoy: `source/common/http/utility.cc`, `getLastAddressFromXFF`.
fn address_before(seen: &Seen, skipped: u32) -> Option<IpAddr> {
    let joined = seen.header("x-forwarded-for").collect::<Vec<_>>().join(",");
    let mut rest = joined.as_str();
    for _ in 0..skipped {
        rest = rest.rsplit_once(',')?.0;
    }
    rest.rsplit(',').next()?.trim().parse().ok()
}

/// The chain that a connection takes, and the peer that the port's proxy sees.
pub(super) fn chain_and_peer(
    world: &World,
    workload: &Workload,
    port: &WorkloadPort,
    protocol: WireProtocol,
    peer: Option<String>,
) -> (Chain, Option<String>) {
    let mode = crate::semantics::effective_mode(&world.mesh, workload, port.number);
    let disabled = mode.mode == crate::model::MtlsMode::Disable && mode.order.is_none();
    // Without a proxy in front the application itself reads what comes.
    if matches!(guard(world, workload, port.number), Guard::Nothing { .. }) {
        return if protocol == WireProtocol::Http { (Chain::Http, None) } else { (Chain::Tcp, None) };
    }
    match (port.protocol, protocol) {
        // TLS reaches the TCP chain unread where nothing terminates it.
        (Protocol::Sniffed | Protocol::Tcp, _) if disabled && peer.is_some() => (Chain::Tcp, None),
        (Protocol::Http, _) | (Protocol::Sniffed, WireProtocol::Http) => (Chain::Http, peer),
        (Protocol::Sniffed, WireProtocol::Tcp) | (Protocol::Tcp | Protocol::Udp, _) => (Chain::Tcp, peer),
    }
}

/// What the next proxy sees of a request that a route sends on. `None`: its path cannot be told.
pub(super) fn next_sight(
    world: &World,
    seen: &Seen,
    forward: &Forward,
    changes: &HeaderChanges,
    workload: &Workload,
    port: &WorkloadPort,
) -> Option<(Seen, Option<Malformed>)> {
    let mut next = seen.clone();
    let (path, query) = match seen.path.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (seen.path.as_str(), String::new()),
    };
    let rewritten = match &forward.regex_rewrite {
        // Nothing left of a path leaves it as it was.
        Some((pattern, replacement)) => {
            let made = substitute(pattern, replacement, path).ok()?;
            if made.is_empty() { path.to_owned() } else { made }
        }
        None => forward.rewrite.apply(path)?,
    };
    let sent = format!("{rewritten}{query}");
    let mut malformed = None;
    next.path = if guard(world, workload, port.number) == Guard::Sidecar {
        normalize(&sent, path_normalization(world)).unwrap_or_else(|| {
            malformed = Some(Malformed::BadRequest);
            "/".to_owned()
        })
    } else {
        sent
    };
    if let Some(authority) = &changes.authority {
        next.authority.clone_from(authority);
    }
    changes.apply(&mut next.headers);
    Some((next, malformed))
}

/// Whether two endings say the same, causes aside.
pub(super) fn agree(a: &Ending, b: &Ending) -> bool {
    a.decision == b.decision && a.by == b.by && (a.decision == Decision::Undetermined || a.policy == b.policy)
}
