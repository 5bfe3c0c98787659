"""Runs worlds and holds meshlint to what is observed."""

import os
from dataclasses import dataclass, field

from . import compare, generate, meshlint, recording, session
from .processes import HarnessError
from .tally import Tally

REPEATED = 6  # times that a request is sent where chance decides


@dataclass
class Judge:
    """One run over many worlds."""

    stack: session.Stack
    tally: Tally = field(default_factory=Tally)
    lines: list[dict] = field(default_factory=list)  # of a recording

    def world(self, world: dict, asked: int = 0) -> None:
        """Runs a world, with so many requests made up where it has none of its own."""
        try:
            cast = session.translate(self.stack, world["files"])
            if "requests" not in world:
                world = {**world, "requests": generate.ask(world["id"], cast, asked)}
            answers, observed = self._run(cast, world)
            self._verdicts(cast, world)
        except HarnessError as error:
            self.tally.broken.append(f"{world['id']}: {error}")
            return
        reasons = [compare.disagreement(answer, seen) for answer, seen in zip(answers, observed)]
        self.tally.add(world, answers, observed, reasons)
        open_ones = [answer["id"] for answer in answers if answer.get("decision") == "undetermined"]
        self.lines.append(recording.line(world, observed, open_ones))

    def _verdicts(self, cast, world: dict) -> None:
        """Objects that do not act must be the same ones; corpora are judged apart, kind by kind."""
        if "corpus" in world:
            return
        theirs = {meshlint.name(each) for each in cast.rejected}
        mine = meshlint.refused(os.environ["CONFORMANCE_MESHLINT"], world["files"])
        for each in sorted(theirs ^ mine):
            judge = "istiod" if each in theirs else "meshlint"
            self.tally.verdicts.append(f"{world['id']}: {each} is refused by {judge} alone")

    def single(self, world: dict) -> tuple[dict, list[dict]]:
        """The answer and the observed outcomes of a world's one request."""
        answers, observed = self._run(session.translate(self.stack, world["files"]), world)
        return answers[0], observed[0]

    def _run(self, cast, world: dict) -> tuple[list[dict], list[list[dict]]]:
        answers = meshlint.evaluate(os.environ["CONFORMANCE_MESHLINT"], world)
        times = {answer["id"]: REPEATED for answer in answers if answer.get("outcomes")}
        return answers, session.run(self.stack, cast, world, times)
