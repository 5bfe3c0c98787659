//! String forms of the security API, read naively for one value: the second opinion on `string_match`.

/// `*`, `*suffix`, `prefix*` or exact, on a value that is present. `empty_counts` says whether a lone
/// star takes the empty value.
pub(super) fn policy_string(pattern: &str, value: &str, empty_counts: bool) -> bool {
    match pattern.as_bytes() {
        b"*" => empty_counts || !value.is_empty(),
        [b'*', ..] => pattern.get(1..).is_some_and(|suffix| value.ends_with(suffix)),
        [.., b'*'] => pattern.get(..pattern.len() - 1).is_some_and(|prefix| value.starts_with(prefix)),
        _ => pattern == value,
    }
}

/// A `hosts` value, case set aside.
pub(super) fn policy_host(pattern: &str, value: &str) -> bool {
    policy_string(&pattern.to_ascii_lowercase(), &value.to_ascii_lowercase(), true)
}

/// A `paths` value.
pub(super) fn policy_path(pattern: &str, path: &str) -> bool {
    if pattern.contains("{*}") || pattern.contains("{**}") {
        let pattern = pattern.replace("{**}", "**").replace("{*}", "*");
        let segments: Vec<&str> = pattern.split('/').collect();
        template(&segments, path, true)
    } else {
        policy_string(pattern, path, false)
    }
}

/// Characters that the operators of a template take.
fn is_template_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~%!$&'()+,;:@=*".contains(character)
}

/// Whether the segments of a template match the rest of a path. `first` is the part before any slash.
fn template(segments: &[&str], path: &str, first: bool) -> bool {
    let Some((segment, rest)) = segments.split_first() else {
        return path.is_empty();
    };
    let path = if first {
        path
    } else if let Some(path) = path.strip_prefix('/') {
        path
    } else {
        return false;
    };
    let ends = path.char_indices().map(|(index, _)| index).chain([path.len()]);
    let tail = |end: usize| path.get(end..).is_some_and(|tail| template(rest, tail, false));
    match *segment {
        "*" => ends
            .filter(|end| *end > 0)
            .any(|end| path.get(..end).is_some_and(|taken| taken.chars().all(is_template_character)) && tail(end)),
        "**" => ends.into_iter().any(|end| {
            let taken = path.get(..end).unwrap_or_default();
            taken.chars().all(|character| character == '/' || is_template_character(character)) && tail(end)
        }),
        literal => path.starts_with(literal) && tail(literal.len()),
    }
}

/// `*` anywhere stands for any text.
pub(super) fn glob(pattern: &str, value: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == value,
        Some((literal, rest)) => value.strip_prefix(literal).is_some_and(|tail| {
            let starts = tail.char_indices().map(|(index, _)| index).chain([tail.len()]);
            starts.into_iter().any(|start| tail.get(start..).is_some_and(|tail| glob(rest, tail)))
        }),
    }
}

/// A `namespaces` value on an identity.
pub(super) fn namespace(pattern: &str, peer: &str) -> bool {
    let after_marker = peer.match_indices("/ns/").filter_map(|(at, marker)| peer.get(at + marker.len()..));
    let mut after_marker = after_marker;
    after_marker.any(|rest| {
        let ends = rest.match_indices('/').map(|(end, _)| end);
        ends.into_iter().any(|end| rest.get(..end).is_some_and(|name| glob(pattern, name)))
    })
}

/// A `serviceAccounts` value on an identity; without `/` it is of the policy's own namespace. Something stands before the
/// namespace; between it and the account, and behind, something may.
pub(super) fn service_account(value: &str, policy_namespace: &str, peer: &str) -> bool {
    let (namespace, account) = value.split_once('/').unwrap_or((policy_namespace, value));
    let (marker, wanted) = (format!("/ns/{namespace}/"), format!("sa/{account}"));
    let ends = |rest: &str| {
        let tail = rest.strip_prefix(&wanted);
        tail.is_some_and(|tail| tail.is_empty() || (tail.starts_with('/') && tail.len() > 1))
    };
    let starts = (1..peer.len()).filter_map(|at| peer.get(at..)?.strip_prefix(&marker));
    let mut starts = starts;
    starts.any(|rest| {
        let mut inner = (1..rest.len()).filter_map(|at| rest.get(at..)?.strip_prefix('/'));
        ends(rest) || inner.any(ends)
    })
}

/// A `trustDomains` value on an identity.
pub(super) fn trust_domain(pattern: &str, peer: &str) -> bool {
    pattern == "*" || peer.split_once('/').is_some_and(|(domain, _)| glob(pattern, domain))
}

/// A `requestPrincipals` value on the claims `iss` and `sub`, each present and a text.
pub(super) fn request_principal(pattern: &str, issuer: &str, subject: &str) -> bool {
    if pattern == "*" {
        return !issuer.is_empty() && !subject.is_empty();
    }
    let starred_front = pattern.starts_with('*');
    let starred_back = pattern.ends_with('*');
    match pattern.rfind('/') {
        None if starred_front => !issuer.is_empty() && policy_string(pattern, subject, false),
        None if starred_back => policy_string(pattern, issuer, false) && !subject.is_empty(),
        None => issuer == pattern && subject.is_empty(),
        Some(slash) => {
            let before = pattern.get(..slash).unwrap_or_default();
            let after = pattern.get(slash + 1..).unwrap_or_default();
            if starred_front {
                policy_string(before, issuer, false) && subject == after
            } else if starred_back {
                issuer == before && policy_string(after, subject, false)
            } else {
                issuer == before && subject == after
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_operator_takes_exactly_one_segment() {
        for (pattern, path, expected) in [
            ("/foo/{*}", "/foo/bar", true),
            ("/foo/{*}", "/foo/bar/baz", false),
            ("/foo/{*}", "/foo/", false),
            ("/foo/{*}", "/foo/k=v", true),
            ("/foo/{**}", "/foo", false),
            ("/foo/{**}", "/foo/", true),
            ("/store/{**}/cart", "/store//cart", true),
            ("/store/{**}/cart", "/store/cart", false),
            ("/foo/{*}/bar/{**}", "/foo//bar/x", false),
            ("/foo/{**}/", "/foo/bar/baz.txt", false),
        ] {
            assert_eq!(policy_path(pattern, path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn only_an_outer_star_is_no_literal() {
        assert!(!policy_string("/a*b", "/axb", false));
        assert!(policy_string("/a*b", "/a*b", false));
        assert!(policy_string("*/adm*", "/x/adm*", false));
        assert!(!policy_string("*/adm*", "/x/admin", false));
    }

    #[test]
    fn a_service_account_needs_its_namespace() {
        assert!(service_account("a", "foo", "cluster.local/ns/foo/sa/a"));
        assert!(!service_account("a", "foo", "cluster.local/ns/bar/sa/a"));
        assert!(!service_account("a", "foo", "cluster.local/ns/foo/sa/a-x"));
        assert!(service_account("bar/a", "foo", "cluster.local/ns/bar/sa/a"));
        assert!(service_account("a", "foo", "cluster.local/ns/foo/region/x/sa/a/b"));
        assert!(!service_account("a", "foo", "/ns/foo/sa/a"));
        assert!(!service_account("a", "foo", "cluster.local/ns/foo//sa/a"));
        assert!(!service_account("a", "foo", "cluster.local/ns/foo/sa/a/"));
        assert!(!service_account("a", "foo", "cluster.local/ns/foo/sa/ab"));
    }
}
