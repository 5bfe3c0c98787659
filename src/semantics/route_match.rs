//! Which requests a match of a virtual service takes, as conditions on the request space.

use compact_str::CompactString;

use super::authorization_condition::claim_dimension;
use super::decision::{Cause, CauseKind};
use super::http_route::Preflight;
use crate::model::{HttpMatch, StringMatch, StringMatches};
use crate::space::{Cube, Dimension, PathTest, Pattern, RegexError, Test};
use crate::text::Spanned;

/// The requests that a match takes: all of a cube, or with a cause at most those.
pub(crate) type Matched = (Cube, Option<Cause>);

/// Whether a match takes every request, in istiod's own narrow sense.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `IsCatchAllRoute`.
pub(crate) fn is_catch_all_match(matches: &HttpMatch) -> bool {
    let any_path = matches.uri.as_ref().is_none_or(|uri| {
        let uri = &uri.value;
        let prefix = uri.prefix.as_ref().is_some_and(|prefix| prefix.value == "/");
        let regex = uri.regex.as_ref().is_some_and(|regex| regex.value == ".*");
        prefix || regex || (uri.exact.is_none() && uri.prefix.is_none() && uri.regex.is_none())
    });
    let free = |map: &StringMatches| map.as_ref().is_none_or(|map| map.is_empty());
    any_path
        && matches.method.is_none()
        && matches.scheme.is_none()
        && matches.authority.is_none()
        && free(&matches.headers)
        && free(&matches.query_params)
        && free(&matches.without_headers)
}

/// The requests that a match takes, static conditions aside.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `TranslateRouteMatch`.
pub(crate) fn match_cube(matches: &HttpMatch) -> Matched {
    let mut cube = Cube::default();
    let mut doubt: Option<Cause> = None;
    let mut note = |cause: Cause| {
        // What Envoy refuses it refuses whatever else is doubtful.
        if doubt.is_none() || cause.kind == CauseKind::RefusedConfiguration {
            doubt = Some(cause);
        }
    };
    if let Some(uri) = &matches.uri {
        match uri_pattern(&uri.value, matches.ignore_uri_case == Some(true)) {
            Ok(pattern) => cube.path.extend(pattern.map(|pattern| PathTest::any(vec![pattern]))),
            Err(cause) => note(cause),
        }
    }
    let pseudo = [
        (Dimension::Method, &matches.method),
        (Dimension::Scheme, &matches.scheme),
        (Dimension::Authority, &matches.authority),
    ];
    for (dimension, wanted) in pseudo {
        match wanted.as_ref().map(|wanted| string_pattern(&wanted.value)) {
            Some(Ok(pattern)) => cube.tests.push(Test::any(dimension, vec![pattern])),
            Some(Err(cause)) => note(cause),
            None => {}
        }
    }
    for (name, wanted) in matches.headers.as_deref().into_iter().flatten() {
        let wanted = wanted.as_ref();
        match (header(name), value_pattern(wanted)) {
            (Header::Claim(dimension), Ok(pattern)) if !asks_presence(wanted) => {
                cube.tests.push(Test::any(dimension, vec![pattern]));
            }
            (Header::Values(dimension), Ok(pattern)) => cube.tests.push(Test::any(dimension, vec![pattern])),
            (Header::FullPath, _) => match full_path(name, wanted, false) {
                Ok(whole) => cube = cube.and(&whole),
                Err((whole, cause)) => {
                    cube = cube.and(&whole);
                    note(cause);
                }
            },
            (Header::Claim(_), Ok(_)) => note(presence_of_claim(name)),
            (Header::Unmodelled(cause), _) | (Header::Values(_) | Header::Claim(_), Err(cause)) => note(cause),
        }
    }
    for (name, wanted) in matches.query_params.as_deref().into_iter().flatten() {
        match value_pattern(wanted.as_ref()) {
            Ok(pattern) => cube.tests.push(Test::any(Dimension::Query(name.value.as_str().into()), vec![pattern])),
            Err(cause) => note(cause),
        }
    }
    for (name, unwanted) in matches.without_headers.as_deref().into_iter().flatten() {
        let unwanted = unwanted.as_ref();
        match (header(name), value_pattern(unwanted)) {
            (Header::Claim(dimension), Ok(pattern)) if !asks_presence(unwanted) => {
                cube.tests.push(Test::none(dimension, vec![pattern]));
            }
            (Header::Values(dimension), Ok(pattern)) => cube.tests.push(without(dimension, pattern)),
            (Header::FullPath, _) => match full_path(name, unwanted, true) {
                Ok(whole) => cube = cube.and(&whole),
                Err((_, cause)) => note(cause),
            },
            (Header::Claim(_), Ok(_)) => note(presence_of_claim(name)),
            (Header::Unmodelled(cause), _) | (Header::Values(_) | Header::Claim(_), Err(cause)) => note(cause),
        }
    }
    (cube, doubt)
}

/// The preflights that a CORS policy answers.
///
/// # Upstream
/// Envoy: `source/extensions/filters/http/cors/cors_filter.cc`, `decodeHeaders`.
pub(crate) fn preflight_cube(preflight: &Preflight) -> Matched {
    let origin = Dimension::Header("origin".into());
    let asked = Dimension::Header("access-control-request-method".into());
    let cube = Cube::default()
        .any(Dimension::Method, vec![Pattern::Exact("OPTIONS".into())])
        .any(asked, vec![Pattern::NonEmpty])
        .any(origin.clone(), vec![Pattern::NonEmpty]);
    let Some(origins) = &preflight.origins else {
        return (cube, None);
    };
    let (mut served, mut doubt) = (Vec::new(), None);
    for wanted in origins {
        match string_pattern(wanted) {
            Ok(pattern) => served.push(pattern),
            Err(cause) => doubt = doubt.or(Some(cause)),
        }
    }
    if doubt.is_some() { (cube, doubt) } else { (cube.any(origin, served), None) }
}

/// A header that must not match. A missing one counts as empty, unless only presence is asked.
fn without(dimension: Dimension, pattern: Pattern) -> Test {
    let takes_empty = pattern != Pattern::Any && pattern.matches("");
    let any_of = takes_empty.then(|| vec![Pattern::Any]);
    Test { dimension, any_of, none_of: vec![pattern] }
}

/// What a header name stands for.
enum Header {
    /// The values of a dimension
    Values(Dimension),
    /// A claim of a verified token
    Claim(Dimension),
    /// The path together with its query
    FullPath,
    /// Something that is not modelled
    Unmodelled(Cause),
}

/// What a header name stands for.
fn header(name: &Spanned<CompactString>) -> Header {
    let lower = name.value.to_ascii_lowercase();
    match lower.as_str() {
        ":method" => Header::Values(Dimension::Method),
        ":authority" | "host" => Header::Values(Dimension::Authority),
        ":scheme" => Header::Values(Dimension::Scheme),
        ":path" => Header::FullPath,
        claims if claims.starts_with("@request.auth.claims") => match routing_claim(&name.value) {
            Some(names) => Header::Claim(claim_dimension(&names)),
            None => Header::Unmodelled(unmodelled(name, "this way to name a claim")),
        },
        _ => Header::Values(Dimension::Header(lower.into())),
    }
}

/// The claim that a header name stands for, outermost name first: `@request.auth.claims.a.b` or `…[a][b]`.
///
/// # Upstream
/// istio/istio 1.32: `pkg/jwt/routing.go`, `ToRoutingClaim`.
pub(crate) fn routing_claim(name: &str) -> Option<Vec<&str>> {
    let rest = name.get("@request.auth.claims".len()..)?;
    if let Some(names) = rest.strip_prefix('.').filter(|names| !names.is_empty()) {
        return Some(names.split('.').collect());
    }
    let names = rest.strip_prefix('[')?.strip_suffix(']').filter(|names| !names.is_empty())?;
    Some(names.split("][").collect())
}

/// Whether a string match asks for presence only.
pub(crate) fn asks_presence(wanted: Option<&Spanned<StringMatch>>) -> bool {
    wanted.is_none_or(|wanted| {
        let wanted = &wanted.value;
        wanted.regex.as_ref().is_some_and(|regex| regex.value == "*")
            || (wanted.exact.is_none() && wanted.prefix.is_none() && wanted.regex.is_none())
    })
}

/// A condition on the path together with its query, the query being a parameter without a name. `Err`: at most
/// those requests, and why not all.
pub(crate) fn full_path(
    name: &Spanned<CompactString>,
    wanted: Option<&Spanned<StringMatch>>,
    inverted: bool,
) -> Result<Cube, (Cube, Cause)> {
    let text = |text: Option<&Spanned<CompactString>>| text.map(|text| text.value.clone());
    let fields = wanted.map(|wanted| &wanted.value);
    let prefix = text(fields.and_then(|fields| fields.prefix.as_ref()));
    let exact = text(fields.and_then(|fields| fields.exact.as_ref()));
    let query = || Dimension::Query("".into());
    let on_path = |text: &str| Cube::default().path(vec![Pattern::Exact(text.into())]);
    let split = |text: &str| {
        text.split_once('?').map_or((text.to_owned(), None), |(path, rest)| (path.to_owned(), Some(rest.to_owned())))
    };
    let cube = match (prefix, exact) {
        (Some(prefix), _) => match split(&prefix) {
            (path, None) => {
                let below = vec![Pattern::Prefix(path.as_str().into())];
                return Ok(Cube::default().with_path(if inverted {
                    PathTest::none(below)
                } else {
                    PathTest::any(below)
                }));
            }
            (path, Some(rest)) => on_path(&path).any(query(), vec![Pattern::Prefix(rest.as_str().into())]),
        },
        (None, Some(exact)) => match split(&exact) {
            (path, None) => on_path(&path).none(query(), vec![Pattern::Any]),
            (path, Some(rest)) => on_path(&path).any(query(), vec![Pattern::Exact(rest.as_str().into())]),
        },
        (None, None) if asks_presence(wanted) && inverted => Cube::default().path(Vec::new()),
        (None, None) if asks_presence(wanted) => Cube::default(),
        (None, None) => return Err((Cube::default(), unmodelled(name, "`:path` together with its query"))),
    };
    // What lies outside of a path and a query together is no single condition.
    let outside = || Err((Cube::default(), unmodelled(name, "what `:path` together with its query is not")));
    if inverted && !asks_presence(wanted) { outside() } else { Ok(cube) }
}

/// The cause of a condition that is not modelled.
pub(crate) fn unmodelled(name: &Spanned<CompactString>, what: &str) -> Cause {
    Cause {
        kind: CauseKind::UnmodelledCondition,
        message: format!("{what} is not modelled yet"),
        span: Some(name.span),
    }
}

/// Why nothing is known where a claim need only be there.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/networking/core/route/route.go`, `translateMetadataMatch` (a matcher of nothing, which
/// Envoy refuses).
pub(crate) fn presence_of_claim(name: &Spanned<CompactString>) -> Cause {
    Cause {
        kind: CauseKind::RefusedConfiguration,
        message: "a claim that need only be there makes Envoy refuse all routes of the listener".to_owned(),
        span: Some(name.span),
    }
}

/// The paths that a `uri` takes; `None` for any.
fn uri_pattern(uri: &StringMatch, ignore_case: bool) -> Result<Option<Pattern>, Cause> {
    let pattern = match (&uri.exact, &uri.prefix, &uri.regex) {
        (Some(exact), ..) if ignore_case => Pattern::ExactIgnoreCase(exact.value.as_str().into()),
        (Some(exact), ..) => Pattern::Exact(exact.value.as_str().into()),
        (_, Some(prefix), _) if ignore_case => Pattern::PrefixIgnoreCase(prefix.value.as_str().into()),
        (_, Some(prefix), _) => Pattern::Prefix(prefix.value.as_str().into()),
        (_, _, Some(regex)) => regex_pattern(regex)?,
        (None, None, None) => return Ok(None),
    };
    Ok(Some(pattern))
}

/// The values that an exact, prefix or regular expression takes.
fn string_pattern(wanted: &StringMatch) -> Result<Pattern, Cause> {
    match (&wanted.exact, &wanted.prefix, &wanted.regex) {
        (Some(exact), ..) => Ok(Pattern::Exact(exact.value.as_str().into())),
        (_, Some(prefix), _) => Ok(Pattern::Prefix(prefix.value.as_str().into())),
        (_, _, Some(regex)) => regex_pattern(regex),
        (None, None, None) => Ok(Pattern::Any),
    }
}

/// As [`string_pattern`], where nothing and the regular expression `*` ask for presence.
fn value_pattern(wanted: Option<&Spanned<StringMatch>>) -> Result<Pattern, Cause> {
    match wanted {
        Some(wanted) if wanted.value.regex.as_ref().is_none_or(|regex| regex.value != "*") => {
            string_pattern(&wanted.value)
        }
        _ => Ok(Pattern::Any),
    }
}

/// A regular expression, or why it cannot be judged.
pub(crate) fn regex_pattern(regex: &Spanned<CompactString>) -> Result<Pattern, Cause> {
    Pattern::regex(&regex.value).map_err(|error| Cause {
        kind: match error {
            RegexError::Unloadable { .. } => CauseKind::RefusedConfiguration,
            RegexError::Syntax { .. } | RegexError::TooLarge { .. } => CauseKind::Regex,
        },
        message: format!("the regular expression `{}` cannot be judged: {error}", regex.value),
        span: Some(regex.span),
    })
}
