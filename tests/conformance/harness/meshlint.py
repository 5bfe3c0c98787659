"""Asks `meshlint eval`."""

import json
import os
import subprocess
import tempfile

from .processes import HarnessError


def evaluate(program: str, world: dict) -> list[dict]:
    """Its answers about a world's requests, in order."""
    with tempfile.TemporaryDirectory(prefix="meshlint-conformance-") as folder:
        for file in world["files"]:
            path = os.path.join(folder, "world", file["name"])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="") as out:
                out.write(file["text"])
        config = os.path.join(folder, "meshlint.yaml")
        with open(config, "w", encoding="utf-8") as out:
            out.write("world: closed\n")
        requests = os.path.join(folder, "requests.jsonl")
        with open(requests, "w", encoding="utf-8") as out:
            out.writelines(json.dumps(request) + "\n" for request in world["requests"])
        options = ["--config", config, "--requests", requests, "--allow-empty", "--quiet"]
        command = [program, "eval", os.path.join(folder, "world"), *options]
        done = subprocess.run(command, capture_output=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(world["requests"]):
        raise HarnessError("meshlint: " + done.stderr.decode(errors="replace")[-2000:])
    return answers
