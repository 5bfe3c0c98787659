//! The file of cases: as it is written, with everything that is wrong with it, and the single requests that it stands for.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::expectation::{Expectation, nearest};
use crate::semantics::{Request, Token, WireProtocol};
use crate::text::{FileId, Span, Spanned};
use crate::yaml;

/// A file of cases.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CaseFile {
    /// What every request has unless its case says otherwise
    defaults: Option<Spanned<Fields>>,
    /// The cases
    cases: Vec<Spanned<CaseEntry>>,
}

/// A case, or several that have something in common.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CaseEntry {
    /// What it is about
    name: Option<Spanned<String>>,
    /// The request; a field with several values stands for as many requests
    request: Option<Spanned<Fields>>,
    /// What is expected of each of them
    expect: Option<Spanned<Expectation>>,
    /// Cases that say only what is different
    each: Vec<Spanned<Self>>,
}

/// The fields of an `eval` request, each with one value or several.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// `gateway NS/NAME:PORT`, `workload NS/NAME:PORT` or `service NS/NAME:PORT`
    entrypoint: Option<Spanned<Many>>,
    /// The peer identity; `null` is none
    source: Option<Many>,
    /// `NS/NAME` of the client's workload
    source_workload: Option<Many>,
    /// Method
    method: Option<Many>,
    /// Authority
    authority: Option<Many>,
    /// Path with its query
    path: Option<Many>,
    /// Address of the client
    source_ip: Option<Many>,
    /// Server name on TLS
    sni: Option<Many>,
    /// Name and value, in order
    headers: Option<Vec<(String, String)>>,
    /// Claims of the token
    claims: Option<Map<String, Value>>,
    /// Whether the token verifies
    token: Option<Token>,
    /// HTTP, or bytes that are not
    protocol: Option<WireProtocol>,
}

/// One text or several; `null` is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Many(Vec<Option<String>>);

impl<'de> Deserialize<'de> for Many {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ManyVisitor)
    }
}

/// Reads one text or a list.
struct ManyVisitor;

impl<'de> Visitor<'de> for ManyVisitor {
    type Value = Many;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Many(vec![Some(text.to_owned())]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element::<Option<String>>()? {
            all.push(item);
        }
        if all.is_empty() { Err(A::Error::custom("must not be empty")) } else { Ok(Many(all)) }
    }
}

/// Something wrong with a file of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseProblem {
    /// Where
    pub span: Span,
    /// What is true, lower-case, without full stop
    pub message: String,
    /// What was probably meant
    pub help: Option<String>,
}

impl CaseProblem {
    /// Something wrong at a place.
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }
}

/// One request of a file with what is expected of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is about, and which of several it is
    pub name: String,
    /// Where it is written
    pub span: Span,
    /// Where its entrypoint is written
    pub entrypoint_span: Span,
    /// The request
    pub request: Request,
    /// What is expected
    pub expected: Expectation,
}

/// Reads a file of cases. `Err`: everything that is wrong with it.
pub fn read_cases(file: FileId, text: &str) -> Result<Vec<Case>, Vec<CaseProblem>> {
    let stream = yaml::read(file, text);
    let mut problems: Vec<CaseProblem> =
        stream.problems.iter().map(|problem| CaseProblem::new(problem.span, problem.message.clone())).collect();
    let mut cases = Vec::new();
    for document in &stream.documents {
        let typed = yaml::from_node::<CaseFile>(document.root());
        for unread in &typed.unread {
            let near = nearest(&unread.key, unread.known.iter().copied());
            problems.push(CaseProblem {
                help: near.map(|near| format!("the nearest key is `{near}`")),
                ..CaseProblem::new(unread.key_span, format!("a file of cases has no key `{}` here", unread.key))
            });
        }
        match typed.value {
            Err(error) => {
                let message = format!("`{}` {}", error.field_path, error.message);
                problems.push(CaseProblem::new(error.span, message));
            }
            Ok(read) => {
                let defaults = read.defaults.map(|defaults| defaults.value).unwrap_or_default();
                for entry in &read.cases {
                    entry.value.expand(entry.span, &defaults, None, None, &mut cases, &mut problems);
                }
            }
        }
    }
    if cases.is_empty() && problems.is_empty() {
        problems.push(CaseProblem::new(Span { file, start: 0, end: 0 }, "the file has no `cases`"));
    }
    if problems.is_empty() { Ok(cases) } else { Err(problems) }
}

impl CaseEntry {
    /// The single requests that a case stands for, given what stands around it.
    fn expand(
        &self,
        span: Span,
        around: &Fields,
        name: Option<&str>,
        expected: Option<&Expectation>,
        cases: &mut Vec<Case>,
        problems: &mut Vec<CaseProblem>,
    ) {
        let own = self.name.as_ref().map(|name| name.value.as_str());
        let name = match (name, own) {
            (Some(outer), Some(own)) => Some(format!("{outer}: {own}")),
            (one, other) => one.or(other).map(str::to_owned),
        };
        let fields = self.request.as_ref().map_or_else(|| around.clone(), |own| own.value.or(around));
        let expected = self.expect.as_ref().map(|expected| &expected.value).or(expected);
        if !self.each.is_empty() {
            for entry in &self.each {
                entry.value.expand(entry.span, &fields, name.as_deref(), expected, cases, problems);
            }
            return;
        }
        let Some(expected) = expected.filter(|expected| expected.decision.is_some()) else {
            problems.push(CaseProblem::new(span, "the case does not say which decision it expects"));
            return;
        };
        let Some(entrypoint) = &fields.entrypoint else {
            problems.push(CaseProblem::new(span, "the request of the case has no `entrypoint`"));
            return;
        };
        for (request, told) in fields.requests() {
            let base = name.clone().unwrap_or_else(|| request.entrypoint.clone());
            let name = if told.is_empty() { base } else { format!("{base} [{}]", told.join(", ")) };
            let entrypoint_span = entrypoint.span;
            cases.push(Case { name, span, entrypoint_span, request, expected: expected.clone() });
        }
    }
}

impl Fields {
    /// These fields, and others where these say nothing.
    fn or(&self, others: &Self) -> Self {
        let own = self.clone();
        Self {
            entrypoint: own.entrypoint.or_else(|| others.entrypoint.clone()),
            source: own.source.or_else(|| others.source.clone()),
            source_workload: own.source_workload.or_else(|| others.source_workload.clone()),
            method: own.method.or_else(|| others.method.clone()),
            authority: own.authority.or_else(|| others.authority.clone()),
            path: own.path.or_else(|| others.path.clone()),
            source_ip: own.source_ip.or_else(|| others.source_ip.clone()),
            sni: own.sni.or_else(|| others.sni.clone()),
            headers: own.headers.or_else(|| others.headers.clone()),
            claims: own.claims.or_else(|| others.claims.clone()),
            token: own.token.or(others.token),
            protocol: own.protocol.or(others.protocol),
        }
    }

    /// The requests, each with the values that tell it from the others.
    fn requests(&self) -> Vec<(Request, Vec<String>)> {
        let mut base = Request::at("");
        base.headers = self.headers.clone().unwrap_or_default();
        base.claims.clone_from(&self.claims);
        base.token = self.token;
        base.protocol = self.protocol.unwrap_or_default();
        let mut all = vec![(base, Vec::new())];
        let mut each = |name: &str, many: Option<&Many>, set: &dyn Fn(&mut Request, Option<String>)| {
            let Some(Many(values)) = many else { return };
            let several = values.len() > 1;
            let with = |(request, told): &(Request, Vec<String>), value: &Option<String>| {
                let (mut request, mut told) = (request.clone(), told.clone());
                set(&mut request, value.clone());
                if several {
                    told.push(format!("{name} {}", value.as_deref().unwrap_or("none")));
                }
                (request, told)
            };
            all = all.iter().flat_map(|one| values.iter().map(move |value| with(one, value))).collect();
        };
        let entrypoint = self.entrypoint.as_ref().map(|entrypoint| &entrypoint.value);
        each("entrypoint", entrypoint, &|request, value| request.entrypoint = value.unwrap_or_default());
        each("source", self.source.as_ref(), &|request, value| request.source = value);
        each("source_workload", self.source_workload.as_ref(), &|request, value| request.source_workload = value);
        each("method", self.method.as_ref(), &|request, value| {
            request.method = value.unwrap_or_else(|| "GET".to_owned());
        });
        each("authority", self.authority.as_ref(), &|request, value| request.authority = value);
        each("path", self.path.as_ref(), &|request, value| request.path = value.unwrap_or_else(|| "/".to_owned()));
        each("source_ip", self.source_ip.as_ref(), &|request, value| request.source_ip = value);
        each("sni", self.sni.as_ref(), &|request, value| request.sni = value);
        all
    }
}
