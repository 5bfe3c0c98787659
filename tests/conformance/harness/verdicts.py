"""What the validation webhook says of the corpus's test data, and whether meshlint says the same."""

import json
import os
import subprocess

from . import recording

# Test data of validators: many objects that are wrong on purpose.
SETS = ["istio-validation-testdata", "istio-analysis-testdata", "kiali-testdata"]


def run(stack, corpus: str, kinds: list[str]) -> tuple[list[dict], list[str]]:
    """The verdicts of every file that has objects of the kinds, and where meshlint disagrees."""
    lines, wrong = [], []
    for name in _files(corpus):
        (file,) = recording.corpus_files(corpus, [name])
        answer = stack.istiod.translate({"files": [file], "want": "verdicts"})
        judged = {_name(each) for each in answer.get("judged") or [] if each["kind"] in kinds}
        refused = {_name(each): each["error"] for each in answer["rejected"] or [] if each["kind"] in kinds}
        if not judged:
            continue
        lines.append({"file": name, "judged": sorted(judged), "refused": sorted(refused)})
        mine = _refused_by_meshlint(os.path.join(corpus, name)) & judged
        for each in sorted(mine ^ set(refused)):
            why = f"istiod refuses it: {refused[each]}" if each in refused else "meshlint alone refuses it"
            wrong.append(f"{name}: {each}: {why}")
    return lines, wrong


def _files(corpus: str) -> list[str]:
    """The manifests of the test data, in path order."""
    found = []
    for name in SETS:
        for folder, _, names in os.walk(os.path.join(corpus, name)):
            found += [os.path.join(folder, each) for each in names if each.endswith((".yaml", ".yml"))]
    return sorted(os.path.relpath(path, corpus) for path in found)


def _name(each: dict) -> str:
    return f"{each['kind']} {each['namespace']}/{each['name']}"


def _refused_by_meshlint(path: str) -> set[str]:
    """The objects of a file that meshlint says do not act."""
    program = os.environ["CONFORMANCE_MESHLINT"]
    options = ["--format", "json", "--select", "rejected-resource", "--fail-on", "never", "--allow-empty", "--quiet"]
    done = subprocess.run([program, "check", path, *options], capture_output=True, check=False)
    findings = json.loads(done.stdout)["findings"] if done.stdout else []
    return {_name(finding["resource"]) for finding in findings if finding["resource"]}
