"""The two training loops that most rules need: one that only listens to a rule, one that skips where it says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from faultbench.case import Run
from faultbench.rivals import steps
from faultbench.rivals.rival import Played

Judge = Callable[[float, float], bool]  # of the loss and the gradient's norm before clipping: is this step bad?


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Train plainly and note where a rule, made anew for each run, says that a step is bad."""

    name: str
    rule: Callable[[], Judge]
    needs: str = ""
    passive: bool = True

    def play(self, run: Run) -> Played:
        """Train the run."""
        judge = self.rule()
        found = []
        for tick, batch in enumerate(run.batches):
            loss = steps.backward(run, batch)
            if judge(loss, steps.norm(run)):
                found.append(tick)
            steps.clip(run)
            steps.commit(run)
        return Played(detections=tuple(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipping:
    """Skip the update wherever a rule, made anew for each run, says that a step is bad."""

    name: str
    rule: Callable[[], Judge]
    needs: str = ""
    passive: bool = False

    def play(self, run: Run) -> Played:
        """Train the run."""
        judge = self.rule()
        found = []
        for tick, batch in enumerate(run.batches):
            loss = steps.backward(run, batch)
            if judge(loss, steps.norm(run)):
                found.append(tick)
                steps.refuse(run)
                continue
            steps.clip(run)
            steps.commit(run)
        return Played(detections=tuple(found), wasted=len(found))
