"""Deployable sets of the corpus as worlds. Their files stay where they are; recordings name them."""

import os

from . import recording

# A directory and all below it is one world: sets that are applied as they lie there, without kustomizations.
SETS = [
    "neobank", "eventhub", "payments-platform-poc", "mesh-observatory", "bank-of-anthos",
]


def worlds(corpus: str) -> list[dict]:
    """Every set that is there."""
    found = []
    for name in SETS:
        files = _files(corpus, name)
        if files:
            found.append({"id": f"corpus-{name}", "corpus": files, "files": recording.corpus_files(corpus, files)})
    return found


def _files(corpus: str, name: str) -> list[str]:
    """The manifests below a directory, in path order."""
    found = []
    for folder, _, names in os.walk(os.path.join(corpus, name)):
        manifests = [each for each in names if each.endswith((".yaml", ".yml", ".json"))]
        # Nothing is built here: what a kustomization says of its files is not in force.
        found += [os.path.join(folder, each) for each in manifests if not each.startswith("kustomization.")]
    return sorted(os.path.relpath(path, corpus) for path in found)
