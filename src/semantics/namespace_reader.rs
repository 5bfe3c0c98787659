//! What the proxies of one namespace have in common, worked out once for all of them.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use compact_str::CompactString;

use super::authorization_condition::header_name;
use super::authorization_policy::{Chain, RuleContext, RuleRequests, rule_requests};
use super::decision::{Cause, PolicyRuleRef};
use super::inbound::http_universe;
use super::workload_selector::{Proxy, in_scope};
use super::world::World;
use crate::model::{Action, AuthorizationPolicy, Labels, PolicyRule, Resource, Source, Values};
use crate::space::{Cube, Universe};

/// The requests of one rule of one policy.
#[derive(Debug)]
pub(super) struct RuleReading {
    /// The rule
    pub(super) rule: Arc<PolicyRuleRef>,
    /// What it matches
    pub(super) cubes: Vec<Arc<Cube>>,
    /// Why it may not match after all
    pub(super) uncertain: Option<Cause>,
}

/// Namespace and name of a policy, and which headers that it asks for the JWT filter in front of it touches.
type Read = (CompactString, CompactString, Vec<String>);

/// The rules of one policy that exist on a chain, in order.
type Readings = Rc<[Rc<RuleReading>]>;

/// Reads policies for the proxies of one namespace, each once.
#[derive(Debug)]
pub struct NamespaceReader<'a> {
    /// The world
    pub(super) world: &'a World,
    /// The namespace
    namespace: String,
    /// What can occur on HTTP chains, once somebody asks
    universe: OnceCell<Universe>,
    /// What was read for HTTP chains
    http: RefCell<HashMap<Read, Readings>>,
    /// What was read for TCP chains
    tcp: RefCell<HashMap<Read, Readings>>,
}

/// How many namespaces that policies name lend an identity to witnesses.
const MANY_NAMESPACES: usize = 50;

impl<'a> NamespaceReader<'a> {
    /// A reader for the proxies of a namespace.
    pub fn new(world: &'a World, namespace: &str) -> Self {
        let namespace = namespace.to_owned();
        Self { world, namespace, universe: OnceCell::new(), http: RefCell::default(), tcp: RefCell::default() }
    }

    /// The same, with what another reader of the namespace worked out already: what can occur there.
    #[must_use]
    pub fn with_universe(self, universe: Universe) -> Self {
        Self { universe: OnceCell::from(universe), ..self }
    }

    /// What can occur in an HTTP request to a sidecar of the namespace.
    pub fn universe(&self) -> &Universe {
        self.universe.get_or_init(|| http_universe(self.world, preferred_peers(self.world, &self.namespace)))
    }

    /// The world.
    pub fn world(&self) -> &'a World {
        self.world
    }

    /// The rules of a policy that exist on a chain, in order. `token_headers`: those that the JWT filter in front of it
    /// takes away or sets.
    pub(super) fn rules(
        &self,
        policy: &Resource<AuthorizationPolicy>,
        chain: Chain,
        token_headers: &[String],
    ) -> Readings {
        let known = if chain == Chain::Http { &self.http } else { &self.tcp };
        let touched = token_headers.iter().filter(|name| asks_for_header(policy, name)).cloned().collect();
        let key = (policy.id.namespace.clone(), policy.id.name.clone(), touched);
        let mut known = known.borrow_mut();
        let read = || read_rules(self.world, policy, chain, token_headers);
        Rc::clone(known.entry(key).or_insert_with(read))
    }
}

/// Whether a policy has a condition on a header of this name, given in lower case.
fn asks_for_header(policy: &Resource<AuthorizationPolicy>, name: &str) -> bool {
    let conditions = policy.spec.rules().iter().flat_map(|rule| rule.value.when.iter().flat_map(|when| &when.value));
    let mut keys =
        conditions.filter_map(|condition| condition.value.key.as_ref()?.value.strip_prefix("request.headers"));
    keys.any(|brackets| header_name(brackets).is_some_and(|asked| asked.eq_ignore_ascii_case(name)))
}

/// The rules of a policy that exist on a chain, in order.
fn read_rules(
    world: &World,
    policy: &Resource<AuthorizationPolicy>,
    chain: Chain,
    token_headers: &[String],
) -> Readings {
    let bundle = world.mesh.settings.trust_bundle();
    let action = policy.spec.action();
    let context = RuleContext { namespace: &policy.id.namespace, bundle: &bundle, chain, action, token_headers };
    let read = policy.spec.rules().iter().enumerate().filter_map(|(index, rule)| {
        let RuleRequests { cubes, uncertain } = rule_requests(&rule.value, context)?;
        // Whether an authorizer is asked makes no difference to one that may refuse anyway.
        let uncertain = uncertain.filter(|_| action != Action::Custom);
        let rule = PolicyRuleRef { policy: policy.id.clone(), rule: index, span: rule.span }.into();
        Some(Rc::new(RuleReading { rule, cubes: cubes.into_iter().map(Arc::new).collect(), uncertain }))
    });
    read.collect()
}

/// The requests that a rule of a policy matches on a chain by its text, whether the policy is in force or not.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authz/model/model.go`, `New`, `Generate`. Differs: nothing of the JWT filter in
/// front of it is known here.
pub(crate) fn requests_of(
    world: &World,
    policy: &Resource<AuthorizationPolicy>,
    rule: &PolicyRule,
    chain: Chain,
) -> Vec<Cube> {
    let bundle = world.mesh.settings.trust_bundle();
    let (namespace, action) = (policy.id.namespace.as_str(), policy.spec.action());
    let context = RuleContext { namespace, bundle: &bundle, chain, action, token_headers: &[] };
    rule_requests(rule, context).map_or_else(Vec::new, |requests| requests.cubes)
}

/// Identities to name first in a witness: a stranger, then for each namespace in play a workload and another
/// account, and a foreigner.
fn preferred_peers(world: &World, namespace: &str) -> Vec<Arc<str>> {
    let named = named_namespaces(world, namespace).into_iter().take(MANY_NAMESPACES);
    let namespaces: BTreeSet<&str> = named.chain([namespace, world.mesh.settings.root_namespace()]).collect();
    let mut peers: Vec<Arc<str>> = vec![world.identity("ns/other/sa/default").into()];
    for namespace in namespaces {
        match world.peers_of(namespace) {
            Some(known) => peers.extend(known.iter().cloned()),
            None => peers.push(world.identity(&format!("ns/{namespace}/sa/default")).into()),
        }
    }
    peers.push("foreign.example/ns/other/sa/default".into());
    peers
}

/// The namespaces that policies in force in a namespace name as sources.
fn named_namespaces<'a>(world: &'a World, namespace: &str) -> BTreeSet<&'a str> {
    let proxy = Proxy { namespace, labels: &Labels::new() };
    let policies = in_scope(&world.mesh, &world.mesh.authorization_policies, proxy);
    let rules = policies.flat_map(|policy| policy.spec.rules());
    let sources = rules.flat_map(|rule| rule.value.from.iter().flat_map(|from| &from.value));
    let sources = sources.filter_map(|from| from.value.source.as_ref());
    sources.flat_map(|source| namespaces_of(&source.value)).filter(|name| !name.contains('*')).collect()
}

/// The namespaces that a source names, by themselves or within identities.
fn namespaces_of(source: &Source) -> impl Iterator<Item = &str> {
    let namespaces = [&source.namespaces, &source.not_namespaces].into_iter().flat_map(listed);
    let identities = [&source.principals, &source.not_principals].into_iter().flat_map(listed);
    namespaces.chain(identities.filter_map(|identity| identity.split_once("/ns/")?.1.split('/').next()))
}

/// The strings of a field.
fn listed(values: &Values) -> impl Iterator<Item = &str> {
    values.iter().flat_map(|list| &list.value).map(|value| value.value.as_str())
}
