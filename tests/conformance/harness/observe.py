"""What a reply says about the request's end, in the words of `meshlint eval`."""

import json
import re

from .client import Reply

_POLICY = re.compile(
    r"rbac_access_denied_matched_policy\[(?:[^\[\]]*ns\[(.*?)\]-policy\[(.*?)\]-rule\[\d+\].*?|none)\]"
)

_DETAILS = [
    ("route_not_found", "no-route"),
    ("cluster_not_found", "no-destination"),
    ("no_healthy_upstream", "no-destination"),
    ("fault_filter_abort", "fault"),
    ("jwt_authn_access_denied", "jwt"),
    ("upstream_reset", "closed"),
    ("upstream_response_timeout", "closed"),
]


_NOWHERE = {"UH", "NC"}  # no healthy upstream, no cluster


class Logs:
    """Connections by their two ends, `FROM>TO`."""

    def __init__(self, path: str):
        self._lines = {}
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                entry = json.loads(line)
                self._lines[entry["connection"]] = entry

    def follow(self, connection: str) -> dict | None:
        """The last proxy that a connection went through, or the one whose policy or handshake closed it."""
        entry, seen = self._lines.get(connection), set()
        while entry and entry["connection"] not in seen:
            seen.add(entry["connection"])
            following = self._lines.get(entry.get("next") or "")
            if following is None or entry.get("handshake") or _POLICY.search(entry.get("ended") or ""):
                break
            entry = following
        return entry


def outcome(reply: Reply, door: str, gateway: str | None, logs: Logs) -> dict:
    """The outcome of one request. `gateway` is what `at` says of the proxy that it enters by."""
    found = _http(reply, door, logs) if reply.kind == "http" else _connection(reply, logs)
    if gateway and (found.get("at") or "").startswith("gateway "):
        found["at"] = gateway
    return {key: found.get(key) for key in ("decision", "by", "workload", "path", "authority", "at", "policy")}


def _denied(by: str, at: str | None, **more) -> dict:
    return {"decision": "denied", "by": by, "at": at, **more}


def _reached(workload: str, **more) -> dict:
    return {"decision": "allowed", "by": "reached", "workload": workload, "at": f"workload {workload}", **more}


def _arrival(at: str, path: str | None, authority: str | None) -> dict:
    """What a denial at a workload's own proxy says about the workload."""
    if not at.startswith("workload "):
        return {}
    return {"workload": at.removeprefix("workload "), "path": path, "authority": authority}


def _by_policy(text: str, at: str, path: str | None = None, authority: str | None = None) -> dict | None:
    """The policy that a text names."""
    match = _POLICY.search(text)
    if not match:
        return None
    policy = f"{match.group(1)}/{match.group(2)}" if match.group(1) else "none"
    return _denied("policy", at, policy=policy, **_arrival(at, path, authority))


def _http(reply: Reply, door: str, logs: Logs) -> dict:
    headers = reply.headers
    if "app-name" in headers:
        return _reached(headers["app-name"], path=headers.get("app-path"), authority=headers.get("app-authority"))
    at, details = headers.get("by-at"), headers.get("by-details", "")
    if at is None:
        # A preflight is the one thing that a proxy answers well without saying so.
        return _denied("direct-response" if reply.status == 200 else "bad-request", door)
    path, authority = headers.get("by-path"), headers.get("by-authority")
    by_policy = _by_policy(details, at, path, authority)
    if by_policy:
        return by_policy
    for start, by in _DETAILS:
        if details.startswith(start):
            if by == "closed":
                return _closed(logs.follow(headers.get("by-next", "")))
            return _denied(by, at, **(_arrival(at, path, authority) if by == "jwt" else {}))
    if details.startswith("direct_response"):
        return _denied("redirect" if "location" in headers else "direct-response", at)
    return _denied("bad-request", at)


def _connection(reply: Reply, logs: Logs) -> dict:
    """A connection that ended without HTTP."""
    if reply.kind == "bytes":
        return _reached(reply.text)
    if reply.kind == "refused":
        return _denied("no-listener", None)
    if reply.kind == "late":
        return {"decision": "late"}
    return _closed(logs.follow(reply.connection))


def _closed(entry: dict | None) -> dict:
    """A closed connection: by a policy where the log names one. Nobody can say who ends a handshake between proxies."""
    if entry is None:
        return _denied("closed", None)
    flags = set((entry.get("flags") or "").split(","))
    nowhere = _NOWHERE & flags
    # What is to be refused goes to a cluster without endpoints on purpose.
    by = "no-destination" if nowhere and "BlackHoleCluster" not in (entry.get("cluster") or "") else "closed"
    at = None if "UF" in flags else entry["listener"]  # a handshake between proxies may fail on either side
    return _by_policy(entry.get("ended") or "", entry["listener"]) or _denied(by, at)
