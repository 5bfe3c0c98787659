//! Rows and their items as cubes of the request space.

use super::glob;
use crate::config::{AccessRow, Allow, Jwt, Named, PathGlob};
use crate::semantics::World;
use crate::space::{Cube, Dimension, Pattern, Test};

/// The paths of a row, as alternatives.
pub fn paths<'g>(globs: impl IntoIterator<Item = &'g PathGlob>) -> Vec<Pattern> {
    globs.into_iter().flat_map(glob::patterns).collect()
}

/// The requests that an item of a row of a namespace lets in; of connections without requests, only who makes them.
pub fn cubes(world: &World, namespace: &str, row: &AccessRow, allow: &Allow, connections: bool) -> Vec<Cube> {
    let asked = if connections { Cube::default() } else { operation(row) };
    peers(world, namespace, allow).into_iter().map(|peers| asked.and(&peers)).collect()
}

/// What a row asks of requests, whoever sends them. Ports are left to the door.
fn operation(row: &AccessRow) -> Cube {
    let mut cube = Cube::default();
    if let Some(globs) = &row.paths {
        cube = cube.path(paths(globs.iter().map(|glob| &glob.value)));
    }
    if let Some(methods) = &row.methods {
        let methods = methods.iter().map(|method| Pattern::Exact(method.value.as_str().into()));
        cube = cube.any(Dimension::Method, methods.collect());
    }
    if row.jwt == Some(Jwt::Required) {
        cube = cube.any(Dimension::Token, vec![Pattern::Exact("valid".into())]);
    }
    cube
}

/// The callers that an item means to a workload of a namespace.
///
/// Whoever is outside comes through the ingress or, where a port is open to it, without an identity. The ingress is
/// never of the own namespace, wherever it runs.
pub(super) fn peers(world: &World, namespace: &str, allow: &Allow) -> Vec<Cube> {
    let of = |any_of: Vec<Pattern>| vec![Cube::default().any(Dimension::Peer, any_of)];
    let accounts = |namespace: &str| -> Vec<Pattern> {
        let domains = world.mesh.settings.accepted_trust_domains();
        domains.iter().map(|domain| Pattern::Prefix(format!("{domain}/ns/{namespace}/").into())).collect()
    };
    match allow {
        Allow::Anyone => vec![Cube::default()],
        Allow::Mesh => of(vec![Pattern::Any]),
        Allow::Ingress => of(own_identities(world, world.ingress.iter().map(String::as_str))),
        Allow::IngressOf(gateway) => {
            of(own_identities(world, gateway_identities(world, gateway).iter().map(String::as_str)))
        }
        Allow::Outside => {
            let mut both = peers(world, namespace, &Allow::Ingress);
            both.push(Cube::default().none(Dimension::Peer, vec![Pattern::Any]));
            both
        }
        Allow::SameNamespace => vec![Cube::default().with(Test {
            dimension: Dimension::Peer,
            any_of: Some(accounts(namespace)),
            none_of: own_identities(world, world.ingress.iter().map(String::as_str)),
        })],
        Allow::Namespace(namespace) => of(accounts(namespace)),
        Allow::ServiceAccount(account) => {
            let domains = world.mesh.settings.accepted_trust_domains();
            let identity = |domain: &&str| format!("{domain}/ns/{}/sa/{}", account.namespace, account.name);
            of(domains.iter().map(|domain| Pattern::Exact(identity(domain).into())).collect())
        }
    }
}

/// The identities of the workloads behind a Gateway, without their trust domain.
pub(super) fn gateway_identities(world: &World, gateway: &Named) -> Vec<String> {
    let behind = world.gateway_workloads.iter().filter(|workload| {
        let mut gateways = workload.gateways.iter();
        gateways.any(|id| id.namespace == gateway.namespace && id.name == gateway.name)
    });
    behind.flat_map(|workload| workload.identities.clone()).collect()
}

/// Identities in every trust domain that the mesh calls its own.
fn own_identities<'p>(world: &World, paths: impl Iterator<Item = &'p str>) -> Vec<Pattern> {
    let domains = world.mesh.settings.trust_bundle();
    let identities = paths.flat_map(|path| domains.iter().map(move |domain| format!("{domain}/{path}")));
    identities.map(|identity| Pattern::Exact(identity.into())).collect()
}
