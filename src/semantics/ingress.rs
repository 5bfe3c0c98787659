//! Kubernetes Ingress objects that Istio itself serves, at the gateway that every profile installs.

use super::decision::{Cause, CauseKind};
use super::gateway_workload::GatewayWorkload;
use super::world::World;
use crate::model::{Ingress, Resource};

/// Annotation that names the class of an Ingress.
const CLASS: &str = "kubernetes.io/ingress.class";

/// The hosts at a gateway workload that an Ingress serves too, with the reason why nobody can say what becomes of
/// their requests.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/config/kube/ingress/conversion.go`, `ConvertIngressV1alpha3`,
/// `ConvertIngressVirtualService`. Differs: which requests an Ingress takes is not modelled.
pub(crate) fn ingress_hosts(world: &World, workload: &GatewayWorkload) -> Vec<(String, Cause)> {
    let config = &world.mesh.settings.config;
    let selector = config.ingress_selector.as_deref().unwrap_or("ingressgateway");
    if workload.labels.get("istio").is_none_or(|label| label != selector) {
        return Vec::new();
    }
    let served = world.mesh.ingresses.iter().filter(|ingress| is_served(world, ingress));
    let hosts = served.flat_map(|ingress| ingress.spec.hosts().map(move |host| (ingress, host)));
    hosts
        .map(|(ingress, host)| {
            let cause = Cause {
                kind: CauseKind::UnmodelledKind,
                message: format!("{} serves this host at the same gateway, which is not modelled yet", ingress.id),
                span: Some(ingress.name_span),
            };
            (host.to_owned(), cause)
        })
        .collect()
}

/// Whether Istio serves an Ingress. Which controller a class belongs to is taken from its name.
///
/// # Upstream
/// istio/istio 1.32: `pilot/pkg/config/kube/ingress/conversion.go`, `shouldProcessIngressWithClass`.
fn is_served(world: &World, ingress: &Resource<Ingress>) -> bool {
    let config = &world.mesh.settings.config;
    let class = config.ingress_class.as_deref().unwrap_or("istio");
    match config.ingress_controller_mode.as_deref() {
        Some("OFF") => false,
        mode => match (ingress.annotation(CLASS), ingress.spec.ingress_class_name.as_deref()) {
            (Some(written), _) => written == class,
            (None, Some(named)) => named == class || named == "istio",
            (None, None) => mode == Some("DEFAULT"),
        },
    }
}
