"""The rows of the tables in `fixtures/semantics`, as the tests that read them understand them."""

import glob
import json
import os
import subprocess
import tempfile

from .processes import HarnessError

TABLES = ["authorization_rows", "envoy_rows", "security_rows", "routing_rows"]


def _authority(request: dict) -> str:
    """The authority of a row's request, where it names none that of its entrypoint."""
    kind, _, place = request["entrypoint"].partition(" ")
    namespace, _, name = place.rpartition(":")[0].rpartition("/")
    own = f"{name}.{namespace}.svc.cluster.local" if kind == "service" else f"{name}.{namespace}"
    return request["authority"] or own


def worlds(project: str) -> list[dict]:
    """Every row that asks a request; those of one world together, named by the first."""
    found = {}
    for row in _export(project):
        if ":" in (row["request"]["source_ip"] or ""):
            print(f"not asked: {row['id']}: the network of the harness is IPv4")
            continue
        request = {key: value for key, value in row["request"].items() if value is not None}
        request |= {"id": row["id"], "authority": _authority(row["request"])}
        files = [{"name": "world.yaml", "text": row["manifests"]}]
        world = found.setdefault(row["manifests"], {"id": f"row-{row['id']}", "files": files, "requests": []})
        world["requests"].append(request)
    return list(found.values())


def _export(project: str) -> list[dict]:
    """The rows as their tests write them: id, manifests and request."""
    with tempfile.TemporaryDirectory(prefix="meshlint-conformance-") as folder:
        command = ["cargo", "test", "--offline", "--quiet", "--no-fail-fast"]
        for table in TABLES:
            command += ["--test", table]
        environment = {**os.environ, "MESHLINT_ROWS_TO": folder}
        # Whether the rows hold is the tests' own business; here they are only written.
        subprocess.run(command, cwd=project, env=environment, check=False, capture_output=True)
        found = []
        for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
            with open(path, encoding="utf-8") as file:
                found.append(json.load(file))
    if not found:
        raise HarnessError("the tests of the tables write no rows")
    return found
