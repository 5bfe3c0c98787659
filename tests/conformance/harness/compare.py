"""Holds an answer of meshlint to what was observed."""

FIELDS = "decision", "by", "workload", "path", "authority", "policy"


def same(answer: dict, seen: dict) -> bool:
    """Whether an outcome is the observed one. Where nobody can see who decided, `at` is not held to it."""
    if any(answer.get(key) != seen.get(key) for key in FIELDS):
        return False
    at, seen_at = answer.get("at") or "", seen.get("at")
    # Of several workloads with the caller's identity any may have been the client.
    return seen_at is None or at == seen_at or at.startswith("client ") and seen_at.startswith("client ")


def disagreement(answer: dict, observed: list[dict]) -> str | None:
    """What is wrong with an answer, if anything is."""
    if "error" in answer:
        return answer["error"]
    if answer["decision"] == "undetermined":
        return None
    possible = answer.get("outcomes") or [answer]
    for seen in observed:
        if not any(one["decision"] == "undetermined" or same(one, seen) for one in possible):
            return "an outcome that is not foreseen"
    return None
