"""What the validation webhook says of the corpus's test data, and whether meshlint says the same."""

import os

from . import meshlint, recording

# Test data of validators: many objects that are wrong on purpose.
SETS = ["istio-validation-testdata", "istio-analysis-testdata", "kiali-testdata"]

# Kinds of the API group for security.
SECURITY = ["AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"]

# Objects on which sources differ; they are left out, with the reason.
DISPUTED = {
    # Istio's own test data refuses a value of `presence`, a field that the pinned release's schema does not have.
    "RequestAuthentication default/invalid-presence-value",
    # A null that stands alone, which the API server drops and the schema by itself refuses.
    "EnvoyFilter bookinfo/test-remove-5",
    # Their addresses are filled in by a shell.
    "ServiceEntry bookinfo/ratings",
    "WorkloadEntry bookinfo/ratings-v1",
}


def run(stack, corpus: str, kinds: list[str]) -> tuple[list[dict], list[str]]:
    """The verdicts of every file that has objects of the kinds, and where meshlint disagrees."""
    lines, wrong = [], []
    for name in _files(corpus):
        (file,) = recording.corpus_files(corpus, [name])
        answer = stack.istiod.translate({"files": [file], "want": "verdicts"})
        judged = {meshlint.name(each) for each in answer.get("judged") or [] if each["kind"] in kinds} - DISPUTED
        rejected = [each for each in answer["rejected"] or [] if each["kind"] in kinds]
        refused = {meshlint.name(each): each["error"] for each in rejected if meshlint.name(each) not in DISPUTED}
        if not judged:
            continue
        lines.append({"file": name, "judged": sorted(judged), "refused": sorted(refused)})
        mine = meshlint.refused(os.environ["CONFORMANCE_MESHLINT"], [file]) & judged
        for each in sorted(mine ^ set(refused)):
            why = f"istiod refuses it: {refused[each]}" if each in refused else "meshlint alone refuses it"
            wrong.append(f"{name}: {each}: {why}")
    return lines, wrong


def table(stack, path: str) -> list[str]:
    """The rows of `fixtures/semantics/validation.txt` that istiod does not confirm."""
    wrong = []
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
    for row in rows:
        claim, kind, verdict, body = row.split(" | ", 3)
        kind, _, metadata = kind.partition(" (")
        group = "security" if kind in SECURITY else "networking"
        version = "v1alpha3" if kind == "EnvoyFilter" else "v1"
        more = f", {metadata.removesuffix(')')}" if metadata else ""
        text = f"apiVersion: {group}.istio.io/{version}\nkind: {kind}\nmetadata: {{name: a{more}}}\n{body}\n"
        answer = stack.istiod.translate({"files": [{"name": "object.yaml", "text": text}], "want": "verdicts"})
        errors = [each["error"] for each in answer["rejected"] or []]
        if bool(errors) != (verdict == "refused"):
            wrong.append(f"{kind}: {claim}: {verdict}, says the table; istiod says {errors or 'taken'}")
    return wrong


def _files(corpus: str) -> list[str]:
    """The manifests of the test data, in path order."""
    found = []
    for name in SETS:
        for folder, _, names in os.walk(os.path.join(corpus, name)):
            found += [os.path.join(folder, each) for each in names if each.endswith((".yaml", ".yml"))]
    return sorted(os.path.relpath(path, corpus) for path in found)
