"""Counts of a run, and the disagreements that it found."""

import json
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What a run came to."""

    worlds: int = 0
    requests: int = 0
    broken: list[str] = field(default_factory=list)
    undetermined: Counter = field(default_factory=Counter)
    endings: Counter = field(default_factory=Counter)
    disagreements: list[dict] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)  # objects that one refuses and the other does not

    def failed(self) -> bool:
        """Whether anything is not as it should be."""
        return bool(self.disagreements or self.verdicts or self.broken)

    def add(self, world: dict, answers: list[dict], observed: list[list[dict]], reasons: list) -> None:
        """Counts a world that was run."""
        self.worlds += 1
        self.requests += len(answers)
        for request, answer, seen, reason in zip(world["requests"], answers, observed, reasons):
            self.endings.update(one.get("by") or one["decision"] for one in seen[:1])
            if reason:
                self.disagreements.append(
                    {"world": world["id"], "why": reason, "request": request, "meshlint": answer, "observed": seen}
                )
            elif answer["decision"] == "undetermined":
                self.undetermined[answer["cause"]["kind"]] += 1

    def print(self) -> None:
        """The summary in words."""
        unknown = sum(self.undetermined.values())
        agreed = self.requests - unknown - len(self.disagreements)
        print(f"{self.worlds} worlds, {self.requests} requests: {agreed} agreed, {unknown} undetermined, "
              f"{len(self.disagreements)} disagreements; {len(self.broken)} worlds could not be run")
        print("  observed:", ", ".join(f"{name} {count}" for name, count in self.endings.most_common()))
        causes = ", ".join(f"{name} {count}" for name, count in self.undetermined.most_common())
        print("  undetermined:", causes or "none")
        for text in self.verdicts:
            print("  validation:", text)
        for text in self.broken:
            print("  not run:", text)

    def write(self, path: str) -> None:
        """The disagreements, one a line."""
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(each) + "\n" for each in self.disagreements)
