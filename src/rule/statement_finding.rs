//! What a user's rule says of the cells that break it.

use super::cause::{RootCause, settle};
use super::file::RuleFile;
use super::finding::{Finding, Way};
use super::scope;
use super::statement_ask::{Hit, Root};
use super::template::{self, Values};
use super::{Label, Related};
use crate::model::{ObjectId, Resource, VirtualService, workload_in_words};
use crate::semantics::{By, Cause, Request, World};
use crate::text::Span;

/// The finding of the cells of one root.
pub(super) fn finding(world: &World, rule: &RuleFile, root: &Root, hit: Hit) -> Finding {
    let first = hit.workloads.first().cloned().unwrap_or_default();
    let namespace = first.split('/').next().unwrap_or_default();
    let nowhere = hit.place.or_else(|| scope::first_mention(world, namespace));
    let Blame { span, text, resource, cause, foreign } = blame(world, root, nowhere);
    let route = match root {
        Root::Route(span) => virtual_service(world, *span).map(|service| service.id.clone()),
        Root::Door(_) | Root::Refusal(..) | Root::Refused(..) => None,
    };
    let values = values(&first, hit.witness.as_ref(), route.as_deref());
    let fill = |template: &str| template::fill(template, &values);
    let more = match hit.workloads.len() {
        0 | 1 => String::new(),
        2 => " (and 1 more workload)".to_owned(),
        count => format!(" (and {} more workloads)", count - 1),
    };
    let message = rule.message.as_deref().map_or_else(|| usual(rule, root, &first, &hit, &values), fill) + &more;
    let message = match &cause {
        Some(cause) => format!("`{}` is not proven of {}{more}: {}", rule.id, workload_in_words(&first), cause.message),
        None => message,
    };
    let label = rule.label.as_deref().filter(|_| cause.is_none()).map_or(text, fill);
    let help = match &cause {
        Some(cause) => Some(settle(cause).to_owned()),
        None => Some(fill(&rule.help)).filter(|help| !help.is_empty()),
    };
    Finding {
        rule: rule.id.clone().into(),
        severity: rule.severity,
        status: root.status(),
        world: None,
        message,
        help,
        label: Label { span, text: label },
        resource: resource.or_else(|| route.as_deref().cloned()),
        workload: Some(first),
        witness: hit.witness.map(Box::new),
        seen_path: None,
        way: Way { refused: root.is_refusal(), ..Way::default() },
        fix: None,
        doors: hit.doors,
        cells: hit.cells,
        causes: cause.into_iter().collect(),
        related: foreign.into_iter().collect(),
    }
}

/// What lets cells in.
struct Blame {
    /// Where
    span: Span,
    /// In few words
    text: String,
    /// The object there
    resource: Option<ObjectId>,
    /// Why it cannot be told, if so
    cause: Option<Cause>,
    /// Where it stands in somebody else's manifests
    foreign: Option<Related>,
}

/// What lets the cells of a root in.
fn blame(world: &World, root: &Root, nowhere: Option<Span>) -> Blame {
    let somewhere =
        |span: Option<Span>| span.or(nowhere).unwrap_or(Span { file: crate::text::FileId(0), start: 0, end: 0 });
    let at = |span: Option<Span>, text: &str| Blame {
        span: somewhere(span),
        text: text.to_owned(),
        resource: None,
        cause: None,
        foreign: None,
    };
    match root {
        Root::Route(span) => match virtual_service(world, *span).filter(|service| service.context) {
            Some(service) => {
                let foreign = related(*span, format!("{} of the context delivers it", service.id));
                Blame { foreign: Some(foreign), ..at(nowhere.or(Some(*span)), "a route of the context delivers it") }
            }
            None if world.mesh.services.iter().any(|service| service.name_span == *span) => {
                at(Some(*span), "this Service leads to it")
            }
            None => at(Some(*span), "this route delivers it"),
        },
        Root::Door(RootCause::Rule(policy, _, span)) if scope::is_foreign(world, policy) => {
            let foreign = related(*span, format!("{policy} of the context admits it"));
            let blame = at(nowhere.or(Some(*span)), "a policy of the context admits it");
            Blame { resource: Some((**policy).clone()), foreign: Some(foreign), ..blame }
        }
        Root::Door(RootCause::Rule(policy, _, span)) => {
            Blame { resource: Some((**policy).clone()), ..at(Some(*span), "this rule admits it") }
        }
        Root::Door(RootCause::NoProxy(_, span)) => at(*span, "takes the proxy away"),
        Root::Door(RootCause::NoAllow(workload)) => {
            Blame { resource: Some((**workload).clone()), ..at(nowhere, "no ALLOW policy selects it") }
        }
        Root::Refusal(policy, _, span) if scope::is_foreign(world, policy) => {
            let foreign = related(*span, format!("{policy} of the context refuses it"));
            let blame = at(nowhere.or(Some(*span)), "a policy of the context refuses it");
            Blame { resource: Some((**policy).clone()), foreign: Some(foreign), ..blame }
        }
        Root::Refusal(policy, _, span) => {
            Blame { resource: Some((**policy).clone()), ..at(Some(*span), "this rule refuses it") }
        }
        Root::Refused(workload, by) => {
            let text = match by {
                By::Policy => "no ALLOW rule admits it",
                By::Jwt => "its proxy does not take the token",
                By::BadRequest => "its proxy takes it for no request",
                By::Closed | By::NoListener => "its proxy closes the connection",
                By::Reached | By::NoRoute | By::Redirect | By::DirectResponse | By::Fault | By::NoDestination => {
                    "its proxy answers by itself"
                }
            };
            Blame { resource: Some((**workload).clone()), ..at(nowhere, text) }
        }
        Root::Door(RootCause::Undetermined(cause)) => {
            Blame { cause: Some(cause.clone()), ..at(cause.span, "decides instead of the policies") }
        }
    }
}

/// A further place.
fn related(span: Span, message: String) -> Related {
    Related { span, message, rule: None, severity: None }
}

/// What is said where the rule has no message of its own.
fn usual(rule: &RuleFile, root: &Root, workload: &str, hit: &Hit, values: &Values) -> String {
    let without: Vec<&str> = hit.without.iter().copied().collect();
    let without = if without.is_empty() { String::new() } else { format!(" {}", without.join(", ")) };
    let what = if values.path.is_empty() { "a connection".to_owned() } else { format!("`{}`", values.path) };
    let does = if root.is_refusal() { "refuses" } else { "accepts" };
    format!("{}: {} {does} {what}{without}", rule.title, workload_in_words(workload))
}

/// The values of a witness.
fn values(workload: &str, witness: Option<&Request>, route: Option<&ObjectId>) -> Values {
    let source = |request: &Request| match &request.source {
        Some(source) => source.clone(),
        None if request.entrypoint.starts_with("gateway") => "outside".to_owned(),
        None => "a caller without identity".to_owned(),
    };
    let path = |request: &Request| request.path.split('?').next().unwrap_or_default().to_owned();
    let http = witness.filter(|request| request.protocol == crate::semantics::WireProtocol::Http);
    Values {
        workload: workload.to_owned(),
        source: witness.map(source).unwrap_or_default(),
        method: http.map(|request| request.method.clone()).unwrap_or_default(),
        host: http.and_then(|request| request.authority.clone()).unwrap_or_default(),
        path: http.map(path).unwrap_or_default(),
        route: route.map(ObjectId::path).unwrap_or_default(),
    }
}

/// The virtual service that a route stands in.
fn virtual_service(world: &World, route: Span) -> Option<&Resource<VirtualService>> {
    let within = |span: Span| span.file == route.file && span.start <= route.start && route.end <= span.end;
    world.mesh.virtual_services.iter().find(|service| within(service.span))
}
