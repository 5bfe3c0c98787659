//! `api-outside-ingress` and `internal-outside-namespace`: what gets in at the two kinds of path, and from whom.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cause::{Groups, Words, findings};
use super::default_deny::DefaultDeny;
use super::finding::{Finding, Label, Related, Severity, Status, Way};
use super::scope::{self, Scope};
use crate::matrix::{Crossing, Delivered, Door, Lock, Opening, ask_again};
use crate::model::{MtlsMode, Values, Workload};
use crate::semantics::{Cause, CauseKind, Chain, Decision, Ending, Guard, Protocol, Request, World, effective_mode};
use crate::space::{Cube, Dimension, Pattern};

/// What one rule asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// `/api` from a peer that is no ingress identity
    Api,
    /// `/internal` from a peer that is neither of the own namespace nor the ingress
    Internal,
    /// `/internal` from the ingress
    InternalThroughIngress,
}

/// What the path rules found in one namespace.
#[derive(Debug, Clone, Default)]
pub(super) struct PathFindings {
    /// The findings
    pub(super) findings: Vec<Finding>,
    /// Cells that the finding about the default deny stands for
    pub(super) folded: usize,
    /// Doors asked
    pub(super) doors: usize,
    /// Ports that speak TCP and have no path
    pub(super) tcp_ports: usize,
    /// Classes of paths told apart
    pub(super) path_classes: usize,
    /// Whether the rules were asked in full
    pub(super) in_full: bool,
    /// Workloads asked
    pub(super) workloads: usize,
}

/// Asks both rules of the workloads of a namespace.
pub(super) fn ask(scope: &Scope<'_>, namespace: &str, default_deny: Option<&DefaultDeny>) -> PathFindings {
    const QUESTIONS: [Question; 3] = [Question::Api, Question::Internal, Question::InternalThroughIngress];
    let world = scope.world;
    let in_full = scope.uses_convention(namespace);
    let mut found = PathFindings { in_full, ..PathFindings::default() };
    let (mut api, mut internal) = (Groups::default(), Groups::default());
    let cubes = QUESTIONS.map(|question| cube(world, namespace, question));
    let mut locks: Vec<*const Lock> = Vec::new();
    let is_asked = |workload: &Workload| scope::is_asked(world, workload) && !scope.table.covers(workload);
    found.workloads = world.workloads_in(namespace).iter().filter(|workload| is_asked(workload)).count();
    let doors: Vec<&Door<'_>> =
        scope.judged.in_namespace(namespace).iter().filter(|door| is_asked(door.workload)).collect();
    for door in ask_again(&doors, &cubes) {
        // What is declared TCP serves no path, whether or not a proxy looks at it.
        let bare_tcp = matches!(door.lock.guard, Guard::Nothing { .. }) && door.port.protocol == Protocol::Tcp;
        if door.chain == Chain::Tcp || bare_tcp {
            found.tcp_ports += 1;
            continue;
        }
        found.doors += 1;
        if !locks.contains(&Arc::as_ptr(&door.lock)) {
            locks.push(Arc::as_ptr(&door.lock));
            found.path_classes += door.lock.path_classes;
        }
        for (place, (question, within)) in QUESTIONS.into_iter().zip(&cubes).enumerate() {
            for opening in door.openings(place) {
                if default_deny.is_some_and(|default_deny| default_deny.stands_for(&door, &opening.ending)) {
                    found.folded += 1;
                    continue;
                }
                let groups = if question == Question::Api { &mut api } else { &mut internal };
                if question == Question::InternalThroughIngress {
                    through_ingress(scope, &door, opening, within, groups);
                } else {
                    let related = reasons(world, &door, opening.witness.as_ref());
                    groups.add(&door, &opening, Severity::Error, related);
                }
            }
        }
    }
    let convention = &world.options.convention;
    let api_words = Words {
        rule: "api-outside-ingress",
        accepts: &format!("accepts `{}` from a peer that is no ingress gateway", convention.api),
        narrow: &format!(
            "name the ingress gateway's identity under `from[].source.principals`, and nobody else{}",
            principals(world)
        ),
        unrouted: "",
        apart: "",
    };
    let internal_words = Words {
        rule: "internal-outside-namespace",
        accepts: &format!("accepts `{}` from outside its namespace", convention.internal),
        narrow: &format!(
            "admit only the own namespace to this path, or name the paths that others may reach\nfrom:\n  - source:\n      namespaces: [\"{namespace}\"]"
        ),
        unrouted: &format!(
            "accepts `{}` from the ingress gateway: only the route table keeps it out",
            convention.internal
        ),
        apart: "a gateway runs in this namespace and is admitted with it: name the callers' accounts under `principals`, \
                or let the gateway run in a namespace of its own",
    };
    for (groups, words, prefix) in
        [(api, &api_words, &convention.api), (internal, &internal_words, &convention.internal)]
    {
        drop_doubts(world, namespace, prefix, groups, words, in_full, &mut found.findings);
    }
    found
}

/// The `from` of a policy rule that admits the ingress, as lines of YAML; empty where there is none.
fn principals(world: &World) -> String {
    let identities = world.ingress.iter().map(|path| format!("\n        - {}", world.identity(path)));
    let identities: String = identities.collect();
    if identities.is_empty() { identities } else { format!("\nfrom:\n  - source:\n      principals:{identities}") }
}

/// Turns groups into findings: all of them, or one warning where the convention is not in use.
fn drop_doubts(
    world: &World,
    namespace: &str,
    prefix: &str,
    groups: Groups,
    words: &Words<'_>,
    in_full: bool,
    found: &mut Vec<Finding>,
) {
    if in_full {
        found.extend(settled(findings(world, groups, words)));
        return;
    }
    let open: Vec<_> = groups.groups.iter().filter(|(cause, _)| cause.status() == Status::Broken).collect();
    let mut workloads: Vec<&String> = open.iter().flat_map(|(_, group)| &group.workloads).collect();
    workloads.sort();
    workloads.dedup();
    let Some((_, first)) = open.first() else {
        return;
    };
    let count = workloads.len();
    let who = if count == 1 { "1 workload accepts".to_owned() } else { format!("{count} workloads accept") };
    let whom =
        if words.rule == "api-outside-ingress" { "past the ingress gateway" } else { "from outside the namespace" };
    let Some(span) = scope::first_mention(world, namespace) else {
        return;
    };
    found.push(Finding {
        rule: words.rule.into(),
        severity: Severity::Warning,
        status: Status::Broken,
        world: None,
        message: format!("nothing in `{namespace}` names `{prefix}`; {who} it {whom}"),
        help: Some(
            "if these workloads serve no such path, set `convention: {ask: never}` in `meshlint.yaml`".to_owned(),
        ),
        label: Label { span, text: "asked for the whole namespace".to_owned() },
        resource: None,
        workload: first.workloads.first().cloned(),
        witness: first.witness.clone().map(Box::new),
        seen_path: None,
        doors: BTreeSet::new(),
        way: Way::default(),
        fix: None,
        cells: open.iter().map(|(_, group)| group.cells).sum(),
        causes: Vec::new(),
        related: Vec::new(),
    });
}

/// Findings of one rule: one that is not proven says nothing beside one that is broken.
pub(super) fn settled(mut all: Vec<Finding>) -> Vec<Finding> {
    let broken = all.iter().any(|finding| finding.status == Status::Broken && finding.severity == Severity::Error);
    all.retain(|finding| !broken || finding.status == Status::Broken);
    all
}

/// Identities of the ingress, in every trust domain that the mesh calls its own.
fn ingress(world: &World) -> Vec<Pattern> {
    let domains = world.mesh.settings.trust_bundle();
    let identities = world.ingress.iter().flat_map(|path| domains.iter().map(move |domain| format!("{domain}/{path}")));
    identities.map(|identity| Pattern::Exact(identity.into())).collect()
}

/// The requests that a question is about.
fn cube(world: &World, namespace: &str, question: Question) -> Cube {
    let convention = &world.options.convention;
    let ingress = ingress(world);
    match question {
        Question::Api => scope::paths_below(&convention.api).none(Dimension::Peer, ingress),
        Question::Internal => {
            let domains = world.mesh.settings.accepted_trust_domains();
            let own = domains.iter().map(|domain| Pattern::Prefix(format!("{domain}/ns/{namespace}/").into()));
            scope::paths_below(&convention.internal).none(Dimension::Peer, ingress.into_iter().chain(own).collect())
        }
        Question::InternalThroughIngress => scope::paths_below(&convention.internal).any(Dimension::Peer, ingress),
    }
}

/// What else lets a witness in: a port that takes plaintext from callers without identity.
pub(super) fn reasons(world: &World, door: &Door<'_>, witness: Option<&Request>) -> Vec<Related> {
    let plaintext = witness.is_some_and(|witness| witness.source.is_none());
    if !plaintext || door.lock.guard != Guard::Sidecar {
        return Vec::new();
    }
    let mode = effective_mode(&world.mesh, door.workload, door.port.number);
    let lax = matches!(mode.mode, MtlsMode::Permissive | MtlsMode::Disable);
    mode.span
        .filter(|_| lax)
        .map(|span| Related {
            span,
            message: "this mode takes callers without identity".to_owned(),
            rule: None,
            severity: None,
        })
        .into_iter()
        .collect()
}

/// Judges what the ingress may send: an error where it gets through, a warning where only the routes keep it out.
fn through_ingress(scope: &Scope<'_>, door: &Door<'_>, opening: Opening, within: &Cube, groups: &mut Groups) {
    if opening.ending.decision == Decision::Undetermined {
        groups.add_ingress(door, &opening, Severity::Error, Vec::new());
        return;
    }
    let world = scope.world;
    let deliveries = scope.fronts.delivered(door, &Crossing::to(within));
    let first = deliveries.first();
    if let Some((Delivered::Request(request), route)) = first.map(|delivery| (&delivery.delivered, delivery.route)) {
        let message = "a route of the ingress gateway delivers it".to_owned();
        let related = vec![Related { span: route, message, rule: None, severity: None }];
        let opening = Opening { witness: Some((**request).clone()), ..opening };
        groups.add_ingress(door, &opening, Severity::Error, related);
        return;
    }
    let open = world.gateway_workloads.iter().any(|workload| workload.ingress && workload.open);
    if open && names_ingress(world, &opening) {
        groups.add_ingress(door, &opening, Severity::Error, Vec::new());
        return;
    }
    if let Some(Delivered::Unknown(cause)) = first.map(|delivery| &delivery.delivered) {
        let ending = Ending::undetermined(cause.clone());
        groups.add_ingress(door, &Opening { ending, witness: None }, Severity::Error, Vec::new());
        return;
    }
    let api_gateway = world.mesh.unmodelled.iter().find(|object| object.id.kind == "Gateway");
    if let Some(gateway) = api_gateway {
        let cause = Cause {
            kind: CauseKind::UnmodelledKind,
            message: format!("what {} routes is not modelled yet", gateway.id),
            span: Some(gateway.name_span),
        };
        groups.add_ingress(
            door,
            &Opening { ending: Ending::undetermined(cause), witness: None },
            Severity::Error,
            Vec::new(),
        );
        return;
    }
    groups.add_ingress(door, &opening, Severity::Warning, Vec::new());
}

/// Whether the policy rule that admits names the ingress by its identity, and not merely by its namespace.
fn names_ingress(world: &World, opening: &Opening) -> bool {
    let Some(admits) = &opening.ending.policy else {
        return false;
    };
    let Some(policy) = world.mesh.authorization_policy(&admits.policy) else {
        return false;
    };
    let Some(rule) = policy.spec.rules().get(admits.rule) else {
        return false;
    };
    let set = |values: &Values| values.as_ref().is_some_and(|list| !list.value.is_empty());
    let mut sources = rule.value.from.iter().flat_map(|from| &from.value).filter_map(|from| from.value.source.as_ref());
    sources.any(|source| set(&source.value.principals) || set(&source.value.service_accounts))
}
