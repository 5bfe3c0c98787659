//! Values that something else fills in before anything is applied: `${VAR}`, `$(VAR)`, `{{ … }}`, `<name>`.

/// Whether a text holds a placeholder with delimiters of its own.
pub(crate) fn is_explicit(text: &str) -> bool {
    if !text.bytes().any(|byte| matches!(byte, b'{' | b'$' | b'<')) {
        return false;
    }
    let text = text.trim_matches(['"', '\'']);
    let between = |open: &str, close: char| {
        text.split(open).skip(1).any(|rest| {
            let inner = rest.split(close).next().unwrap_or_default();
            inner.len() < rest.len() && is_variable(inner)
        })
    };
    let angled = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    text.contains("{{")
        || between("${", '}')
        || between("$(", ')')
        || angled.is_some_and(|inner| !inner.is_empty() && !inner.contains(char::is_whitespace))
        || (text.split('{').skip(1)).any(|rest| rest.split('}').next().is_some_and(is_shouted) && rest.contains('}'))
}

/// Whether a text that the API refuses looks as if a script should replace a word in it, such as
/// `DEX_SERVICE.DEX_NAMESPACE.svc`: names in Kubernetes have neither capitals nor underscores.
pub(crate) fn is_likely(text: &str) -> bool {
    let text = text.trim_matches(['"', '\'']);
    is_explicit(text) || text.split(['.', '/', '-', ':']).any(is_shouted)
}

/// Whether a text is the name of a variable, perhaps with a default behind it.
fn is_variable(text: &str) -> bool {
    let name = text.split([':', '-', '=']).next().unwrap_or_default();
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:=/".contains(c))
}

/// Whether a word is `LIKE_THIS`.
fn is_shouted(word: &str) -> bool {
    word.contains('_')
        && word.starts_with(|first: char| first.is_ascii_uppercase())
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_values() {
        for text in
            ["${NS}", "a.$(kfp-namespace).svc", "{{ .Name }}", "<<CLIENT_IP>>", "<namespace>", "{GATEWAY_CLASS}"]
        {
            assert!(is_explicit(text), "{text}");
        }
        for text in ["/a/{*}/b", "/x/{**}", "^/a(b|c)$", ".*$", "a$(b", "DEX_SERVICE.x", "%REQ(A)%", "${", "a < b > c"]
        {
            assert!(!is_explicit(text), "{text}");
        }
        for text in ["DEX_SERVICE.DEX_NAMESPACE.svc.cluster.local", "JWKS_URI", "\"a.MY_NS.svc\""] {
            assert!(is_likely(text), "{text}");
        }
        for text in ["BLAH", "a.b.svc", "HTTP2", "a_b.c"] {
            assert!(!is_likely(text), "{text}");
        }
    }
}
