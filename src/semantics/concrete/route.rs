//! Whether a match of a virtual service takes one request, read naively: the second opinion on `route_match`.

use compact_str::CompactString;

use super::super::decision::Cause;
use super::super::http_route::Preflight;
use super::super::route_match::{
    asks_presence, full_path, presence_of_claim, regex_pattern, routing_claim, unmodelled,
};
use super::seen::Seen;
use crate::model::{HttpMatch, StringMatch};
use crate::text::Spanned;

/// What a match finds on its way through a request.
#[derive(Default)]
struct Reading {
    /// The first condition that does not hold
    fails: Option<String>,
    /// The first condition that is not modelled
    doubt: Option<Cause>,
}

impl Reading {
    /// Notes how a condition went.
    fn note(&mut self, holds: Result<bool, Cause>, what: impl FnOnce() -> String) {
        match holds {
            Ok(true) => {}
            Ok(false) => {
                self.fails.get_or_insert_with(what);
            }
            Err(cause) => {
                self.doubt.get_or_insert(cause);
            }
        }
    }
}

/// Why a match does not take a request, static conditions aside; `None` if it does. `Err`: all conditions hold but
/// one that is not modelled.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `TranslateRouteMatch`.
pub(crate) fn route_mismatch(matches: &HttpMatch, seen: &Seen) -> Result<Option<String>, Cause> {
    let mut reading = Reading::default();
    if let Some(uri) = &matches.uri {
        let ignore_case = matches.ignore_uri_case == Some(true);
        reading.note(uri_matches(&uri.value, seen.bare_path(), ignore_case), || {
            format!("the path is not {}", said(Some(&uri.value)).unwrap_or_default())
        });
    }
    let pseudo = [
        ("method", &matches.method, &seen.method),
        ("scheme", &matches.scheme, &seen.scheme),
        ("authority", &matches.authority, &seen.authority),
    ];
    for (name, wanted, value) in pseudo {
        if let Some(wanted) = wanted {
            reading.note(value_matches(Some(&wanted.value), value), || {
                format!("the {name} is not {}", said(Some(&wanted.value)).unwrap_or_default())
            });
        }
    }
    for (name, wanted) in matches.headers.as_deref().into_iter().flatten() {
        let what = || match said(wanted.as_ref().map(|wanted| &wanted.value)) {
            Some(said) => format!("no header `{}` is {said}", name.value),
            None => format!("there is no header `{}`", name.value),
        };
        reading.note(header_matches(name, wanted.as_ref(), seen, false), what);
    }
    for (name, wanted) in matches.query_params.as_deref().into_iter().flatten() {
        let holds = match seen.query(&name.value) {
            Some(value) => value_matches(wanted.as_ref().map(|wanted| &wanted.value), value),
            None => judged(wanted.as_ref()).map(|()| false),
        };
        reading.note(holds, || match said(wanted.as_ref().map(|wanted| &wanted.value)) {
            Some(said) => format!("the parameter `{}` is not {said}", name.value),
            None => format!("there is no parameter `{}`", name.value),
        });
    }
    for (name, unwanted) in matches.without_headers.as_deref().into_iter().flatten() {
        let what = || match said(unwanted.as_ref().map(|unwanted| &unwanted.value)) {
            Some(said) => format!("the header `{}` is {said}", name.value),
            None => format!("there is a header `{}`", name.value),
        };
        reading.note(header_matches(name, unwanted.as_ref(), seen, true), what);
    }
    match (reading.fails, reading.doubt) {
        (None, Some(cause)) => Err(cause),
        (fails, _) => Ok(fails),
    }
}

/// What a string match says; `None` if it asks for presence only.
fn said(wanted: Option<&StringMatch>) -> Option<String> {
    let wanted = wanted?;
    let part = |text: Option<&Spanned<CompactString>>, word: &str| text.map(|text| format!("{word}`{}`", text.value));
    part(wanted.exact.as_ref(), "")
        .or_else(|| part(wanted.prefix.as_ref(), "a continuation of "))
        .or_else(|| part(wanted.regex.as_ref().filter(|regex| regex.value != "*"), "of the form "))
}

/// Whether a condition on a header holds, or with `inverted` its opposite.
fn header_matches(
    name: &Spanned<CompactString>,
    wanted: Option<&Spanned<StringMatch>>,
    seen: &Seen,
    inverted: bool,
) -> Result<bool, Cause> {
    let lower = name.value.to_ascii_lowercase();
    let presence = asks_presence(wanted);
    // An expression that cannot be judged is a doubt even where there is no value to judge.
    judged(wanted)?;
    let mut claim = false;
    let values: Vec<&str> = match lower.as_str() {
        ":method" => vec![&seen.method],
        ":authority" | "host" => vec![&seen.authority],
        ":scheme" => vec![&seen.scheme],
        ":path" => {
            // Which conditions the symbolic reading can judge is for it to say.
            full_path(name, wanted, inverted).map_err(|(_, cause)| cause)?;
            let fits = value_matches(wanted.map(|wanted| &wanted.value), &seen.path)?;
            return Ok(fits != inverted);
        }
        claims if claims.starts_with("@request.auth.claims") => {
            let names = routing_claim(&name.value).ok_or_else(|| unmodelled(name, "this way to name a claim"))?;
            if presence {
                return Err(presence_of_claim(name));
            }
            claim = true;
            seen.claim(&names)
        }
        _ => seen.header(&name.value).collect(),
    };
    // A header that is not there counts as empty where it must not match, unless only its presence is asked.
    let values = if inverted && values.is_empty() && !presence && !claim { vec![""] } else { values };
    let mut any = false;
    for value in values {
        any |= value_matches(wanted.map(|wanted| &wanted.value), value)?;
    }
    Ok(any != inverted)
}

/// Whether a CORS policy answers a request itself.
///
/// # Upstream
/// Envoy: `source/extensions/filters/http/cors/cors_filter.cc`, `decodeHeaders`.
pub(crate) fn answers_preflight(preflight: &Preflight, seen: &Seen) -> Result<bool, Cause> {
    let one = |name: &'static str| seen.header(name).find(|value| !value.is_empty());
    let (Some(origin), Some(_)) = (one("origin"), one("access-control-request-method")) else {
        return Ok(false);
    };
    if seen.method != "OPTIONS" {
        return Ok(false);
    }
    let Some(origins) = &preflight.origins else {
        return Ok(true);
    };
    let mut doubt = None;
    let mut any = false;
    for wanted in origins {
        match value_matches(Some(wanted), origin) {
            Ok(matched) => any |= matched,
            Err(cause) => doubt = doubt.or(Some(cause)),
        }
    }
    doubt.map_or(Ok(any), Err)
}

/// A `uri` on a path.
fn uri_matches(uri: &StringMatch, path: &str, ignore_case: bool) -> Result<bool, Cause> {
    let fold = |text: &str| if ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
    if let Some(exact) = &uri.exact {
        return Ok(fold(path) == fold(&exact.value));
    }
    if let Some(prefix) = &uri.prefix {
        return Ok(fold(path).starts_with(&fold(&prefix.value)));
    }
    uri.regex.as_ref().map_or(Ok(true), |regex| regex_matches(regex, path))
}

/// `exact`, `prefix`, `regex`, or presence, on a value that is there.
fn value_matches(wanted: Option<&StringMatch>, value: &str) -> Result<bool, Cause> {
    let Some(wanted) = wanted else {
        return Ok(true);
    };
    match (&wanted.exact, &wanted.prefix, &wanted.regex) {
        (Some(exact), ..) => Ok(exact.value == value),
        (_, Some(prefix), _) => Ok(value.starts_with(prefix.value.as_str())),
        (_, _, Some(regex)) if regex.value == "*" => Ok(true),
        (_, _, Some(regex)) => regex_matches(regex, value),
        (None, None, None) => Ok(true),
    }
}

/// Whether the regular expression in a string match, if there is one, can be judged at all.
fn judged(wanted: Option<&Spanned<StringMatch>>) -> Result<(), Cause> {
    match wanted.and_then(|wanted| wanted.value.regex.as_ref()) {
        Some(regex) if regex.value != "*" => regex_matches(regex, "").map(|_| ()),
        _ => Ok(()),
    }
}

/// A regular expression on a whole value.
fn regex_matches(regex: &Spanned<CompactString>, value: &str) -> Result<bool, Cause> {
    regex_pattern(regex).map(|pattern| pattern.matches(value))
}
