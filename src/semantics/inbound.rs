//! The server side: what the proxy in front of a workload's port does with a request.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use compact_str::CompactString;

use super::authorization::{Next, ProxyPolicies, append_policies};
use super::authorization_policy::Chain;
use super::decision::{By, Cause, CauseKind};
use super::extension::{Extensions, Role, extensions};
use super::judgement::{Ending, Judgement, JudgementBuilder};
use super::membership::{Membership, uncaptured};
use super::namespace_reader::NamespaceReader;
use super::peer_authentication::{EffectiveMode, effective_mode};
use super::protocol::Protocol;
use super::refused_configuration::refused_configuration;
use super::request_authentication::{JwtFilter, jwt_filter};
use super::workload_port::{WorkloadPort, order_cause, path_normalization};
use super::workload_selector::{AttachedPolicies, Proxy, attached_policies};
use super::world::World;
use crate::model::{MtlsMode, Workload};
use crate::space::{ByteSet, Cube, Dimension, Domain, Label, PathDomain, Pattern, Piece, Rule, Universe, Values};
use crate::text::Span;

/// Whether a proxy stands in front of a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Guard {
    /// A sidecar judges what comes in
    Sidecar,
    /// Nothing stands in front: whatever is sent arrives, in plaintext
    Nothing {
        /// What takes the proxy away
        reason: String,
        /// Where, if a field does
        span: Option<Span>,
    },
    /// Something that is not modelled guards it
    Unmodelled(Cause),
}

/// What stands in front of a workload's port.
///
/// # Upstream
/// istio/istio 1.32: `pkg/kube/inject/inject.go`, `injectRequired`; `cni/pkg/plugin/sidecar_redirect.go`.
pub fn guard(world: &World, workload: &Workload, port: u16) -> Guard {
    if let Some(cause) = ambient(world, workload) {
        return Guard::Unmodelled(cause);
    }
    if let Membership::Out { reason, span } = world.membership(workload) {
        return Guard::Nothing { reason, span: Some(span) };
    }
    if let Some((reason, span)) = uncaptured(workload, port) {
        return Guard::Nothing { reason, span };
    }
    let cause = sidecar_ingress(world, workload).or_else(|| order_cause(world, workload, port));
    cause.map_or(Guard::Sidecar, Guard::Unmodelled)
}

/// Why a workload's traffic goes through ztunnel instead of a sidecar, if it does.
///
/// # Upstream
/// istio/istio 1.32: `cni/pkg/util/enablement_selector.go` (a sidecar wins over ambient).
fn ambient(world: &World, workload: &Workload) -> Option<Cause> {
    const MODE: &str = "istio.io/dataplane-mode";
    let pod = workload.labels.get(MODE).map(CompactString::as_str);
    let object = world.mesh.namespaces.get(&workload.id.namespace);
    let namespace = object.and_then(|object| object.labels.get(MODE)).map(CompactString::as_str);
    let captured = pod == Some("ambient") || (namespace == Some("ambient") && pod != Some("none"));
    if !captured || workload.proxy_container || workload.host_network.is_some() {
        return None;
    }
    let injected = object.is_some_and(|object| object.labels.get("istio-injection").is_some_and(|on| on == "enabled"));
    (!injected).then(|| Cause {
        kind: CauseKind::UnmodelledKind,
        message: "the workload is in ambient mode, which is not modelled yet".to_owned(),
        span: object.map(|object| object.name_span).or(Some(workload.template_span)),
    })
}

/// A `Sidecar` that replaces the workload's inbound listeners, as a reason not to judge.
fn sidecar_ingress(world: &World, workload: &Workload) -> Option<Cause> {
    let sidecar = world.mesh.sidecars.in_namespace(&workload.id.namespace).find(|sidecar| {
        let selector = sidecar.spec.workload_selector.as_ref().and_then(|selector| selector.labels.as_ref());
        sidecar.spec.ingress.as_ref().is_some_and(|ingress| !ingress.value.is_empty())
            && super::workload_selector::selects(selector, &workload.labels)
    })?;
    Some(Cause {
        kind: CauseKind::UnmodelledKind,
        message: format!("{} replaces the inbound listeners, which is not modelled yet", sidecar.id),
        span: sidecar.spec.ingress.as_ref().map(|ingress| ingress.span),
    })
}

/// Everything on which one chain of one port of one workload decides. Where two are equal, the chains decide
/// alike: the symbolic reading sees nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Inbound<'a> {
    /// What stands in front
    pub guard: Guard,
    /// The chain
    pub chain: Chain,
    /// Port of the pod
    port: u16,
    /// What the port speaks
    protocol: Protocol,
    /// The policies in force
    pub(crate) attached: AttachedPolicies<'a>,
    /// The JWT filter
    pub(crate) jwt: JwtFilter,
    /// Filters from elsewhere
    pub(crate) extensions: Extensions,
    /// The mTLS mode
    pub(crate) mode: EffectiveMode,
}

impl<'a> Inbound<'a> {
    /// What is in force at a chain of a port.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/listener_inbound.go`, `buildInboundListeners`.
    pub fn of(world: &'a World, workload: &Workload, port: &WorkloadPort, chain: Chain) -> Self {
        let proxy = Proxy { namespace: &workload.id.namespace, labels: &workload.labels };
        let attached = attached_policies(&world.mesh, proxy);
        let role = Role::Inbound { port: port.number, declared: port.by_service, chain };
        let mut extensions = extensions(&world.mesh, proxy, role, &|id| world.is_trusted(id));
        extensions.may_change = refused_configuration(&attached).or(extensions.may_change);
        Self {
            guard: guard(world, workload, port.number),
            chain,
            port: port.number,
            protocol: port.protocol,
            attached,
            jwt: jwt_filter(&world.mesh, proxy),
            extensions,
            mode: effective_mode(&world.mesh, workload, port.number),
        }
    }

    /// What happens to requests that go straight to the port.
    ///
    /// # Upstream
    /// istio/istio 1.32: `pilot/pkg/networking/core/listener_inbound.go`, `buildInboundChainConfigs`;
    /// `filterchain_options.go` (which chain, by mode and first bytes).
    pub fn judgement(&self, reader: &NamespaceReader<'_>) -> Judgement {
        let world = reader.world;
        let mut builder = JudgementBuilder::default();
        let mut universe = universe(reader, self.chain);
        match &self.guard {
            Guard::Nothing { .. } => {
                universe.path = PathDomain::Raw;
                return builder.finish(&Ending::reached(None), universe);
            }
            Guard::Unmodelled(cause) => return builder.finish(&Ending::undetermined(cause.clone()), universe),
            Guard::Sidecar => {}
        }
        self.jwt.restrict(&mut universe);
        if let Some(cause) = &self.extensions.may_change {
            return builder.finish(&Ending::undetermined(cause.clone()), universe);
        }
        let unadmitted = append_admission(&mut builder, world, &self.mode, self.protocol, self.chain);
        let policies = ProxyPolicies {
            world,
            attached: &self.attached,
            chain: self.chain,
            jwt: &self.jwt,
            extensions: &self.extensions,
            unadmitted: &unadmitted,
            reader,
        };
        let default = append_policies(&mut builder, &policies, &Next::Workload);
        let mut judgement = builder.finish(&default, universe);
        exclude_stray_claims(&mut judgement, &self.jwt);
        judgement.list = judgement.list.specialise(&Dimension::Port, &[&self.port.to_string()]);
        if !self.mode.reads_server_names() {
            judgement.list = judgement.list.specialise(&Dimension::Sni, &[]);
        }
        judgement
    }
}

/// Appends what the mTLS mode and the accepted trust domains refuse before any policy is asked; what only some of the modes
/// refuse that may be in force is given back.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/security/authn/policy_applier.go`, `GetMutualTLSSettings`;
/// `pilot/pkg/security/authn/utils/utils.go` (trust domains).
fn append_admission(
    builder: &mut JudgementBuilder,
    world: &World,
    mode: &EffectiveMode,
    protocol: Protocol,
    chain: Chain,
) -> Vec<(Cube, Cause)> {
    let closed = Ending::denied(By::Closed, None);
    let present = || Cube::default().any(Dimension::Peer, vec![Pattern::Any]);
    let refused = |mode: MtlsMode| match mode {
        MtlsMode::Strict => Some(Cube::default().none(Dimension::Peer, vec![Pattern::Any])),
        // TLS bytes reach the TCP chain undecrypted: nobody has an identity there.
        MtlsMode::Disable => Some(present()),
        MtlsMode::Permissive | MtlsMode::Unset => None,
    };
    let mut unadmitted = Vec::new();
    if let Some(cause) = mode.may_not_terminate(protocol) {
        builder.end([present()], &Ending::undetermined(cause.clone()));
    }
    match &mode.order {
        // Several modes, of which each refuses something else or nothing: no request is refused by all of them.
        Some(cause) => {
            let cubes = mode.modes().into_iter().filter_map(refused);
            unadmitted.extend(cubes.map(|cube| (cube, cause.clone())));
        }
        None if mode.mode == MtlsMode::Disable && protocol != Protocol::Http && chain == Chain::Tcp => {
            builder.impossible([present()]);
        }
        None => builder.end(refused(mode.mode), &closed),
    }
    let accepted = accepted_peers(world);
    builder.end([present().and(&Cube::default().none(Dimension::Peer, accepted))], &closed);
    unadmitted
}

/// Identities whose trust domain the mesh accepts.
pub(crate) fn accepted_peers(world: &World) -> Vec<Pattern> {
    let domains = world.mesh.settings.accepted_trust_domains();
    domains.into_iter().map(|domain| Pattern::Prefix(format!("{domain}/").into())).collect()
}

/// Puts in front that no request has claims without a verified token.
pub(crate) fn exclude_stray_claims(judgement: &mut Judgement, jwt: &JwtFilter) {
    let claims: BTreeSet<Dimension> = judgement
        .list
        .rules
        .iter()
        .flat_map(|rule| &rule.cube.tests)
        .map(|test| test.dimension.clone())
        .filter(|dimension| matches!(dimension, Dimension::Claim(_)))
        .collect();
    if jwt.rules.is_empty() {
        for claim in claims {
            let never =
                Domain { values: Values::Finite(Vec::new()), absent: true, several: false, preferred: Vec::new() };
            judgement.universe.set(claim, never);
        }
        return;
    }
    let unverified = Cube::default().none(Dimension::Token, vec![Pattern::Exact("valid".into())]);
    let audience = Dimension::Claim(["aud".into()].into());
    let others: Vec<Cube> = if claims.contains(&audience) {
        let demanded = jwt.audiences().into_iter().map(|(issuer, audiences)| {
            let exact = |text: String| Pattern::Exact(text.into());
            let audiences = audiences.into_iter().map(exact).collect();
            Cube::default().any(Dimension::Issuer, vec![exact(issuer)]).none(audience.clone(), audiences)
        });
        demanded.collect()
    } else {
        Vec::new()
    };
    let stray = claims.into_iter().map(|claim| unverified.and(&Cube::default().any(claim, vec![Pattern::Any])));
    let stray: Vec<Rule> = stray.chain(others).map(|cube| Rule::new(cube, Label::IMPOSSIBLE)).collect();
    judgement.list.rules.splice(0..0, stray);
}

/// Methods that Envoy's HTTP/1 codec lets through. CONNECT has no path and no route takes it.
///
/// # Upstream
/// Envoy 1.40: observed (`get` and `FOO` are 400, `PROPFIND` and `LINK` pass).
pub const METHODS: &[&str] = &[
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "COPY",
    "LOCK",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "SEARCH",
    "UNLOCK",
    "BIND",
    "REBIND",
    "UNBIND",
    "ACL",
    "REPORT",
    "MKACTIVITY",
    "CHECKOUT",
    "MERGE",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PURGE",
    "MKCALENDAR",
    "LINK",
    "UNLINK",
    "SOURCE",
];

/// `TRUSTDOMAIN/ns/NS/sa/SA`
static IDENTITY: LazyLock<Pattern> = LazyLock::new(|| {
    let label = some_of(b"abcdefghijklmnopqrstuvwxyz0123456789-.");
    let [ns, sa] = ["/ns/", "/sa/"].map(|text| Piece::Literal(text.into()));
    Pattern::sequence(&[label.clone(), ns, label.clone(), sa, label])
});

/// A host, with or without a port.
static AUTHORITY: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::sequence(&[some_of(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]")])
});

/// A server name as proxies see it: in lower case, whatever the client asked for.
///
/// # Upstream
/// Envoy: `source/extensions/filters/listener/tls_inspector/tls_inspector.cc`, `onServername`.
static SERVER_NAME: LazyLock<Pattern> = LazyLock::new(|| {
    let bytes: Vec<u8> = (0x21..=0x7e).filter(|byte: &u8| !byte.is_ascii_uppercase()).collect();
    Pattern::sequence(&[some_of(&bytes)])
});

/// One or more of some bytes.
fn some_of(bytes: &[u8]) -> Piece {
    Piece::Repeat { bytes: ByteSet::from_bytes(bytes), at_least: 1 }
}

/// The values that can occur in a request to a sidecar.
pub(crate) fn universe(reader: &NamespaceReader<'_>, chain: Chain) -> Universe {
    let mut universe = reader.universe().clone();
    if chain == Chain::Tcp {
        universe.path = PathDomain::Raw;
    }
    universe
}

/// The values that can occur in an HTTP request to a sidecar, and identities to name first in a witness.
pub(super) fn http_universe(world: &World, peers: Vec<Arc<str>>) -> Universe {
    let mut universe = world.http_universe().clone();
    universe.set(
        Dimension::Peer,
        Domain { values: Values::Language(IDENTITY.clone()), absent: true, several: false, preferred: peers },
    );
    universe
}

/// The values that can occur in an HTTP request to any sidecar, identities aside.
pub(super) fn any_http_universe(world: &World) -> Universe {
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let mut universe = Universe {
        domains: std::collections::BTreeMap::new(),
        path: PathDomain::Normalized(path_normalization(world)),
    };
    let shared = |words: &[String]| words.iter().map(|word| word.as_str().into()).collect::<Vec<Arc<str>>>();
    let methods = words(METHODS);
    universe.set(
        Dimension::Method,
        Domain { preferred: shared(&methods), values: Values::Finite(methods), absent: false, several: false },
    );
    let schemes = words(&["http", "https"]);
    universe.set(
        Dimension::Scheme,
        Domain { preferred: shared(&schemes), values: Values::Finite(schemes), absent: false, several: false },
    );
    universe.set(
        Dimension::Sni,
        Domain { values: Values::Language(SERVER_NAME.clone()), absent: true, several: false, preferred: Vec::new() },
    );
    universe.set(
        Dimension::Authority,
        Domain {
            values: Values::Language(AUTHORITY.clone()),
            absent: false,
            several: false,
            preferred: vec!["example.com".into()],
        },
    );
    let query = ByteSet::from_bytes(&(0x21..=0x7e).filter(|byte| *byte != b'#').collect::<Vec<u8>>());
    universe.set(
        Dimension::Query("".into()),
        Domain {
            values: Values::Language(Pattern::sequence(&[Piece::Repeat { bytes: query, at_least: 0 }])),
            absent: true,
            several: false,
            preferred: Vec::new(),
        },
    );
    universe
}
