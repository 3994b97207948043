"""What many training loops do by themselves: nothing, clip the gradient, or skip what is not finite."""

from __future__ import annotations

import math
from dataclasses import dataclass

from faultbench.case import Run
from faultbench.rivals import steps
from faultbench.rivals.loops import Judge, Skipping
from faultbench.rivals.rival import Played, Rival


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """Train on, whatever happens, with the gradient's norm held at `limit` or at the run's own limit."""

    name: str
    limit: float = math.inf
    needs: str = ""
    passive: bool = False

    def play(self, run: Run) -> Played:
        """Train the run."""
        for batch in run.batches:
            steps.backward(run, batch)
            steps.clip(run, self.limit)
            steps.commit(run)
        return Played()


def not_finite() -> Judge:
    """Make the rule that a loss or a gradient that is not finite is bad (what loss-scaling loops ask)."""
    return lambda loss, norm: not (math.isfinite(loss) and math.isfinite(norm))


NONE = Plain(name="nothing", passive=True)

RIVALS: tuple[Rival, ...] = (
    NONE,
    Plain(name="clip 1.0", limit=1.0),
    Skipping(name="skip on NaN", rule=not_finite),
)
