"""Megatron-LM's rerun state machine: run a rejected step again, say whether it happens again, and stop.

Source: https://github.com/NVIDIA/Megatron-LM, megatron/core/rerun_state_machine.py, in its mode `validate_results`. A
loss or gradient that is not finite is fatal: the step is run again from the same random state, and the job ends before
the update, whether it happens again (exit code 16, to try another device) or not (17, a transient error). A loss of ten
times the largest of the first hundred is spiky (`--check-for-spiky-loss`): it is run again and logged, and training
goes on. The first step is never judged, and under dynamic loss scaling only spikes are (its argument parser turns the
check for NaN off there).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from faultbench.case import Batch, Run
from faultbench.rivals import steps
from faultbench.rivals.loops import Listening
from faultbench.rivals.rival import Played, Rival

FACTOR = 10.0
SAMPLES = 100


@dataclass(slots=True)
class SpikyLoss:
    """The largest absolute value of the first hundred finite losses, and how many of them were seen."""

    most: float = 0.0
    seen: int = 0

    def __call__(self, loss: float, norm: float) -> bool:
        """Say whether this loss is unexpectedly large; one that is not finite is for another check."""
        if not math.isfinite(loss):
            return False
        if self.seen < SAMPLES:
            self.seen += 1
            self.most = max(self.most, abs(loss))
            return False
        return abs(loss) >= FACTOR * self.most


@dataclass(slots=True)
class Rejected:
    """The rule as a detector: not finite, or spiky; not at the first step."""

    spiky: SpikyLoss
    scaled: bool = False
    first: bool = True

    def __call__(self, loss: float, norm: float) -> bool:
        """Say whether a result is rejected."""
        first, self.first = self.first, False
        if first:
            return False
        return self.spiky(loss, norm) or self.fatal(loss, norm)

    def fatal(self, loss: float, norm: float) -> bool:
        """Say whether a result would end the job."""
        return not self.scaled and not (math.isfinite(loss) and math.isfinite(norm))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerunning:
    """The machine itself, which stops."""

    name: str = "Megatron rerun"
    needs: str = ""
    passive: bool = False

    def play(self, run: Run) -> Played:
        """Train the run until a fatal result."""
        judge = Rejected(SpikyLoss(), scaled=run.scaler is not None)
        found = []
        for tick, batch in enumerate(run.batches):
            state = torch.get_rng_state()
            loss = steps.backward(run, batch)
            norm = steps.norm(run)
            if judge(loss, norm):
                found.append(tick)
                _again(run, batch, state)
                if judge.fatal(loss, norm):
                    steps.refuse(run)
                    return Played(detections=tuple(found), stopped=True)
            steps.clip(run)
            steps.commit(run)
        return Played(detections=tuple(found))


def _again(run: Run, batch: Batch, state: torch.Tensor) -> None:
    torch.set_rng_state(state)
    if run.scaler is not None:
        run.scaler.update()  # or it would refuse to unscale a second time
    steps.backward(run, batch)


RIVALS: tuple[Rival, ...] = (
    Rerunning(),
    Listening(name="Megatron's rule", rule=lambda: Rejected(SpikyLoss())),
)
