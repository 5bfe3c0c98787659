"""The two programs that the harness drives: the control plane and Envoy."""

import json
import os
import socket
import subprocess
import time

WORLDS_PER_PROCESS = 150  # each world leaks a few MiB of the control plane


class HarnessError(Exception):
    """Something that is wrong with the harness, not with an answer."""


class Istiod:
    """The translating program, restarted now and then."""

    def __init__(self, program: str, schemas: str):
        self._command, self._process, self._count = [program, "-schemas", schemas], None, 0

    def translate(self, world: dict) -> dict:
        """The translation of one world."""
        if self._process is None or self._count >= WORLDS_PER_PROCESS:
            self.close()
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
            self._count = 0
        self._count += 1
        self._process.stdin.write(json.dumps(world).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        while line and not line.startswith(b"{"):  # packages of istiod log before the program begins
            line = self._process.stdout.readline()
        if not line:
            self.close()
            raise HarnessError("the control plane ended")
        answer = json.loads(line)
        if answer.get("error"):
            raise HarnessError(answer["error"])
        return answer

    def certify(self, identities: list[str]) -> dict:
        """Certificates for identities."""
        return self.translate({"want": "certificates", "identities": identities}).get("certificates") or {}

    def close(self) -> None:
        """Ends the program."""
        if self._process is not None:
            self._process.stdin.close()
            self._process.kill()
            self._process.wait()
            self._process = None


class Envoy:
    """One Envoy with one configuration."""

    def __init__(self, program: str, config: dict, folder: str, ready: int):
        path = os.path.join(folder, "envoy.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        self._log = os.path.join(folder, "envoy.log")
        with open(self._log, "wb") as log:
            command = [program, "-c", path, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait(ready)

    def _wait(self, port: int) -> None:
        """Waits until it listens, or says why it does not."""
        for _ in range(2000):
            if self._process.poll() is not None:
                with open(self._log, encoding="utf-8", errors="replace") as log:
                    raise HarnessError("Envoy refuses the configuration: " + log.read()[-2000:])
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise HarnessError("Envoy does not become ready")

    def close(self) -> None:
        """Ends it; its logs are complete afterwards."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
