//! Which principals a written principal stands for, given the mesh's trust domain and its aliases.

/// All principals that a `principals` value stands for.
///
/// A value of five parts whose trust domain is `cluster.local` or one of the bundle stands for one
/// value for each member of the bundle; any other value stands for itself.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/trustdomain/bundle.go`, `ReplaceTrustDomainAliases`.
pub(crate) fn principals(value: &str, bundle: &[&str]) -> Vec<String> {
    let parts: Vec<&str> = value.split('/').collect();
    let [domain, rest @ ..] = parts.as_slice() else {
        return vec![value.to_owned()];
    };
    let pointer = *domain == "cluster.local";
    if rest.len() != 4 || *domain == "*" || !(pointer || bundle.iter().any(|known| overlap(domain, known))) {
        return vec![value.to_owned()];
    }
    let mut written = Vec::new();
    for member in bundle {
        let covered = domain.strip_prefix('*').is_some_and(|suffix| member.ends_with(suffix));
        let principal = if covered { value.to_owned() } else { format!("{member}/{}", rest.join("/")) };
        if !written.contains(&principal) {
            written.push(principal);
        }
    }
    written
}

/// All trust domains that a `trustDomains` value stands for.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/trustdomain/bundle.go`, `ExpandTrustDomains`.
pub(crate) fn trust_domains(value: &str, bundle: &[&str]) -> Vec<String> {
    if bundle.contains(&value) {
        bundle.iter().map(|member| (*member).to_owned()).collect()
    } else {
        vec![value.to_owned()]
    }
}

/// Whether two trust domains, either of them exact or with a star at one end, name a common one.
fn overlap(a: &str, b: &str) -> bool {
    let covers = |pattern: &str, text: &str| {
        pattern == "*"
            || pattern == text
            || pattern.strip_prefix('*').is_some_and(|suffix| text.ends_with(suffix))
            || pattern.strip_suffix('*').is_some_and(|prefix| text.starts_with(prefix))
    };
    covers(a, b) || covers(b, a)
}
