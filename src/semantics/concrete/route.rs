//! Whether a match of a virtual service takes one request, read naively: the second opinion on `route_table`.

use super::super::decision::{Cause, CauseKind};
use super::super::route_table::unmodelled;
use super::seen::Seen;
use crate::model::{HttpMatch, StringMatch};
use crate::text::Spanned;

/// Whether a match takes a request, static conditions aside. `Err`: it has a condition that is not modelled.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `TranslateRouteMatch`.
pub(crate) fn route_matches(matches: &HttpMatch, seen: &Seen) -> Result<bool, Cause> {
    let mut all = true;
    if let Some(uri) = &matches.uri {
        all &= uri_matches(&uri.value, seen.bare_path(), matches.ignore_uri_case == Some(true))?;
    }
    let pseudo =
        [(&matches.method, &seen.method), (&matches.scheme, &seen.scheme), (&matches.authority, &seen.authority)];
    for (wanted, value) in pseudo {
        if let Some(wanted) = wanted {
            all &= value_matches(Some(wanted), value)?;
        }
    }
    for (name, wanted) in matches.headers.iter().flatten() {
        let mut any = false;
        for value in header_values(name, seen)? {
            any |= value_matches(wanted.as_ref(), value)?;
        }
        all &= any;
    }
    for (name, wanted) in matches.query_params.iter().flatten() {
        all &= match seen.query(&name.value) {
            Some(value) => value_matches(wanted.as_ref(), value)?,
            None => false,
        };
    }
    for (name, unwanted) in matches.without_headers.iter().flatten() {
        let values = header_values(name, seen)?;
        let presence = unwanted.as_ref().is_none_or(|unwanted| {
            let unwanted = &unwanted.value;
            unwanted.regex.as_ref().is_some_and(|regex| regex.value == "*")
                || (unwanted.exact.is_none() && unwanted.prefix.is_none() && unwanted.regex.is_none())
        });
        // A header that is not there counts as empty, unless only its presence is asked.
        let values = if values.is_empty() && !presence { vec![""] } else { values };
        for value in values {
            all &= !value_matches(unwanted.as_ref(), value)?;
        }
    }
    Ok(all)
}

/// Every value of a header, or of what a pseudo header stands for.
fn header_values<'s>(name: &'s Spanned<String>, seen: &'s Seen) -> Result<Vec<&'s str>, Cause> {
    let lower = name.value.to_ascii_lowercase();
    match lower.as_str() {
        ":method" => Ok(vec![&seen.method]),
        ":authority" | "host" => Ok(vec![&seen.authority]),
        ":scheme" => Ok(vec![&seen.scheme]),
        ":path" => Err(unmodelled(name, "`:path` together with its query")),
        claims if claims.starts_with("@request.auth.claims") => Err(unmodelled(name, "routing by claims")),
        _ => Ok(seen.header(&name.value).collect()),
    }
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
fn value_matches(wanted: Option<&Spanned<StringMatch>>, value: &str) -> Result<bool, Cause> {
    let Some(wanted) = wanted.map(|wanted| &wanted.value) else {
        return Ok(true);
    };
    match (&wanted.exact, &wanted.prefix, &wanted.regex) {
        (Some(exact), ..) => Ok(exact.value == value),
        (_, Some(prefix), _) => Ok(value.starts_with(&prefix.value)),
        (_, _, Some(regex)) if regex.value == "*" => Ok(true),
        (_, _, Some(regex)) => regex_matches(regex, value),
        (None, None, None) => Ok(true),
    }
}

/// A regular expression on a whole value.
fn regex_matches(regex: &Spanned<String>, value: &str) -> Result<bool, Cause> {
    crate::space::Pattern::regex(&regex.value).map(|pattern| pattern.matches(value)).map_err(|error| Cause {
        kind: CauseKind::Regex,
        message: format!("the regular expression `{}` cannot be judged: {error}", regex.value),
        span: Some(regex.span),
    })
}
