"""Makes a world that shows a disagreement as small as it still shows it."""

import copy

from . import compare
from .processes import HarnessError


def shrink(world: dict, judge) -> dict:
    """The smallest world found. `judge` gives the answer and the observed outcomes of its one request."""
    wanted = _signature(*judge(world))
    if not wanted:
        raise HarnessError("the request alone shows no disagreement")

    def shows(candidate: dict) -> bool:
        try:
            return _signature(*judge(candidate)) == wanted
        except Exception:  # noqa: BLE001 - whatever a mutilated world breaks, it is not the wanted one
            return False

    changed = True
    while changed:
        changed = False
        for candidate in _smaller(world):
            if shows(candidate):
                world, changed = candidate, True
                break
    return world


def _signature(answer: dict, observed: list[dict]) -> tuple:
    """What makes two disagreements the same one."""
    if compare.disagreement(answer, observed) is None:
        return ()
    seen = tuple(sorted(str(one.get("by")) for one in observed))
    return answer.get("by"), answer.get("error", "")[:60], seen


def _smaller(world: dict):
    """Worlds with one thing less, big things first."""
    for index in range(len(world["objects"])):
        yield {**world, "objects": world["objects"][:index] + world["objects"][index + 1:]}
    for path in sorted(_places(world["objects"]), key=len):
        yield {**world, "objects": _without(world["objects"], path)}
    request = world["requests"][0]
    for key in request:
        if key not in ("id", "entrypoint", "authority"):
            yield {**world, "requests": [{name: value for name, value in request.items() if name != key}]}


def _places(node, path=()):
    """Every entry of a list or map below `spec` and the like."""
    entries = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
    for key, value in entries:
        if len(path) > 0 and key not in ("apiVersion", "kind", "metadata", "name", "namespace", "creationTimestamp"):
            yield (*path, key)
        yield from _places(value, (*path, key))


def _without(objects: list, path: tuple) -> list:
    """The objects without what lies at a place."""
    found = copy.deepcopy(objects)
    node = found
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    return found
