//! What a plain scalar means to Kubernetes: YAML 1.1 as go-yaml v2 resolves it.

/// A resolved plain scalar.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    /// `~`, `null`, nothing
    Null,
    /// `true`, `yes`, `on` …
    Bool(bool),
    /// Any base
    Int(i64),
    /// Also integers beyond 64 bits
    Float(f64),
    /// `.inf`, `.nan`: numbers that JSON does not have
    NoJson(f64),
    /// Everything else
    String,
}

/// Resolves a plain scalar.
pub(super) fn resolve(text: &str) -> Scalar {
    match text.bytes().next() {
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(text),
        _ if is_surely_text(text.as_bytes()) => Scalar::String,
        _ => word(text),
    }
}

/// Bytes of the longest word that is no string: `false`.
const LONGEST_WORD: usize = 5;

/// Whether a plain scalar is a string whatever comes behind its first byte: what most of them are, so that only the
/// others are compared with anything.
pub(super) fn is_surely_text(scalar: &[u8]) -> bool {
    match scalar.first() {
        None | Some(b'0'..=b'9' | b'+' | b'-' | b'.') => false,
        Some(b'~' | b'n' | b'N' | b'y' | b'Y' | b'o' | b'O' | b't' | b'T' | b'f' | b'F') => scalar.len() > LONGEST_WORD,
        Some(_) => true,
    }
}

/// A word that does not begin as numbers do.
fn word(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => Scalar::Bool(false),
        _ => Scalar::String,
    }
}

/// Whether a text is a short decimal number and looks like it: what most numbers are.
pub(super) fn is_plain_number(text: &str) -> bool {
    text.len() < 10 && (text == "0" || !text.starts_with('0')) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What begins as numbers do.
fn number(text: &str) -> Scalar {
    if is_plain_number(text) {
        return text.parse().map_or(Scalar::String, Scalar::Int);
    }
    match text {
        ".nan" | ".NaN" | ".NAN" => return Scalar::NoJson(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::NoJson(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::NoJson(f64::NEG_INFINITY),
        _ => {}
    }
    // Quantities, versions and addresses are told from numbers before anything is copied.
    let may_be_in_number = |byte: u8| byte.is_ascii_hexdigit() || b"xXoO_+-.".contains(&byte);
    if !text.bytes().all(may_be_in_number) {
        return Scalar::String;
    }
    integer(text).or_else(|| float(text)).unwrap_or(Scalar::String)
}

/// What a plain scalar of another notation means, where that is not what it looks like: a number that is not the decimal
/// one of its digits, or, as a key, a word that is a boolean.
#[must_use]
pub fn surprise(text: &str, is_key: bool) -> Option<String> {
    match resolve(text) {
        Scalar::Int(number) => {
            let digits = text.trim_start_matches(['+', '-']).trim_start_matches('0');
            let looks = digits.is_empty() || number.unsigned_abs().to_string() == digits;
            (!looks).then(|| number.to_string())
        }
        Scalar::Bool(truth) => (is_key && !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false"))
            .then(|| truth.to_string()),
        Scalar::Null | Scalar::Float(_) | Scalar::NoJson(_) | Scalar::String => None,
    }
}

/// An integer: `0x`, `0b`, `0o`, octal by a leading zero, underscores between digits.
fn integer(text: &str) -> Option<Scalar> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = if let Some(body) = lower.strip_prefix("0x") {
        (16, body)
    } else if let Some(body) = lower.strip_prefix("0b") {
        (2, body)
    } else if let Some(body) = lower.strip_prefix("0o") {
        (8, body)
    } else if lower.len() > 1 && lower.starts_with('0') && lower.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        (8, lower.get(1..)?)
    } else {
        (10, lower.as_str())
    };
    if body.is_empty() || !body.bytes().all(|byte| char::from(byte).is_digit(radix)) {
        return None;
    }
    let number = i128::from_str_radix(body, radix).ok().map(|number| if negative { -number } else { number });
    if let Some(number) = number.and_then(|number| i64::try_from(number).ok()) {
        return Some(Scalar::Int(number));
    }
    if let Some(number) = number.and_then(|number| u64::try_from(number).ok()) {
        return Some(Scalar::Float(rounded(number)));
    }
    // What begins with a zero and is too long is a decimal number all the same.
    let decimal = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: f64 = digits.parse().ok().filter(|_| decimal)?;
    Some(Scalar::Float(if negative { -number } else { number }))
}

/// A number beyond 63 bits as JSON readers have it.
#[expect(clippy::cast_precision_loss, reason = "that is what it is about")]
fn rounded(number: u64) -> f64 {
    number as f64
}

/// A float: digits with a point or an exponent.
fn float(text: &str) -> Option<Scalar> {
    // Behind a leading point an underscore stands between digits; elsewhere go-yaml takes all of them out.
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    if text.starts_with('.') && text.match_indices('_').any(|(at, _)| !(digit(at - 1) && digit(at + 1))) {
        return None;
    }
    let plain = text.replace('_', "");
    let body = plain.strip_prefix(['-', '+']).unwrap_or(&plain);
    let starts = body.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        || (body.starts_with('.') && body.as_bytes().get(1).copied().is_some_and(|byte| byte.is_ascii_digit()));
    let allowed = body.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !starts || !allowed {
        return None;
    }
    plain.parse::<f64>().ok().filter(|number| number.is_finite()).map(Scalar::Float)
}

/// A number that is a key, as sigs.k8s.io/yaml makes a text of it: rounded to 32 bits and short, as Go's `%g`.
#[expect(clippy::cast_possible_truncation, reason = "that is how it is written upstream")]
pub(super) fn float_key(number: f64) -> String {
    let number = number as f32;
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_otherwise_than_it_looks_is_told() {
        for (text, is_key, meant) in [
            ("0644", false, Some("420")),
            ("0x1F", false, Some("31")),
            ("8_080", false, Some("8080")),
            ("on", true, Some("true")),
            ("n", true, Some("false")),
            ("on", false, None),
            ("08", false, None),
            ("0", false, None),
            ("8080", false, None),
            ("+80", false, None),
            ("True", true, None),
            ("app", true, None),
        ] {
            assert_eq!(surprise(text, is_key).as_deref(), meant, "{text}");
        }
    }

    #[test]
    fn plain_scalars_mean_what_kubernetes_takes_them_for() {
        for (text, expected) in [
            ("0644", Scalar::Int(420)),
            ("0o17", Scalar::Int(15)),
            ("0x1F", Scalar::Int(31)),
            ("0b11", Scalar::Int(3)),
            ("1_000", Scalar::Int(1000)),
            ("08", Scalar::Int(8)),
            ("1e3", Scalar::Float(1000.0)),
            ("1.", Scalar::Float(1.0)),
            (".5", Scalar::Float(0.5)),
            ("+1", Scalar::Int(1)),
            ("on", Scalar::Bool(true)),
            ("n", Scalar::Bool(false)),
            ("~", Scalar::Null),
            ("12:30:45", Scalar::String),
            ("2001-01-01", Scalar::String),
            ("1e400", Scalar::String),
            ("0xffffffffffffffff", Scalar::Float(18_446_744_073_709_551_615.0)),
            ("0x10000000000000000", Scalar::String),
            ("-9223372036854775808", Scalar::Int(i64::MIN)),
            ("9223372036854775808", Scalar::Float(9_223_372_036_854_775_808.0)),
            (".5_0", Scalar::Float(0.5)),
            ("._5", Scalar::String),
            ("-.Inf", Scalar::NoJson(f64::NEG_INFINITY)),
            ("=", Scalar::String),
            ("10.0.0.1", Scalar::String),
            ("v1", Scalar::String),
            ("-", Scalar::String),
        ] {
            assert_eq!(resolve(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_surely_text_resolves_to_text() {
        let words = "y n yes no on off true false null nullable name of to from type ~ ~x Falsehood 世 é";
        let texts =
            words.split(' ').chain(["", "*", "/", "100m", "128Mi", "1.4.2", "10.0.0.1/8", "0x", "1e", "-x", "+"]);
        for text in texts {
            let is_text = resolve(text) == Scalar::String;
            assert!(is_text || !is_surely_text(text.as_bytes()), "{text}");
        }
        for text in ["100m", "128Mi", "1.4.2", "10.0.0.1/8", "0xg", "1e", "0x", "-x"] {
            assert_eq!(resolve(text), Scalar::String, "{text}");
        }
    }

    #[test]
    fn keys_that_are_floats_are_written_as_go_writes_them() {
        for (number, text) in
            [(1.10, "1.1"), (1e5, "100000"), (1e6, "1e+06"), (1e-5, "1e-05"), (123_456_789.5, "1.2345679e+08")]
        {
            assert_eq!(float_key(number), text);
        }
    }
}
