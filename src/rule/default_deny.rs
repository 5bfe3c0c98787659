//! `missing-default-deny`: what an unselected workload does with a request that no policy names.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a dimension without words or values of its own is treated as any other"
)]

use std::collections::BTreeSet;

use super::cause::{RootCause, settle};
use super::finding::{Finding, Label, Related, Severity, Status, Way};
use super::flows;
use super::scope::{self, Scope};
use crate::config::WorldSetting;
use crate::matrix::{Door, inbound_witness, judge};
use crate::model::{Action, AuthorizationPolicy, Labels, Resource, Workload};
use crate::semantics::{
    CauseKind, Chain, Decision, Ending, Guard, Judgement, NamespaceReader, PolicyRuleRef, Protocol, Proxy, Request,
    Verdict, WorkloadPort, World, attached_policies, effective_mode, implied_workload,
};
use crate::space::{DecisionList, Dimension, Point};
use crate::text::Span;

/// What the rule found out about one namespace.
#[derive(Debug, Clone)]
pub(super) enum DefaultDeny {
    /// There is one
    Present,
    /// There is none
    Missing {
        /// The policy rule that admits everything, where one does
        by: Option<PolicyRuleRef>,
        /// The finding
        finding: Box<Finding>,
    },
    /// It cannot be told
    NotProven(Box<Finding>),
}

impl DefaultDeny {
    /// Whether its finding stands for what gets in at a door.
    pub(super) fn stands_for(&self, door: &Door<'_>, ending: &Ending) -> bool {
        match (self, RootCause::of(door, ending)) {
            (Self::Missing { .. }, RootCause::NoAllow(_)) => true,
            // Whether somebody else refuses is the same question for every path of a workload without ALLOW.
            (Self::NotProven(finding), RootCause::Undetermined(cause)) => {
                matches!(cause.kind, CauseKind::CustomPolicy | CauseKind::RefusingFilter)
                    && finding.causes.contains(&cause)
            }
            (Self::Missing { by: Some(by), .. }, RootCause::Rule(policy, rule, _)) => {
                by.policy == policy && by.rule == rule
            }
            _ => false,
        }
    }
}

/// Asks the rule of one namespace.
pub(super) fn ask(scope: &Scope<'_>, reader: &NamespaceReader<'_>, namespace: &str) -> Option<DefaultDeny> {
    let world = scope.world;
    let mut answers = Vec::new();
    for workload in unselected(world, namespace) {
        let number = unnamed_port(world, &workload);
        let aged = effective_mode(&world.mesh, &workload, number).order.is_some();
        for chain in [Chain::Http, Chain::Tcp] {
            // A workload that is only implied speaks HTTP where no Service says otherwise.
            let spoken = if workload.implied && chain == Chain::Http { Protocol::Http } else { Protocol::Sniffed };
            let port = WorkloadPort { number, protocol: spoken, by_service: false };
            let (guard, judgement) = judge(reader, &workload, &port, chain);
            if matches!(guard, Guard::Nothing { .. }) {
                continue;
            }
            for peer in [None, Some(scope.stranger.clone())] {
                // Where only age tells whether TLS is read, bytes have an identity or none. With one they get in by no
                // more than requests do.
                if aged && chain == Chain::Tcp && peer.is_some() {
                    continue;
                }
                answers.push(unnamed(&workload, number, chain, &judgement, peer.as_ref()));
            }
        }
    }
    // The first that is broken speaks; else the first that is not proven.
    let broken = answers.iter().position(|(ending, _)| ending.decision == Decision::Allowed);
    let doubtful = answers.iter().position(|(ending, _)| ending.decision == Decision::Undetermined);
    let worst = broken.or(doubtful);
    match worst.and_then(|index| answers.get(index)) {
        None if answers.is_empty() => None,
        None => Some(DefaultDeny::Present),
        Some((ending, request)) => Some(outcome(scope, namespace, ending, request, answers.len())),
    }
}

/// Workloads of a namespace that no selector picks: the one that may come, or in a closed world those that are there.
fn unselected(world: &World, namespace: &str) -> Vec<Workload> {
    if world.options.world != WorldSetting::Closed {
        return vec![implied_workload(namespace, Labels::new())];
    }
    let picked = |workload: &Workload| {
        let proxy = Proxy { namespace, labels: &workload.labels };
        let attached = attached_policies(&world.mesh, proxy);
        let all = [&attached.custom, &attached.deny, &attached.allow, &attached.idle];
        all.into_iter().flatten().any(|policy| has_selector(policy))
    };
    scope::asked(world, namespace).into_iter().filter(|workload| !picked(workload)).cloned().collect()
}

/// Whether a policy picks workloads by labels.
fn has_selector(policy: &Resource<AuthorizationPolicy>) -> bool {
    let labels = policy.spec.selector.as_ref().and_then(|selector| selector.value.match_labels.as_ref());
    labels.is_some_and(|labels| !labels.is_empty())
}

/// How a port ends a request that no policy names.
fn unnamed(
    workload: &Workload,
    port: u16,
    chain: Chain,
    judgement: &Judgement,
    peer: Option<&String>,
) -> (Ending, Request) {
    let point = unnamed_request(&judgement.list, peer);
    let witness = inbound_witness(workload, port, chain, judgement.universe.path, &point);
    match judgement.verdict_on(&point) {
        Some(Verdict::End(ending)) => (ending.clone(), witness),
        _ => (Ending::denied(crate::semantics::By::Closed, None), witness),
    }
}

/// The request: of each dimension a value that as few patterns as possible take.
fn unnamed_request(list: &DecisionList, peer: Option<&String>) -> Point {
    let rarest = |dimension: &Dimension, candidates: &[&str]| -> Vec<String> {
        let tests = || list.rules.iter().flat_map(|rule| &rule.cube.tests).filter(|test| test.dimension == *dimension);
        let hits = |candidate: &str| {
            let patterns = tests().flat_map(|test| test.any_of.iter().flatten().chain(&test.none_of));
            patterns.filter(|pattern| pattern.matches(candidate)).count()
        };
        candidates.iter().min_by_key(|candidate| hits(candidate)).map(|value| (*value).to_owned()).into_iter().collect()
    };
    let path_hits = |candidate: &str| {
        let tests = list.rules.iter().flat_map(|rule| &rule.cube.path);
        let patterns = tests.flat_map(|test| test.any_of.iter().flatten().chain(&test.none_of));
        patterns.filter(|pattern| pattern.matches(candidate)).count()
    };
    let paths = ["/unnamed", "/other-path", "/zzz", "/x9k", "/some/where/else", "/q"];
    let path = paths.into_iter().min_by_key(|path| path_hits(path)).unwrap_or("/unnamed").to_owned();
    let mut point = Point { path, ..Point::default() };
    for dimension in list.dimensions() {
        let values = match &dimension {
            Dimension::Peer => peer.into_iter().cloned().collect(),
            Dimension::Method => {
                rarest(&dimension, &["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "LINK", "REPORT"])
            }
            Dimension::Authority => rarest(&dimension, &["unnamed.example", "another.test", "zz9.invalid"]),
            Dimension::SourceIp | Dimension::RemoteIp => {
                rarest(&dimension, &["203.0.113.7", "198.51.100.9", "192.0.2.44", "100.64.7.7"])
            }
            Dimension::Token => vec!["none".to_owned()],
            Dimension::Scheme => vec!["http".to_owned()],
            _ => Vec::new(),
        };
        point.values.insert(dimension, values);
    }
    point.values.entry(Dimension::Peer).or_insert_with(|| peer.into_iter().cloned().collect());
    point
}

/// A port that no Service names and no policy either.
fn unnamed_port(world: &World, workload: &Workload) -> u16 {
    let ports = crate::semantics::workload_ports(world, workload);
    let unnamed = ports.iter().rev().find(|port| !port.by_service);
    unnamed.map_or(8080, |port| port.number)
}

/// What to say of a request that gets in, or may.
fn outcome(scope: &Scope<'_>, namespace: &str, ending: &Ending, request: &Request, cells: usize) -> DefaultDeny {
    let world = scope.world;
    let open = format!("a workload of `{namespace}` that no policy selects");
    let base = Finding {
        rule: "missing-default-deny".into(),
        severity: Severity::Error,
        status: Status::Broken,
        world: None,
        message: String::new(),
        help: None,
        label: Label { span: Span { file: crate::text::FileId(0), start: 0, end: 0 }, text: String::new() },
        resource: None,
        workload: Some(request_workload(request)),
        witness: Some(request.clone().into()),
        seen_path: None,
        doors: BTreeSet::new(),
        way: Way::default(),
        fix: None,
        cells,
        causes: Vec::new(),
        related: Vec::new(),
    };
    if let Some(cause) = &ending.cause {
        return DefaultDeny::NotProven(Box::new(Finding {
            status: Status::NotProven,
            message: format!("it is not proven that {open} refuses what no policy names: {}", cause.message),
            help: Some(match cause.kind {
                CauseKind::CustomPolicy | CauseKind::RefusingFilter => deny_all(scope, namespace),
                _ => settle(cause).to_owned(),
            }),
            label: Label {
                span: cause.span.or_else(|| scope::first_mention(world, namespace)).unwrap_or(base.label.span),
                text: "decides instead of the policies".to_owned(),
            },
            causes: vec![(**cause).clone()],
            ..base
        }));
    }
    if let Some(rule) = &ending.policy {
        let by = Some(rule.clone());
        let finding = Finding {
            message: format!("namespace `{namespace}` has no default deny: {open} accepts any request by this rule"),
            help: Some(
                "narrow the rule to the requests that it is meant for, and add a default deny beside it".to_owned(),
            ),
            label: Label { span: rule.span, text: "this rule admits everything".to_owned() },
            resource: Some((*rule.policy).clone()),
            ..base
        };
        let finding = if scope::is_foreign(world, &rule.policy) {
            let message = format!("{} of the context admits everything", rule.policy);
            Finding {
                label: Label {
                    span: scope::first_mention(world, namespace).unwrap_or(rule.span),
                    text: "a policy of the context opens it".to_owned(),
                },
                related: vec![Related { span: rule.span, message, rule: None, severity: None }],
                ..finding
            }
        } else {
            finding
        };
        return DefaultDeny::Missing { by: by.as_deref().cloned(), finding: Box::new(finding) };
    }
    let (span, text, resource) = blame(world, namespace);
    DefaultDeny::Missing {
        by: None,
        finding: Box::new(Finding {
            message: format!("namespace `{namespace}` has no default deny: {open} accepts any request"),
            help: Some(deny_all(scope, namespace)),
            label: Label { span: span.unwrap_or(base.label.span), text },
            resource,
            ..base
        }),
    }
}

/// The workload that a witness enters.
fn request_workload(request: &Request) -> String {
    let entrypoint = request.entrypoint.strip_prefix("workload ").unwrap_or(&request.entrypoint);
    entrypoint.rsplit_once(':').map_or(entrypoint, |(workload, _)| workload).to_owned()
}

/// The policy to write.
fn deny_all(scope: &Scope<'_>, namespace: &str) -> String {
    if namespace == scope.world.mesh.settings.root_namespace() {
        return "add policies for the workloads of this namespace by selector: a policy without one in the root \
                namespace closes every namespace of the mesh"
            .to_owned();
    }
    let beside = flows::beside(scope, namespace);
    format!(
        "add a default deny{beside}:\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata:\n  name: deny-all\n  namespace: {namespace}\nspec: {{}}"
    )
}

/// The policy that should have closed the namespace and does not, and why; else where the namespace is first spoken of.
fn blame(world: &World, namespace: &str) -> (Option<Span>, String, Option<crate::model::ObjectId>) {
    let root = world.mesh.settings.root_namespace();
    let policies = world
        .mesh
        .authorization_policies
        .iter()
        .filter(|policy| (policy.id.namespace == namespace || policy.id.namespace == root) && !policy.context);
    let mut found: Vec<(u8, Span, &str, &Resource<AuthorizationPolicy>)> = Vec::new();
    for policy in world.refused.iter().filter(|policy| policy.id.namespace == namespace && !has_selector(policy)) {
        let span = policy.spec.action.as_ref().map_or(policy.name_span, |action| action.span);
        found.push((0, span, "refused, so it does not act", policy));
    }
    for policy in policies {
        let spec = &policy.spec;
        let closes = spec.action() == Action::Allow && spec.rules().is_empty();
        let dry_run = policy.annotations.get("istio.io/dry-run");
        if let Some(annotation) = dry_run.filter(|annotation| annotation.value.eq_ignore_ascii_case("true")) {
            found.push((0, annotation.span, "dry-run: it denies nothing", policy));
        } else if !has_selector(policy) && matches!(spec.action(), Action::Audit | Action::Deny) {
            let span = spec.action.as_ref().map_or(policy.name_span, |action| action.span);
            let text =
                if spec.action() == Action::Audit { "AUDIT denies nothing" } else { "DENY closes only what it names" };
            found.push((1, span, text, policy));
        } else if closes && has_selector(policy) {
            let span = spec.selector.as_ref().map_or(policy.name_span, |selector| selector.span);
            found.push((2, span, "closes only what it selects", policy));
        }
    }
    found.sort_by_key(|(rank, span, ..)| (*rank, *span));
    match found.first() {
        Some((_, span, text, policy)) => (Some(*span), (*text).to_owned(), Some((*policy.id).clone())),
        None => (scope::first_mention(world, namespace), "nothing closes this namespace".to_owned(), None),
    }
}
