"""Going back with a lower learning rate, and remedies by chance: the baselines that a repair has to beat.

Random remedies belong in every such table: Kim et al. 2023 found them on a par with the repair tools of their day. The
thresholds are those of `faultbench.peers`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from faultbench.case import Run
from faultbench.peers import ROLL_BACK_EVERY, SPIKE
from faultbench.rivals import steps
from faultbench.rivals.rival import Played, Rival
from rerail.act.state import Parts, capture, restore

REMEDIES = ("skip", "back", "slower", "fresh", "fp32")
RECENT = 20  # losses that a spike is compared with
ENOUGH = 6  # of them, before a spike is looked for


@dataclass(slots=True)
class Spike:
    """Bad is what is not finite, and a loss of more than ten times the median of the last twenty good ones."""

    recent: list[float] = field(default_factory=list)

    def __call__(self, loss: float, norm: float) -> bool:
        """Say whether a step is bad."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            return True
        usual = sorted(self.recent)[len(self.recent) // 2] if len(self.recent) >= ENOUGH else math.inf
        if loss > SPIKE * abs(usual):
            return True
        self.recent = [*self.recent, loss][-RECENT:]
        return False


@dataclass(slots=True)
class Course:
    """A run on its way. `rate` multiplies the learning rate; `since` counts updates since the snapshot `saved`."""

    run: Run
    parts: Parts
    saved: Mapping[str, Any]
    since: int = 0
    rate: float = 1.0
    wasted: int = 0

    @classmethod
    def of(cls, run: Run) -> Course:
        """Begin."""
        parts = steps.parts(run)
        return cls(run=run, parts=parts, saved=capture(parts))

    def on(self) -> None:
        """Update, and take a snapshot every tenth time."""
        steps.clip(self.run)
        steps.commit(self.run, rate=self.rate)
        self.since += 1
        if self.since == ROLL_BACK_EVERY:
            self.saved, self.since = capture(self.parts), 0

    def skip(self) -> None:
        """Do without this step."""
        steps.refuse(self.run)
        self.wasted += 1

    def back(self) -> None:
        """Return to the snapshot."""
        restore(self.parts, self.saved)
        self.wasted += self.since
        self.since = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairing:
    """Treat what is not finite, or spikes, with a remedy (made anew for each run)."""

    name: str
    remedy: Callable[[], Callable[[Course], None]]
    needs: str = ""
    passive: bool = False

    def play(self, run: Run) -> Played:
        """Train the run."""
        course, bad, treat = Course.of(run), Spike(), self.remedy()
        found = []
        for tick, batch in enumerate(run.batches):
            loss = steps.backward(course.run, batch)
            if not bad(loss, steps.norm(course.run)):
                course.on()
                continue
            found.append(tick)
            course.skip()
            treat(course)
        return Played(detections=tuple(found), wasted=course.wasted)


def halving() -> Callable[[Course], None]:
    """Make the remedy of going back and halving the learning rate."""

    def treat(course: Course) -> None:
        course.back()
        course.rate *= 0.5

    return treat


def chance(seed: int = 0) -> Callable[[Course], None]:
    """Make the remedy of taking one of five by the dice."""
    dice = random.Random(seed)  # noqa: S311 (dice, no secret)

    def treat(course: Course) -> None:
        remedy = dice.choice(REMEDIES)
        if remedy in {"back", "slower"}:
            course.back()
        if remedy == "slower":
            course.rate *= 0.1
        if remedy == "fresh":
            course.run.optimizer.state.clear()
        if remedy == "fp32":
            course.run = replace(course.run, precision=None)

    return treat


RIVALS: tuple[Rival, ...] = (
    Repairing(name="rollback, LR x0.5", remedy=halving),
    Repairing(name="random remedy", remedy=chance),
)
