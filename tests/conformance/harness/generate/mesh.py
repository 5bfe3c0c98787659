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
    if draw.chance(0.3):
        service = {"service": "ext.shop.svc.cluster.local", "port": 9000}
        kind = draw.one(["envoyExtAuthzGrpc", "envoyExtAuthzHttp"])
        config["extensionProviders"] = [{"name": "ext", kind: service}]
    if draw.chance(0.1):
        config["enableAutoMtls"] = draw.chance(0.5)
    if draw.chance(0.08):
        config["outboundTrafficPolicy"] = {"mode": draw.one(["REGISTRY_ONLY", "ALLOW_ANY"])}
    for kind in "Service", "VirtualService", "DestinationRule":
        if draw.chance(0.03):
            config[f"default{kind}ExportTo"] = [draw.one([".", "*", "shop"])]
    return found


def objects(found: dict) -> list[dict]:
    """The ConfigMap, also where nothing is set: then the defaults are known; and the authorizer's Service."""
    metadata = {"name": "istio", "namespace": "istio-system"}
    data = {"mesh": json.dumps(found["config"])}
    made = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}]
    if "extensionProviders" in found["config"]:
        spec = {"ports": [{"name": "http", "port": 9000}]}
        metadata = {"name": "ext", "namespace": "shop"}
        made.append({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    return made
