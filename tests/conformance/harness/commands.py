"""What the harness can be asked to do."""

import json
import os

from . import corpus, generate, recording, rows, shrink, verdicts
from .judge import Judge
from .session import Stack

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROJECT = os.path.dirname(os.path.dirname(HERE))
FIXTURES = os.path.join(PROJECT, "fixtures", "conformance")
KINDS = [
    "AuthorizationPolicy",
    "PeerAuthentication",
    "RequestAuthentication",
    "Gateway",
    "VirtualService",
    "DestinationRule",
    "ServiceEntry",
    "Sidecar",
    "WorkloadEntry",
    "EnvoyFilter",
]
CORPUS = os.path.join(PROJECT, "..", "shared", "corpus")


def add(kinds) -> None:
    """Adds every command to a parser."""
    some = kinds.add_parser("random", help="random worlds")
    some.add_argument("--worlds", type=int, default=300)
    some.add_argument("--requests", type=int, default=70)
    some.add_argument("--seed", type=int, default=1)
    some.add_argument("--first", type=int, default=0, help="number of the first world")
    some.set_defaults(action=_random)
    again = kinds.add_parser("again", help="recorded worlds once more")
    again.add_argument("recordings", nargs="+")
    again.set_defaults(action=_again)
    table = kinds.add_parser("rows", help="rows of the tables in fixtures/semantics")
    table.set_defaults(action=_rows)
    real = kinds.add_parser("corpus", help="sets of manifests that other people wrote")
    real.add_argument("--requests", type=int, default=150)
    real.set_defaults(action=_corpus)
    for each in some, again, table, real:
        each.add_argument("--record", metavar="FILE", help="write what was observed")
        each.add_argument("--out", metavar="FILE", help="write the disagreements")
    smoke = kinds.add_parser("smoke", help="a few worlds, for every change")
    smoke.set_defaults(action=_smoke, record=None, out=None)
    small = kinds.add_parser("shrink", help="the smallest world that still shows a disagreement")
    small.add_argument("disagreements")
    small.add_argument("--line", type=int, default=1)
    small.add_argument("--id", default="small", help="name of the case")
    small.set_defaults(action=_shrink)
    one = kinds.add_parser("one", help="a file of manifests and a file of requests")
    one.add_argument("manifests")
    one.add_argument("requests")
    one.set_defaults(action=_one)
    verdict = kinds.add_parser("verdicts", help="which objects of the corpus the webhook refuses")
    verdict.add_argument("--kinds", nargs="+", default=KINDS)
    verdict.add_argument("--record", metavar="FILE", help="write what the webhook said")
    verdict.set_defaults(action=_verdicts)


def _finish(judge: Judge, arguments) -> int:
    """Says what a run came to, and writes what was asked for."""
    judge.tally.print()
    if arguments.out:
        judge.tally.write(arguments.out)
    if arguments.record:
        made_by = recording.versions(judge.stack.envoy, os.path.join(HERE, "istiod", "go.mod"))
        recording.write(arguments.record, made_by, judge.lines)
    return 1 if judge.tally.failed() else 0


def _random(stack: Stack, arguments) -> int:
    judge = Judge(stack)
    for index in range(arguments.first, arguments.first + arguments.worlds):
        _random_world(judge, arguments.seed, index, arguments.requests)
    return _finish(judge, arguments)


def _random_world(judge: Judge, seed: int, index: int, requests: int) -> None:
    world = generate.world(seed, index)
    judge.world({"id": world["id"], "files": generate.as_files(world["objects"])}, requests)


def _again(stack: Stack, arguments) -> int:
    judge = Judge(stack)
    for path in arguments.recordings:
        for world in recording.read(path, CORPUS):
            judge.world(world)
    return _finish(judge, arguments)


def _smoke(stack: Stack, arguments) -> int:
    judge = Judge(stack)
    for world in recording.read(os.path.join(FIXTURES, "cases.jsonl"), CORPUS):
        judge.world(world)
    for index in range(10):
        _random_world(judge, 1, index, 40)
    return _finish(judge, arguments)


def _rows(stack: Stack, arguments) -> int:
    judge = Judge(stack)
    for world in rows.worlds(PROJECT):
        judge.world(world)
    return _finish(judge, arguments)


def _corpus(stack: Stack, arguments) -> int:
    judge = Judge(stack)
    for world in corpus.worlds(CORPUS):
        judge.world(world, arguments.requests)
    return _finish(judge, arguments)


def _shrink(stack: Stack, arguments) -> int:
    with open(arguments.disagreements, encoding="utf-8") as file:
        found = json.loads(file.readlines()[arguments.line - 1])
    _, seed, index = found["world"].split("-")
    world = {**generate.world(int(seed), int(index)), "requests": [found["request"]]}

    def judged(candidate: dict) -> tuple[dict, list[dict]]:
        return Judge(stack).single({**candidate, "files": generate.as_files(candidate["objects"])})

    world = shrink.shrink(world, judged)
    _, observed = judged(world)
    files = generate.as_files(world["objects"])
    print(json.dumps(recording.line({**world, "id": arguments.id, "files": files}, [observed], [])))
    return 0


def _one(stack: Stack, arguments) -> int:
    with open(arguments.manifests, encoding="utf-8") as file:
        files = [{"name": "world.yaml", "text": file.read()}]
    with open(arguments.requests, encoding="utf-8") as file:
        requests = [{"authority": "example.com", **json.loads(line)} for line in file]
    for index, request in enumerate(requests):
        request.setdefault("id", str(index))
        answer, observed = Judge(stack).single({"id": "one", "files": files, "requests": [request]})
        print(json.dumps(request))
        print("  meshlint", json.dumps(answer))
        for each in observed:
            print("  observed", json.dumps(each))
    return 0


def _verdicts(stack: Stack, arguments) -> int:
    lines, wrong = verdicts.run(stack, CORPUS, arguments.kinds)
    judged, refused = (sum(len(line[key]) for line in lines) for key in ("judged", "refused"))
    print(f"{len(lines)} files, {judged} objects: the webhook refuses {refused}; meshlint differs on {len(wrong)}")
    wrong += verdicts.table(stack, os.path.join(PROJECT, "fixtures", "semantics", "validation.txt"))
    print("".join(f"  {each}\n" for each in wrong), end="")
    if arguments.record:
        made_by = recording.versions(stack.envoy, os.path.join(HERE, "istiod", "go.mod"))
        recording.write(arguments.record, {**made_by, "kinds": arguments.kinds}, lines)
    return 1 if wrong else 0
