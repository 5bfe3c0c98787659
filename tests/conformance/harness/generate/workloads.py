"""Namespaces, workloads, Services, and the gateway's pods."""

from dataclasses import dataclass, field

from .draw import Draw

ROOT = "istio-system"
PORT_NAMES = ["http", "http-web", "tcp", "tcp-x", "web", "grpc", "https", "http2", "tls-x"]
APP_PROTOCOLS = ["http", "tcp", "https", "grpc", "HTTP2", "kubernetes.io/h2c", "kubernetes.io/wss", "mysql", "foo"]
UNDECLARED = 7070  # a container port that no Service names


@dataclass
class Port:
    """A port of a Service."""

    name: str
    number: int
    target: int
    by_name: bool = False  # whether the Service finds the target by the name of a container port
    app_protocol: str | None = None

    def is_http2(self) -> bool:
        """Whether it is declared as HTTP/2."""
        declared = self.app_protocol or self.name
        return declared in ("http2", "HTTP2", "kubernetes.io/h2c") or declared.startswith("grpc")

    def is_http(self) -> bool:
        """Whether it is declared as plain HTTP."""
        if self.app_protocol:
            return self.app_protocol in ("http", "grpc", "HTTP2", "kubernetes.io/h2c")
        return self.name.startswith(("http", "grpc")) and self.name != "https"


@dataclass
class Workload:
    """A Deployment with its Service."""

    namespace: str
    name: str
    account: str
    labels: dict
    sidecar: bool
    ports: list[Port]
    annotations: dict = field(default_factory=dict)
    declares: bool = False  # a container port that no Service names
    host_network: bool = False
    headless: bool = False
    twin: bool = False  # whether a second Deployment has the same application label
    export_to: str | None = None

    def fqdn(self) -> str:
        """The host of its Service."""
        return f"{self.name}.{self.namespace}.svc.cluster.local"


@dataclass
class Machine:
    """A WorkloadEntry."""

    namespace: str
    name: str
    address: str
    labels: dict
    account: str | None
    ports: dict


@dataclass
class Cast:
    """Who is there."""

    trust_domain: str
    namespaces: dict[str, dict | None]  # their labels; `None` where no object is there
    workloads: list[Workload]
    gateway: Workload
    machines: list[Machine] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)  # hosts of ExternalName Services
    entries: list[tuple[str, list[int]]] = field(default_factory=list)  # hosts of ServiceEntries with their ports
    gateways: list[dict] = field(default_factory=list)

    def destinations(self) -> list[tuple[str, list[int]]]:
        """Hosts that routes may lead to, with their ports."""
        found = [(workload.fqdn(), [port.number for port in workload.ports]) for workload in self.workloads]
        return found + self.entries + [(alias, [80]) for alias in self.aliases]


def cast(draw: Draw, settings: dict) -> Cast:
    """The workloads of a world."""
    enabled, by_revision = {"istio-injection": "enabled"}, {"istio.io/rev": "stable"}
    kinds = [(enabled, 14), (by_revision, 2), (None, 1), ({}, 1), ({"istio-injection": "disabled"}, 2)]
    namespaces = {"shop": draw.weighted(kinds[:3]), "pay": draw.weighted(kinds)}
    workloads = []
    for index, name in enumerate(["cart", "bill", "stock"][: draw.integer(2, 3)]):
        namespace = "shop" if index == 0 else draw.one(namespaces)
        workloads.append(_workload(draw, namespace, name, namespaces[namespace]))
    gateway = Workload(
        ROOT, "istio-ingressgateway", "ingress", {"istio": "ingressgateway"}, False,
        [Port("http", 80, draw.one([80, 8080])), Port("https", 443, 8443)],
    )
    found = Cast(settings["trustDomain"], namespaces, workloads, gateway)
    if draw.chance(0.2):
        found.machines = [_machine(draw, index) for index in range(draw.integer(1, 2))]
    if draw.chance(0.12):
        found.aliases = [f"alias.{draw.one(namespaces)}.svc.cluster.local"]
    return found


def _workload(draw: Draw, namespace: str, name: str, namespace_labels: dict | None) -> Workload:
    labels = {"app": name}
    if draw.chance(0.5):
        labels["version"] = draw.one(["v1", "v2"])
    ports = [_port(draw, draw.weighted([("http", 6)] + [(each, 1) for each in PORT_NAMES]), 80, 8080)]
    if draw.chance(0.4):
        other = draw.one([each for each in PORT_NAMES if each != ports[0].name])
        ports.append(_port(draw, other, 9000, draw.one([9000, 9001])))
    sidecar = namespace_labels is None or bool(namespace_labels) and "disabled" not in namespace_labels.values()
    found = Workload(namespace, name, draw.one([name, "default", "web"]), labels, sidecar, ports)
    _capture(draw, found)
    if draw.chance(0.07):
        found.headless = True
        for port in ports:
            port.number = port.target
    found.declares = draw.chance(0.2)
    found.twin = draw.chance(0.12)
    if draw.chance(0.05):
        found.export_to = draw.one([".", "*", "pay", "shop,istio-system"])
    return found


def _port(draw: Draw, name: str, number: int, target: int) -> Port:
    app_protocol = draw.one(APP_PROTOCOLS) if draw.chance(0.12) else None
    return Port(name, number, target, draw.chance(0.15), app_protocol)


def _capture(draw: Draw, found: Workload) -> None:
    """What keeps a proxy away, or ports from it."""
    if draw.chance(0.1):
        spared = draw.one(["8080", "9000", "1,8080"])
        found.annotations["traffic.sidecar.istio.io/excludeInboundPorts"] = spared
    elif draw.chance(0.04):
        captured = draw.one(["8080", "9000", "*", "8080, 9001"])
        found.annotations["traffic.sidecar.istio.io/includeInboundPorts"] = captured
    if draw.chance(0.04):
        found.annotations["traffic.sidecar.istio.io/excludeOutboundPorts"] = draw.one(["80", "9000,443"])
    if draw.chance(0.05) and found.sidecar:
        found.labels["sidecar.istio.io/inject"], found.sidecar = "false", False
    elif draw.chance(0.04):
        found.annotations["sidecar.istio.io/inject"], found.sidecar = "false", False
    elif draw.chance(0.04):
        found.labels[draw.one(["istio.io/rev", "sidecar.istio.io/inject"])] = "true"
    if draw.chance(0.04):
        found.host_network, found.sidecar = True, False


def _machine(draw: Draw, index: int) -> Machine:
    labels = {"app": draw.one(["machine", "machine", "cart"])}
    if draw.chance(0.15):
        labels["security.istio.io/tlsMode"] = draw.one(["istio", "disabled"])
    account = draw.one(["machine", "web", None])
    ports = draw.weighted([({}, 3), ({"http": 8081}, 2), ({"http": 8081, "tcp": 9100}, 1)])
    return Machine(draw.one(["shop", "pay"]), f"machine{index}", f"172.22.0.{10 + index}", labels, account, ports)


def objects(found: Cast) -> list[dict]:
    """The cast as objects."""
    made = []
    for name, labels in found.namespaces.items():
        if labels is not None:
            made.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    for workload in found.workloads:
        made += [_deployment(workload, {"name": "app"}), _service(workload, "ClusterIP")]
        if workload.twin:
            version = "v1" if workload.labels.get("version") == "v2" else "v2"
            labels = {**workload.labels, "version": version}
            made.append(_deployment(workload, {"name": "app"}, f"{workload.name}-{version}", labels))
    made += [_deployment(found.gateway, {"name": "istio-proxy"}), _service(found.gateway, "LoadBalancer")]
    return made


def _deployment(workload: Workload, container: dict, name: str | None = None, labels: dict | None = None) -> dict:
    ports = [{"name": port.name, "containerPort": port.target} for port in workload.ports if port.by_name]
    if workload.declares:
        ports.append({"containerPort": UNDECLARED})
    if ports:
        container["ports"] = ports
    metadata = {"labels": labels or workload.labels}
    if workload.annotations:
        metadata["annotations"] = workload.annotations
    spec = {"serviceAccountName": workload.account, "containers": [container]}
    if workload.host_network:
        spec["hostNetwork"] = True
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name or workload.name, "namespace": workload.namespace},
        "spec": {"template": {"metadata": metadata, "spec": spec}},
    }


def _service(workload: Workload, kind: str) -> dict:
    selector = {key: value for key, value in workload.labels.items() if key in ("app", "istio")}
    ports = []
    for port in workload.ports:
        found = {"name": port.name, "port": port.number, "targetPort": port.name if port.by_name else port.target}
        if port.app_protocol:
            found["appProtocol"] = port.app_protocol
        ports.append(found)
    metadata = {"name": workload.name, "namespace": workload.namespace}
    if workload.export_to:
        metadata["annotations"] = {"networking.istio.io/exportTo": workload.export_to}
    spec = {"type": kind, "selector": selector, "ports": ports}
    if workload.headless:
        spec["clusterIP"] = "None"
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
