"""Settings of the mesh."""

import json

from .draw import Draw


def settings(draw: Draw) -> dict:
    """What a world's mesh is set to; mostly nothing."""
    found = {"trustDomain": "cluster.local", "config": {}}
    config = found["config"]
    if draw.chance(0.15):
        found["trustDomain"] = config["trustDomain"] = "td.example"
    if draw.chance(0.15):
        config["trustDomainAliases"] = draw.some(["old.example", "cluster.local", "td.other"], 2)
    if draw.chance(0.4):
        modes = ["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES", "DEFAULT"]
        config["pathNormalization"] = {"normalization": draw.one(modes)}
    if draw.chance(0.1):
        config["defaultConfig"] = {"gatewayTopology": {"numTrustedProxies": draw.integer(1, 2)}}
    if draw.chance(0.1):
        service = {"service": "ext.shop.svc.cluster.local", "port": 9000}
        config["extensionProviders"] = [{"name": "ext", "envoyExtAuthzGrpc": service}]
    if draw.chance(0.1):
        config["enableAutoMtls"] = draw.chance(0.5)
    return found


def objects(found: dict) -> list[dict]:
    """The ConfigMap, also where nothing is set: then the defaults are known."""
    metadata = {"name": "istio", "namespace": "istio-system"}
    data = {"mesh": json.dumps(found["config"])}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}]
