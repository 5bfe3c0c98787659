//! Host names of resources: short names, wildcards, overlap.

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

/// The hosts of a gateway server that virtual services of a namespace may use, without their namespace part.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/model/gateway.go`, `sanitizeServerHostNamespace`;
/// `pkg/config/host/names.go`, `NamesForNamespace`.
pub(crate) fn server_hosts_for(hosts: &[&str], gateway_namespace: &str, namespace: &str) -> Vec<String> {
    if hosts.contains(&"*/*") {
        return vec!["*".to_owned()];
    }
    let admitted = hosts.iter().filter_map(|host| match host.split_once('/') {
        None => Some((*host).to_owned()),
        Some((wanted, host)) => {
            let wanted = if wanted == "." { gateway_namespace } else { wanted };
            (wanted == "*" || wanted == namespace).then(|| host.to_owned())
        }
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

/// The authority without its port.
pub(crate) fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty()
                && port.len() <= 5
                && port.bytes().all(|byte| byte.is_ascii_digit())
                && (!host.contains(':') || host.ends_with(']')) =>
        {
            host
        }
        _ => authority,
    }
}

/// RE2 of all authorities that [`domain_matches`]; `None` for the domain of everything.
pub(crate) fn domain_regex(domain: &str) -> Option<String> {
    let quote = |text: &str| {
        text.chars().fold(String::new(), |mut quoted, character| {
            if !character.is_ascii_alphanumeric() {
                quoted.push('\\');
            }
            quoted.push(character);
            quoted
        })
    };
    match domain.strip_prefix('*') {
        Some("") => None,
        Some(suffix) => Some(format!("(?i).+{}(:[0-9]{{1,5}})?", quote(suffix))),
        None => Some(format!("(?i){}(:[0-9]{{1,5}})?", quote(domain))),
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
    }

    #[test]
    fn a_dot_makes_a_host_full() {
        assert_eq!(resolve_short_name("shop", "app"), "shop.app.svc.cluster.local");
        assert_eq!(resolve_short_name("reviews.prod", "app"), "reviews.prod");
        assert_eq!(parse_service_host("shop.app.svc.cluster.local"), Some(("shop", "app")));
        assert_eq!(parse_service_host("shop.app"), None);
    }
}
