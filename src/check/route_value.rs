//! The strings of routes that are compared letter by letter, each with what it is for.

use compact_str::CompactString;

use crate::model::{HttpMatch, Resource, StringMatch, VirtualService};
use crate::text::Spanned;

/// What a string of a route is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RouteField {
    /// `uri`
    Path,
    /// `method`
    Method,
    /// `authority`
    Authority,
}

/// A string under `exact` or `prefix`.
#[derive(Debug, Clone, Copy)]
pub(super) struct RouteValue<'v> {
    /// What it is compared with
    pub(super) field: RouteField,
    /// `exact` or `prefix`
    pub(super) how: &'static str,
    /// The string
    pub(super) text: &'v Spanned<CompactString>,
}

/// Every such string of a virtual service.
pub(super) fn route_values(service: &Resource<VirtualService>) -> impl Iterator<Item = RouteValue<'_>> {
    let matches = service.spec.http().iter().flat_map(|route| route.value.matches.iter().flat_map(|list| &list.value));
    matches.flat_map(|one| of_match(&one.value))
}

/// The strings of one match.
fn of_match(one: &HttpMatch) -> impl Iterator<Item = RouteValue<'_>> {
    let fields: [(RouteField, &Option<Box<Spanned<StringMatch>>>); 3] =
        [(RouteField::Path, &one.uri), (RouteField::Method, &one.method), (RouteField::Authority, &one.authority)];
    fields.into_iter().flat_map(|(field, text)| {
        let text = text.as_ref().map(|text| &text.value);
        let exact = text.and_then(|text| text.exact.as_ref()).map(|text| RouteValue { field, how: "exact", text });
        let prefix = text.and_then(|text| text.prefix.as_ref()).map(|text| RouteValue { field, how: "prefix", text });
        exact.into_iter().chain(prefix)
    })
}
