"""Runs the `curl` lines of findings against a server and compares what it gets with the witness."""

import http.server
import json
import pathlib
import subprocess
import sys
import threading

MISSION = pathlib.Path(__file__).resolve().parents[2] / "fixtures/mission"
# Nothing else listens on an address of the own machine that nobody uses.
ADDRESS = "127.0.0.77"


class Recorder(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    seen = []

    def handle_one_request(self):
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            line = self.raw_requestline.decode("latin-1").split()
            Recorder.seen.append((line[0], line[1], dict(self.headers)))
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_):
        pass


def lines_of(meshlint):
    """Witnesses of the mission's cases with their lines."""
    for case in sorted(MISSION.iterdir()):
        others = ["seed/gateway.yaml", "seed/virtual-service.yaml", "_workloads"]
        arguments = ["check", *others, case.name, "--quiet", "--format"]
        form = lambda name: subprocess.run([meshlint, *arguments, name], cwd=MISSION, capture_output=True, text=True).stdout
        findings = json.loads(form("json") or '{"findings": []}')["findings"]
        results = json.loads(form("sarif") or '{"runs": [{"results": []}]}')["runs"][0]["results"]
        for finding, result in zip(findings, results, strict=True):
            if result["properties"]["curl"]:
                yield finding["witness"], result["properties"]["curl"]


def main(meshlint):
    found = list(lines_of(meshlint))
    port = lambda witness: int(witness["entrypoint"].rsplit(":", 1)[1])
    forbidden = set()
    for number in {port(witness) for witness, _ in found}:
        try:
            server = http.server.ThreadingHTTPServer((ADDRESS, number), Recorder)
        except PermissionError:
            forbidden.add(number)
            continue
        threading.Thread(target=server.serve_forever, daemon=True).start()
    found = [(witness, line) for witness, line in found if port(witness) not in forbidden]
    for witness, line in found:
        Recorder.seen.clear()
        environment = {"POD_IP": ADDRESS, "GATEWAY_IP": ADDRESS, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(["sh", "-c", f"{line} --silent --max-time 10"], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (line, done.stderr)
        [(method, path, headers)] = Recorder.seen
        assert (method, path) == (witness["method"], witness["path"]), (line, method, path)
        assert witness["authority"] in (None, headers["Host"]), (line, headers)
        for name, value in witness["headers"]:
            assert headers.get(name) == value, (line, headers)
    assert len(found) > 30, f"only {len(found)} lines"
    print(f"{len(found)} lines send what they should")


main(sys.argv[1])
