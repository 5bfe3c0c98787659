"""Runs the steps of action.yml as GitHub's runner does, on manifests with and without a hole."""

import os
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def run(work, inputs):
    """Runs every step; gives back the exit status of the job, its output and what it left behind."""
    work.mkdir(parents=True)
    files = {name: work / name for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.touch()
    inputs = {name: inputs.get(name, given.get("default", "")) for name, given in ACTION["inputs"].items()}
    outputs, printed = {}, ""
    for step in ACTION["runs"]["steps"]:
        if "uses" in step:
            # Other people's actions are named by a commit, and not run here.
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
            continue

        def value(expression):
            known = {f"inputs.{name}": given for name, given in inputs.items()}
            known |= {f"steps.check.outputs.{name}": given for name, given in outputs.items()}
            return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda found: known[found[1]], expression)

        path = os.pathsep.join([*files["GITHUB_PATH"].read_text().split(), os.environ["PATH"]])
        environment = os.environ | {name: str(file) for name, file in files.items()}
        environment |= {"RUNNER_TEMP": str(work), "PATH": path}
        environment |= {name: value(given) for name, given in step.get("env", {}).items()}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, env=environment, cwd=ROOT / "fixtures/mission", text=True, capture_output=True)
        printed += done.stdout + done.stderr
        outputs |= dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        if done.returncode != 0:
            return done.returncode, printed, outputs, files
    return 0, printed, outputs, files


def main(work):
    status, printed, outputs, files = run(work / "clean", {"paths": "seed\n"})
    assert (status, outputs["status"]) == (0, "0"), printed
    assert "no findings" in files["GITHUB_STEP_SUMMARY"].read_text()
    status, printed, outputs, files = run(work / "hole", {"paths": "seed/gateway.yaml\nfrom-missing"})
    assert (status, outputs["status"]) == (1, "1"), printed
    assert "::error file=from-missing/authorization-policies.yaml,line=21" in printed, printed
    assert "api-outside-ingress" in pathlib.Path(outputs["sarif"]).read_text()
    assert "api-outside-ingress" in files["GITHUB_STEP_SUMMARY"].read_text()
    soft = {"paths": "seed/gateway.yaml\nfrom-missing", "args": "--fail-on=never"}
    status, printed, outputs, _ = run(work / "soft", soft)
    assert (status, outputs["status"]) == (0, "0"), printed
    status, printed, outputs, _ = run(work / "wrong", {"paths": "no such; echo $(id) path"})
    assert (status, outputs["status"]) == (2, "2"), printed
    print("the action reports, uploads and fails as it should")


main(pathlib.Path(sys.argv[1]))
