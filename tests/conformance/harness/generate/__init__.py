"""Random worlds and requests around the borders of what they tell apart."""

import json
import random

from . import mesh, policies, routes, workloads
from .draw import Draw
from .requests import requests


def world(seed: int, index: int, count: int) -> dict:
    """The world of a number: the same for everybody who asks with the same seed."""
    draw = Draw(random.Random(f"{seed}/{index}"))
    settings = mesh.settings(draw)
    cast = workloads.cast(draw, settings)
    objects = [*workloads.objects(cast), *mesh.objects(settings)]
    objects += routes.objects(draw, cast)
    objects += policies.objects(draw, cast)
    for each in objects:
        each["metadata"]["creationTimestamp"] = f"2026-01-0{draw.integer(1, 4)}T00:00:00Z"
    found = {"id": f"random-{seed}-{index}", "objects": objects, "tokens": policies.token_places(objects)}
    found["requests"] = requests(draw, cast, objects, count)
    return found


def as_files(world: dict) -> dict:
    """The world with its objects as a file of manifests."""
    text = "".join(f"---\n{json.dumps(each)}\n" for each in world["objects"])
    return {**world, "files": [{"name": "world.yaml", "text": text}]}
