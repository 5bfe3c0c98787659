//! Files as other programs name them: relative to where the program runs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a path of a URI spells out: everything but RFC 3986's unreserved characters and the slash.
const SPELT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The name of a file relative to a directory, both `/`-separated; as it is where it lies elsewhere.
pub(super) fn relative<'a>(name: &'a str, directory: &str) -> &'a str {
    let inside = name.strip_prefix(directory.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
    let mut name = inside.filter(|_| !directory.is_empty()).unwrap_or(name);
    while let Some(rest) = name.strip_prefix("./") {
        name = rest.trim_start_matches('/');
    }
    name
}

/// A URI of a file, and whether it is relative to the directory.
pub(super) fn uri(name: &str, directory: &str) -> (String, bool) {
    let name = relative(name, directory);
    let encoded = utf8_percent_encode(name, SPELT);
    let mut bytes = name.bytes();
    let drive = bytes.next().is_some_and(|first| first.is_ascii_alphabetic()) && bytes.next() == Some(b':');
    match (name.starts_with('/'), drive) {
        (true, _) => (format!("file://{encoded}"), false),
        (false, true) => (format!("file:///{encoded}"), false),
        (false, false) => (encoded.to_string(), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_inside_is_relative_and_spelt_out() {
        assert_eq!(uri("./a b/ü#?%.yaml", "/home/x"), ("a%20b/%C3%BC%23%3F%25.yaml".to_owned(), true));
        assert_eq!(uri("/home/x/a.yaml", "/home/x/"), ("a.yaml".to_owned(), true));
        assert_eq!(uri("/home/xy/a.yaml", "/home/x"), ("file:///home/xy/a.yaml".to_owned(), false));
        assert_eq!(uri("../a:b.yaml", "/home/x"), ("../a%3Ab.yaml".to_owned(), true));
        assert_eq!(uri("C:/a.yaml", "/home/x"), ("file:///C%3A/a.yaml".to_owned(), false));
        assert_eq!(uri("/a.yaml", ""), ("file:///a.yaml".to_owned(), false));
    }
}
