"""What the validation webhook says of the corpus's test data, and whether meshlint says the same."""

import os

from . import meshlint, recording

# Test data of validators: many objects that are wrong on purpose.
SETS = ["istio-validation-testdata", "istio-analysis-testdata", "kiali-testdata"]

# Objects on which sources differ; they are left out, with the reason.
DISPUTED = {
    # Istio's own test data refuses a value of `presence`, a field that the pinned release's schema does not have.
    "RequestAuthentication default/invalid-presence-value",
}


def run(stack, corpus: str, kinds: list[str]) -> tuple[list[dict], list[str]]:
    """The verdicts of every file that has objects of the kinds, and where meshlint disagrees."""
    lines, wrong = [], []
    for name in _files(corpus):
        (file,) = recording.corpus_files(corpus, [name])
        answer = stack.istiod.translate({"files": [file], "want": "verdicts"})
        judged = {meshlint.name(each) for each in answer.get("judged") or [] if each["kind"] in kinds} - DISPUTED
        refused = {meshlint.name(each): each["error"] for each in answer["rejected"] or [] if each["kind"] in kinds}
        if not judged:
            continue
        lines.append({"file": name, "judged": sorted(judged), "refused": sorted(refused)})
        mine = meshlint.refused(os.environ["CONFORMANCE_MESHLINT"], [file]) & judged
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
