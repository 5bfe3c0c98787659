"""Asks `meshlint eval`."""

import json
import os
import subprocess
import tempfile

from .processes import HarnessError


def evaluate(program: str, world: dict) -> list[dict]:
    """Its answers about a world's requests, in order."""
    with tempfile.TemporaryDirectory(prefix="meshlint-conformance-") as folder:
        requests = os.path.join(folder, "requests.jsonl")
        with open(requests, "w", encoding="utf-8") as out:
            out.writelines(json.dumps(request) + "\n" for request in world["requests"])
        done = _run(program, "eval", folder, world["files"], ["--requests", requests])
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(world["requests"]):
        raise HarnessError("meshlint: " + done.stderr.decode(errors="replace")[-2000:])
    return answers


def refused(program: str, files: list[dict]) -> set[str]:
    """The objects that do not act, it says."""
    options = ["--format", "json", "--select", "rejected-resource", "--fail-on", "never"]
    with tempfile.TemporaryDirectory(prefix="meshlint-conformance-") as folder:
        done = _run(program, "check", folder, files, options)
    findings = json.loads(done.stdout)["findings"] if done.stdout else []
    return {name(finding["resource"]) for finding in findings if finding["resource"]}


def name(resource: dict) -> str:
    """An object in words."""
    return f"{resource['kind']} {resource['namespace']}/{resource['name']}"


def _run(program: str, command: str, folder: str, files: list[dict], options: list[str]):
    """Runs a command on files of a closed world."""
    manifests = os.path.join(folder, "world")
    for file in files:
        path = os.path.join(manifests, file["name"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as out:
            out.write(file["text"])
    config = os.path.join(folder, "meshlint.yaml")
    with open(config, "w", encoding="utf-8") as out:
        out.write("world: closed\n")
    line = [program, command, manifests, "--config", config, "--allow-empty", "--quiet", *options]
    return subprocess.run(line, capture_output=True, check=False)
