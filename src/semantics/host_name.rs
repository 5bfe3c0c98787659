//! Host names of resources: short names, wildcards, overlap.

use crate::space::{ByteSet, Pattern, Piece};

/// Domain of the cluster's own service names.
pub(crate) const CLUSTER_DOMAIN: &str = "cluster.local";

/// A host of a virtual service, its short form completed with the namespace.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/config.go`, `ResolveShortnameToFQDN`.
pub(crate) fn resolve_short_name(host: &str, namespace: &str) -> String {
    if host == "*" || host.contains('.') || host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}.{namespace}.svc.{CLUSTER_DOMAIN}")
    }
}

/// The full name of a Kubernetes Service.
pub(crate) fn service_host(name: &str, namespace: &str) -> String {
    format!("{name}.{namespace}.svc.{CLUSTER_DOMAIN}")
}

/// Name and namespace of a Service's full name.
pub(crate) fn parse_service_host(host: &str) -> Option<(&str, &str)> {
    let short = host.strip_suffix(CLUSTER_DOMAIN)?.strip_suffix(".svc.")?;
    short.split_once('.').filter(|(_, namespace)| !namespace.contains('.'))
}

/// Whether every name that `a` stands for is one that `b` stands for. Suffixes, not labels.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/host/name.go`, `SubsetOf`.
pub(crate) fn is_subset(a: &str, b: &str) -> bool {
    match (a.strip_prefix('*'), b.strip_prefix('*')) {
        (Some(a), Some(b)) => a.len() >= b.len() && a.ends_with(b),
        (None, Some(b)) => a.ends_with(b),
        (Some(_), None) => false,
        (None, None) => a == b,
    }
}

/// The names that both lists stand for: of each pair the narrower, if one is within the other.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/host/names.go`, `Intersection`.
pub(crate) fn intersection(a: &[String], b: &[String]) -> Vec<String> {
    let mut both: Vec<String> = Vec::new();
    for left in a {
        for right in b {
            let narrower = if is_subset(left, right) {
                Some(left)
            } else if is_subset(right, left) {
                Some(right)
            } else {
                None
            };
            if let Some(narrower) = narrower.filter(|narrower| !both.contains(narrower)) {
                both.push(narrower.clone());
            }
        }
    }
    both
}

/// Whether two names stand for a common one.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/host/name.go`, `Matches`.
pub(crate) fn overlap(a: &str, b: &str) -> bool {
    is_subset(a, b) || is_subset(b, a)
}

/// Whether a name, of TLS or of a Service, is one that a host stands for.
pub(crate) fn covers(host: &str, name: &str) -> bool {
    match host.strip_prefix('*') {
        Some(suffix) => name.ends_with(suffix),
        None => name == host,
    }
}

/// The hosts of a gateway server with their namespaces in full; only those of a foreign namespace keep one.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/gateway.go`, `sanitizeServerHostNamespace`.
pub(crate) fn server_hosts(hosts: &[&str], gateway_namespace: &str) -> Vec<String> {
    if hosts.contains(&"*/*") {
        return vec!["*".to_owned()];
    }
    let full = hosts.iter().map(|host| match host.split_once('/') {
        Some((".", host)) => format!("{gateway_namespace}/{host}"),
        Some(("*", host)) => host.to_owned(),
        _ => (*host).to_owned(),
    });
    full.collect()
}

/// The hosts of a server that virtual services of a namespace may use, without their namespace part.
///
/// # Upstream
/// istio/istio 1.32: `pkg/config/host/names.go`, `NamesForNamespace`.
pub(crate) fn names_for_namespace(hosts: &[String], namespace: &str) -> Vec<String> {
    let admitted = hosts.iter().filter_map(|host| match host.split_once('/') {
        None => Some(host.clone()),
        Some((wanted, host)) => (wanted == namespace).then(|| host.to_owned()),
    });
    admitted.collect()
}

/// Whether an authority, its port and case set aside, is one of the names a domain stands for.
///
/// # Upstream
/// Envoy: `source/common/router/config_impl.cc`, `RouteMatcher::findVirtualHost`.
pub(crate) fn domain_matches(domain: &str, authority: &str) -> bool {
    let host = without_port(authority).to_ascii_lowercase();
    match domain.strip_prefix('*') {
        Some("") => true,
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => host == domain,
    }
}

/// The authority without its port: what stands before the last colon, unless that belongs to an address in
/// brackets. What the port looks like does not matter.
///
/// # Upstream
/// Envoy: `source/common/http/header_utility.cc`, `HeaderUtility::getPortStart`.
pub(crate) fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    }
}

/// All authorities that [`domain_matches`]; `None` for the domain of everything.
pub(crate) fn domain_patterns(domain: &str) -> Option<Vec<Pattern>> {
    let but = |excluded: &[u8], at_least: u8| {
        let bytes: Vec<u8> = (0..=u8::MAX).filter(|byte| !excluded.contains(byte)).collect();
        Piece::Repeat { bytes: ByteSet::from_bytes(&bytes), at_least }
    };
    let port = || but(b":]", 0);
    match domain.strip_prefix('*') {
        Some("") => None,
        // A colon further in front is a port's unless a bracket closes behind it.
        Some(suffix) => {
            let suffix = || Piece::AnyCase(suffix.into());
            let with_port = vec![but(b"", 1), suffix(), Piece::Literal(":".into()), port()];
            let bracketed = vec![but(b"", 0), Piece::Literal("]".into()), but(b":", 0), suffix()];
            let plain = vec![but(b":", 1), suffix()];
            Some([with_port, plain, bracketed].map(Pattern::lazy_sequence).into())
        }
        None => {
            let with_port = vec![Piece::AnyCase(format!("{domain}:").into()), port()];
            Some(vec![Pattern::ExactIgnoreCase(domain.into()), Pattern::lazy_sequence(with_port)])
        }
    }
}

/// Orders domains as Envoy looks them up: exact, then longer wildcards, then everything.
pub(crate) fn specificity(domain: &str) -> (u8, std::cmp::Reverse<usize>) {
    let rank = match domain.strip_prefix('*') {
        None => 0,
        Some("") => 2,
        Some(_) => 1,
    };
    (rank, std::cmp::Reverse(domain.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_suffixes_of_text() {
        assert!(is_subset("a.b.foo.com", "*.foo.com"));
        assert!(!is_subset("foo.com", "*.foo.com"));
        assert!(is_subset("*.b.foo.com", "*.foo.com"));
        assert!(is_subset("anything", "*"));
    }

    #[test]
    fn a_domain_ignores_port_and_case_but_not_a_trailing_dot() {
        assert!(domain_matches("shop.example.com", "SHOP.example.com:8080"));
        assert!(!domain_matches("shop.example.com", "shop.example.com."));
        assert!(!domain_matches("*.example.com", ".example.com"));
        assert!(domain_matches("*", "[::1]:80"));
        assert!(domain_matches("shop.example.com", "shop.example.com:"));
        assert!(domain_matches("shop.example.com", "shop.example.com:abc"));
    }

    #[test]
    fn the_expression_of_a_domain_takes_what_the_domain_takes() {
        let authorities = [
            "a.com",
            "A.com:80",
            "a.com:",
            "a.com:x",
            "a.com:1:2",
            "x.a.com",
            "y:x.a.com",
            "y:x.a.com:1",
            "[::1]",
            "[::1]:80",
            "[a]x.a.com",
            "x.a.com.",
            ".a.com",
            "a.com]",
            "x:1]a.a.com",
            "[::1].a.com:5]",
        ];
        for domain in ["a.com", "*.a.com", "*a.com", "*.com]"] {
            let patterns = domain_patterns(domain).expect("no domain of everything");
            for authority in authorities {
                let matches = patterns.iter().any(|pattern| pattern.matches(authority));
                assert_eq!(matches, domain_matches(domain, authority), "{domain} on {authority}");
            }
        }
    }

    #[test]
    fn a_dot_makes_a_host_full() {
        assert_eq!(resolve_short_name("shop", "app"), "shop.app.svc.cluster.local");
        assert_eq!(resolve_short_name("reviews.prod", "app"), "reviews.prod");
        assert_eq!(parse_service_host("shop.app.svc.cluster.local"), Some(("shop", "app")));
        assert_eq!(parse_service_host("shop.app"), None);
    }
}
