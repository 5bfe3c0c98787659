"""The commands of `tests/conformance/run`."""

import argparse
import json
import os
import sys
import tempfile

from . import client, compare, generate, meshlint, session
from .processes import HarnessError, Istiod
from .tally import Tally

REPEATED = 6  # times that a request is sent where chance decides


def main() -> int:
    parser = argparse.ArgumentParser(prog="run")
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("one", help="a file of manifests and a file of requests")
    one.add_argument("manifests")
    one.add_argument("requests")
    one.set_defaults(action=_one)
    some = commands.add_parser("random", help="random worlds")
    some.add_argument("--worlds", type=int, default=300)
    some.add_argument("--requests", type=int, default=70)
    some.add_argument("--seed", type=int, default=1)
    some.add_argument("--first", type=int, default=0)
    some.add_argument("--out", default="disagreements.jsonl")
    some.set_defaults(action=_random)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meshlint-conformance-") as folder:
        istiod = Istiod(os.environ["CONFORMANCE_ISTIOD"])
        stack = session.Stack(istiod, os.environ["CONFORMANCE_ENVOY"], client.Identities(folder))
        try:
            return arguments.action(stack, arguments)
        finally:
            istiod.close()


def _judge(stack, world: dict, tally: Tally) -> None:
    """Runs a world and holds meshlint to it."""
    try:
        answers = meshlint.evaluate(os.environ["CONFORMANCE_MESHLINT"], world)
        times = {answer["id"]: REPEATED for answer in answers if answer.get("outcomes")}
        observed = session.run(stack, world, times)
    except HarnessError as error:
        tally.broken.append(f"{world['id']}: {error}")
        return
    reasons = [compare.disagreement(answer, seen) for answer, seen in zip(answers, observed)]
    tally.add(world, answers, observed, reasons)


def _random(stack, arguments) -> int:
    tally = Tally()
    for index in range(arguments.first, arguments.first + arguments.worlds):
        world = generate.world(arguments.seed, index, arguments.requests)
        _judge(stack, generate.as_files(world), tally)
    tally.print()
    tally.write(arguments.out)
    return 1 if tally.disagreements or tally.broken else 0


def _one(stack, arguments) -> int:
    with open(arguments.manifests, encoding="utf-8") as file:
        text = file.read()
    with open(arguments.requests, encoding="utf-8") as file:
        requests = [json.loads(line) for line in file]
    world = {"id": "one", "files": [{"name": "world.yaml", "text": text}], "requests": requests}
    answers = meshlint.evaluate(os.environ["CONFORMANCE_MESHLINT"], world)
    for request in requests:
        request.setdefault("authority", "example.com")
    observed = session.run(stack, world, {})
    for request, answer, seen in zip(requests, answers, observed):
        print(json.dumps(request), compare.disagreement(answer, seen) or "agreed")
        print("  meshlint", json.dumps(answer))
        for each in seen:
            print("  observed", json.dumps(each))
    return 0


if __name__ == "__main__":
    sys.exit(main())
