"""Hosts that are no plain Services: ServiceEntries, WorkloadEntries, ExternalName Services."""

from .draw import Draw
from .workloads import Cast, Machine

API = "networking.istio.io/v1"
OUTSIDE = ["ext.example.com", "api.ext.example.com", "pay.example.com"]
ADDRESSES = ["198.51.100.1", "198.51.100.2"]  # nobody in the world has these


def objects(draw: Draw, cast: Cast) -> list[dict]:
    """The entries of a world; what hosts they make is noted in the cast."""
    found = [_machine(each) for each in cast.machines]
    for index, alias in enumerate(cast.aliases):
        found.append(_alias(draw, cast, alias, index))
    entries = []
    if cast.machines:
        entries.append(_selecting(draw, cast, cast.machines[0].namespace, cast.machines[0].labels["app"]))
    if draw.chance(0.12):
        workload = draw.one(cast.workloads)
        entries.append(_selecting(draw, cast, workload.namespace, workload.labels["app"]))
    for _ in range(draw.weighted([(0, 6), (1, 2), (2, 1)])):
        entries.append(_outside(draw))
    for index, (namespace, spec) in enumerate(entries):
        if draw.chance(0.15):
            spec["exportTo"] = [draw.one([".", "*", "pay", "shop"])]
        cast.entries.append((spec["hosts"][0], [port["number"] for port in spec["ports"]]))
        metadata = {"name": f"e{index}", "namespace": namespace}
        found.append({"apiVersion": API, "kind": "ServiceEntry", "metadata": metadata, "spec": spec})
    return found


def _machine(machine: Machine) -> dict:
    spec = {"address": machine.address, "labels": machine.labels}
    if machine.account:
        spec["serviceAccount"] = machine.account
    if machine.ports:
        spec["ports"] = machine.ports
    metadata = {"name": machine.name, "namespace": machine.namespace}
    return {"apiVersion": API, "kind": "WorkloadEntry", "metadata": metadata, "spec": spec}


def _alias(draw: Draw, cast: Cast, alias: str, index: int) -> dict:
    """A Service that is another name of another, or of a host outside."""
    real = draw.weighted([(draw.one(cast.workloads).fqdn(), 5), ("elsewhere.example", 1)])
    name, namespace = alias.split(".")[:2]
    spec = {"type": "ExternalName", "externalName": real}
    if draw.chance(0.7):
        spec["ports"] = [{"name": "http", "port": 80}]
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _selecting(draw: Draw, cast: Cast, namespace: str, application: str) -> tuple[str, dict]:
    """An entry whose endpoints are workloads of the input."""
    host = draw.one(["picked.example.com", f"picked.{namespace}.svc.cluster.local", "picked.mesh"])
    port = {"number": 80, "name": draw.one(["http", "tcp"]), "protocol": draw.weighted([("HTTP", 4), ("TCP", 1)])}
    target = draw.weighted([(8080, 4), (8081, 1), (None, 1)])
    if target:
        port["targetPort"] = target
    if port["protocol"] == "TCP":
        port["number"] = 3306  # elsewhere it would contest the ports of Services
    spec = {"hosts": [host], "ports": [port], "resolution": draw.weighted([("STATIC", 6), ("DNS", 0.5)])}
    spec["workloadSelector"] = {"labels": {"app": application}}
    if draw.chance(0.7):
        spec["location"] = draw.one(["MESH_INTERNAL", "MESH_INTERNAL", "MESH_EXTERNAL"])
    if draw.chance(0.3):
        spec["addresses"] = ["240.240.0.7"]
    return namespace, spec


def _outside(draw: Draw) -> tuple[str, dict]:
    """An entry for a host outside of the mesh."""
    ports = [
        {"number": 80, "name": "http", "protocol": "HTTP"},
        {"number": 443, "name": "https", "protocol": "HTTPS"},
        {"number": 443, "name": "tls", "protocol": "TLS"},
        {"number": 3306, "name": "tcp", "protocol": "TCP"},
    ]
    resolution = draw.one(["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", None])
    spec = {"hosts": [draw.one(OUTSIDE)], "ports": [draw.weighted(list(zip(ports, (6, 2, 2, 1))))]}
    if resolution:
        spec["resolution"] = resolution
    if resolution == "STATIC" and draw.chance(0.9):
        spec["endpoints"] = [{"address": address} for address in draw.some(ADDRESSES, 2)]
    if draw.chance(0.15) and resolution in ("NONE", None):
        spec["hosts"] = ["*.ext.example.com"]
    if draw.chance(0.5):
        spec["location"] = draw.one(["MESH_INTERNAL", "MESH_EXTERNAL"])
    return draw.one(["shop", "pay", "istio-system"]), spec
