"""Random worlds, and requests around the borders of what a world tells apart."""

import json
import random

from . import entries, extensions, gateways, mesh, policies, routes, scopes, workloads
from .draw import Draw
from .requests import requests


def world(seed: int, index: int) -> dict:
    """The world of a number, without requests: the same for everybody who asks with the same seed."""
    draw = Draw(random.Random(f"{seed}/{index}"))
    settings = mesh.settings(draw)
    cast = workloads.cast(draw, settings)
    objects = [*workloads.objects(cast), *mesh.objects(settings)]
    objects += entries.objects(draw, cast)
    cast.gateways = gateways.objects(draw)
    objects += cast.gateways
    for part in routes, scopes, policies, extensions:
        objects += part.objects(draw, cast)
    for each in objects:
        each["metadata"]["creationTimestamp"] = f"2026-01-0{draw.integer(1, 4)}T00:00:00Z"
    return {"id": f"random-{seed}-{index}", "objects": objects}


def as_files(objects: list[dict]) -> list[dict]:
    """Objects as a file of manifests."""
    return [{"name": "world.yaml", "text": "".join(f"---\n{json.dumps(each)}\n" for each in objects)}]


def ask(identity: str, cast, count: int) -> list[dict]:
    """So many requests to a translated world: the same ones for the same world."""
    return requests(Draw(random.Random(identity)), cast, count)
