"""KillLossSpike, the Composer callback of MosaicML's LLM Foundry: five losses in a row of twice the mean.

Source: https://github.com/mosaicml/llm-foundry, llmfoundry/callbacks/kill_loss_spike_callback.py. Defaults: window
100, multiplier 2, patience 4, loss cap 10, and `log_only`, which makes it passive. A NaN is no outlier, since it is not
greater than anything, and makes the mean NaN for a hundred steps.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from faultbench.rivals.loops import Listening
from faultbench.rivals.rival import Rival

WINDOW = 100
MULTIPLIER = 2.0
PATIENCE = 4
CAP = 10.0


@dataclass(slots=True)
class LossSpike:
    """The last hundred losses, how many outliers came in a row, and how many steps there were."""

    window: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    outliers: int = 0
    step: int = 0

    def __call__(self, loss: float, norm: float) -> bool:
        """Say whether the loss has spiked for long enough, or has been above the cap for half the window."""
        found = len(self.window) == WINDOW and (self._spiked(loss) or self._high())
        self.window.append(loss)
        self.step += 1
        return found

    def _spiked(self, loss: float) -> bool:
        outlying = loss >= MULTIPLIER * sum(self.window) / WINDOW
        self.outliers = self.outliers + 1 if outlying else 0
        return self.outliers > PATIENCE

    def _high(self) -> bool:
        return self.step >= 2 * WINDOW and sum(one > CAP for one in self.window) >= WINDOW / 2


RIVALS: tuple[Rival, ...] = (Listening(name="KillLossSpike", rule=LossSpike),)
