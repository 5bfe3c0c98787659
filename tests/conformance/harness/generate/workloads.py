"""Namespaces, workloads, Services, and the gateway's pods."""

from dataclasses import dataclass, field

from .draw import Draw

ROOT = "istio-system"
PORT_NAMES = ["http", "http-web", "tcp", "tcp-x", "web", "grpc", "https", "http2"]


@dataclass
class Workload:
    """A Deployment with its Service."""

    namespace: str
    name: str
    account: str
    labels: dict
    sidecar: bool
    ports: list[tuple[str, int, int]]  # name, Service port, target port
    annotations: dict = field(default_factory=dict)
    declared: list[int] = field(default_factory=list)  # container ports that no Service names


@dataclass
class Cast:
    """Who is there."""

    trust_domain: str
    namespaces: dict[str, bool]
    workloads: list[Workload]
    gateway: Workload


def cast(draw: Draw, settings: dict) -> Cast:
    """The workloads of a world."""
    namespaces = {"shop": True, "pay": draw.chance(0.85)}
    workloads = []
    for index, name in enumerate(["cart", "bill", "stock"][: draw.integer(2, 3)]):
        namespace = "shop" if index == 0 else draw.one(namespaces)
        workloads.append(_workload(draw, namespace, name, namespaces[namespace]))
    gateway = Workload(
        ROOT, "istio-ingressgateway", "ingress", {"istio": "ingressgateway"}, False,
        [("http", 80, draw.one([80, 8080])), ("https", 443, 8443)],
    )
    return Cast(settings["trustDomain"], namespaces, workloads, gateway)


def _workload(draw: Draw, namespace: str, name: str, injected: bool) -> Workload:
    labels = {"app": name}
    if draw.chance(0.5):
        labels["version"] = draw.one(["v1", "v2"])
    ports = [(draw.weighted([("http", 6)] + [(each, 1) for each in PORT_NAMES]), 80, 8080)]
    if draw.chance(0.4):
        ports.append((draw.one([each for each in PORT_NAMES if each != ports[0][0]]), 9000, draw.one([9000, 9001])))
    found = Workload(namespace, name, draw.one([name, "default", "web"]), labels, injected, ports)
    if draw.chance(0.1):
        found.annotations["traffic.sidecar.istio.io/excludeInboundPorts"] = draw.one(["8080", "9000", "1,8080"])
    if draw.chance(0.05) and injected:
        found.labels["sidecar.istio.io/inject"], found.sidecar = "false", False
    if draw.chance(0.2):
        found.declared = [7070]
    return found


def objects(found: Cast) -> list[dict]:
    """The cast as objects."""
    made = []
    for name, injected in found.namespaces.items():
        labels = {"istio-injection": "enabled" if injected else "disabled"}
        made.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    for workload in found.workloads:
        made += [_deployment(workload, {"name": "app"}), _service(workload, "ClusterIP")]
    made += [_deployment(found.gateway, {"name": "istio-proxy"}), _service(found.gateway, "LoadBalancer")]
    return made


def _deployment(workload: Workload, container: dict) -> dict:
    if workload.declared:
        container["ports"] = [{"containerPort": number} for number in workload.declared]
    metadata = {"labels": workload.labels}
    if workload.annotations:
        metadata["annotations"] = workload.annotations
    spec = {"serviceAccountName": workload.account, "containers": [container]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": workload.name, "namespace": workload.namespace},
        "spec": {"template": {"metadata": metadata, "spec": spec}},
    }


def _service(workload: Workload, kind: str) -> dict:
    selector = {key: value for key, value in workload.labels.items() if key in ("app", "istio")}
    ports = [{"name": name, "port": port, "targetPort": target} for name, port, target in workload.ports]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": workload.name, "namespace": workload.namespace},
        "spec": {"type": kind, "selector": selector, "ports": ports},
    }
