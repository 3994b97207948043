"""ZClip as a package: clip the gradient's norm by its z-score against a moving average (alpha 0.97, 25 warm-up steps).

Source: https://arxiv.org/abs/2504.02507. The package also clips to 1.0 by default, which the run's own clipping
replaces. It does not ask whether a norm is finite: one NaN makes its averages NaN, and it clips to 1.0 from there on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from zclip import ZClip

from faultbench.case import Run
from faultbench.rivals import steps
from faultbench.rivals.rival import Played, Rival


@dataclass(frozen=True, slots=True, kw_only=True)
class Clipping:
    """Its `step` between backward and update. An intervention is a z-score above its threshold, not the fixed limit."""

    name: str = "ZClip"
    needs: str = "zclip==1.0.0"
    passive: bool = False

    def play(self, run: Run) -> Played:
        """Train the run."""
        clipper = ZClip(max_grad_norm=run.clip_norm) if math.isfinite(run.clip_norm) else ZClip()
        found = []
        for tick, batch in enumerate(run.batches):
            steps.backward(run, batch)
            usual = (clipper.mean, clipper.var) if clipper.initialized else None
            norm = clipper.step(run.model)
            if usual is not None and _score(norm, *usual, clipper.eps) > clipper.z_thresh:
                found.append(tick)
            steps.commit(run)
        return Played(detections=tuple(found))


def _score(norm: float, mean: float, variance: float, epsilon: float) -> float:
    return (norm - mean) / (math.sqrt(variance) + epsilon)


RIVALS: tuple[Rival, ...] = (Clipping(),)
