"""OLMo's SkipStep: skip what lies six standard deviations from the last 128 steps.

Source: `SkipStepOptimizer` of OLMo-core (https://github.com/allenai/OLMo-core, src/olmo_core/optim), and the OLMo 2
report, https://arxiv.org/abs/2501.00656. Nothing is skipped before half the window is full. Skipped steps stay in the
window, so one NaN makes mean and deviation NaN, and every step is skipped until it has left.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from faultbench.rivals.loops import Skipping
from faultbench.rivals.rival import Rival

WINDOW = 128
SIGMAS = 6.0
LEAST = max(20, WINDOW // 2)  # losses seen, this one included, before anything is skipped


@dataclass(slots=True)
class SkipStep:
    """The last losses and gradient norms."""

    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)

    def __call__(self, loss: float, norm: float) -> bool:
        """Say whether this step is to be skipped, and remember it either way."""
        self.losses = [*self.losses, loss][-WINDOW - 1 :]
        self.norms = [*self.norms, norm][-WINDOW - 1 :]
        if len(self.losses) < LEAST:
            return False
        return not (deviations(self.losses) <= SIGMAS and deviations(self.norms) <= SIGMAS)


def deviations(values: Sequence[float]) -> float:
    """Return how many standard deviations the last value lies from the mean of the others; NaN where one is."""
    *others, last = values
    if not all(map(math.isfinite, values)):
        return math.nan
    spread = statistics.stdev(others)
    off = abs(last - statistics.fmean(others))
    if spread == 0.0:
        return math.nan if off == 0.0 else math.inf  # as a tensor's 0 / 0 and x / 0
    return off / spread


RIVALS: tuple[Rival, ...] = (Skipping(name="OLMo SkipStep", rule=SkipStep),)
