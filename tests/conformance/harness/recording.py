"""Recordings: worlds with requests and what became of them, one a line, which `cargo test` replays."""

import json
import subprocess

MODULE = "istio.io/istio"


def versions(envoy: str, go_module: str) -> dict:
    """What produced a recording."""
    with open(go_module, encoding="utf-8") as file:
        istio = next(line.split()[-1] for line in file if MODULE in line)
    done = subprocess.run([envoy, "--version"], capture_output=True, check=True, text=True)
    return {"istio": istio, "envoy": done.stdout.split("version:")[-1].strip().split("/")[1]}


def line(world: dict, observed: list[list[dict]], undetermined: list[str]) -> dict:
    """A world as a recording holds it."""
    found = {"id": world["id"]}
    if "corpus" in world:
        found["files"] = world["corpus"]
    else:
        found["manifests"] = world["files"][0]["text"]
    known = [[{key: value for key, value in one.items() if value is not None} for one in seen] for seen in observed]
    return {**found, "requests": world["requests"], "observed": known, "undetermined": undetermined}


def write(path: str, made_by: dict, lines: list[dict]) -> None:
    """A whole recording."""
    with open(path, "w", encoding="utf-8") as file:
        for each in [{"versions": made_by}, *lines]:
            file.write(json.dumps(each, separators=(",", ":")) + "\n")


def read(path: str, corpus: str) -> list[dict]:
    """The worlds of a recording, ready to be run again."""
    worlds = []
    with open(path, encoding="utf-8") as file:
        for each in map(json.loads, file):
            if "requests" not in each:
                continue
            world = {"id": each["id"], "requests": each["requests"]}
            if "manifests" in each:
                world["files"] = [{"name": "world.yaml", "text": each["manifests"]}]
            else:
                world["corpus"], world["files"] = each["files"], corpus_files(corpus, each["files"])
            worlds.append(world)
    return worlds


def corpus_files(corpus: str, names: list[str]) -> list[dict]:
    """Files of the corpus."""
    found = []
    for name in names:
        with open(f"{corpus}/{name}", encoding="utf-8") as file:
            found.append({"name": name, "text": file.read()})
    return found
