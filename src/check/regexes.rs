//! Regular expressions of routes, which take the whole value.

use compact_str::CompactString;

use super::facts::Facts;
use super::observation::Observation;
use crate::model::{ObjectId, StringMatch};
use crate::text::Spanned;

/// Looks at every regular expression of every virtual service.
pub(super) fn check(facts: &Facts<'_>, seen: &mut Vec<Observation>) {
    for service in facts.world().mesh.virtual_services.iter().filter(|service| !service.context) {
        for route in service.spec.http() {
            for one in route.value.matches.iter().flat_map(|list| &list.value) {
                let one = &one.value;
                let fields = [&one.uri, &one.scheme, &one.method].into_iter().flatten().map(AsRef::as_ref);
                let maps = [&one.headers, &one.query_params, &one.without_headers].into_iter().flatten();
                let named = maps.flat_map(|map| map.values().flatten());
                let regexes = fields.chain(named).filter_map(|text| text.value.regex.as_ref());
                seen.extend(regexes.filter_map(|regex| misanchored(&service.id, regex)));
                if let Some(regex) = one.authority.as_ref().and_then(|text| text.value.regex.as_ref()) {
                    seen.extend(bare_dot(&service.id, regex).or_else(|| misanchored(&service.id, regex)));
                }
            }
            let origins = route.value.cors_policy.iter().flat_map(|cors| cors.value.allow_origins.iter().flatten());
            let origins = origins.filter_map(|origin: &StringMatch| origin.regex.as_ref());
            seen.extend(origins.filter_map(|regex| bare_dot(&service.id, regex)));
        }
    }
}

/// `misread-regex`: an unescaped dot in the expression of a host.
fn bare_dot(service: &ObjectId, regex: &Spanned<CompactString>) -> Option<Observation> {
    let bytes = regex.value.as_bytes();
    let letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bare = (1..bytes.len())
        .any(|place| bytes.get(place) == Some(&b'.') && letter(bytes.get(place - 1)) && letter(bytes.get(place + 1)));
    bare.then(|| {
        let message = format!("a dot of `{}` is any character, so other hosts match as well", regex.value);
        Observation::new("misread-regex", service, regex.span, "an unescaped dot", message).help("write `\\.`")
    })
}

/// `misread-regex`: one end is anchored, as if the other were open; it is not.
fn misanchored(service: &ObjectId, regex: &Spanned<CompactString>) -> Option<Observation> {
    let text = regex.value.as_str();
    let (starts, ends) = (text.starts_with('^'), text.ends_with('$') && !text.ends_with("\\$"));
    // What ends in a repetition is open by itself, and so is what begins with one; a path begins with `/` anyway.
    let open_end = text.ends_with(['*', '+', '}', '?', ')']);
    let open_start = text.starts_with(['.', '/', '(', '[']) || text.starts_with("\\/");
    let (label, message, help) = match (starts, ends) {
        (true, false) if !open_end => (
            "must match to the end",
            format!("`{text}` reads as the beginning of a value, and takes the whole value or nothing"),
            format!("write `{text}.*`, or `prefix`"),
        ),
        (false, true) if !open_start => (
            "must match from the beginning",
            format!("`{text}` reads as the end of a value, and takes the whole value or nothing"),
            format!("write `.*{text}`"),
        ),
        _ => return None,
    };
    Some(Observation::new("misread-regex", service, regex.span, label, message).help(help))
}
