"""Sidecars: what clients know of the mesh."""

from .draw import Draw
from .workloads import ROOT, Cast

API = "networking.istio.io/v1"


def objects(draw: Draw, cast: Cast) -> list[dict]:
    """The Sidecars of a world; mostly none."""
    found = []
    if draw.chance(0.2):
        found.append(_sidecar(draw, cast, "default", draw.one(["shop", "pay", ROOT])))
    if draw.chance(0.08):
        workload = draw.one(cast.workloads)
        selecting = _sidecar(draw, cast, "own", workload.namespace)
        selecting["spec"]["workloadSelector"] = {"labels": {"app": workload.labels["app"]}}
        found.append(selecting)
    return found


def _sidecar(draw: Draw, cast: Cast, name: str, namespace: str) -> dict:
    spec = {}
    if draw.chance(0.8):
        spec["egress"] = [{"hosts": sorted({_scope(draw, cast) for _ in range(draw.integer(1, 3))})}]
    if draw.chance(0.4) or not spec:
        spec["outboundTrafficPolicy"] = {"mode": draw.one(["REGISTRY_ONLY", "ALLOW_ANY"])}
    return {"apiVersion": API, "kind": "Sidecar", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _scope(draw: Draw, cast: Cast) -> str:
    """An entry of `egress[].hosts`."""
    host, _ = draw.one(cast.destinations())
    return draw.weighted([
        ("./*", 3), ("*/*", 2), (f"{ROOT}/*", 1), ("shop/*", 2), ("pay/*", 1), ("~/*", 0.5), (f"*/{host}", 2),
        (f"./{host}", 1), ("*/*.svc.cluster.local", 1), ("shop/*.shop.svc.cluster.local", 1),
    ])
