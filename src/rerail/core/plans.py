"""The plan that a run starts with: every detector, and a ladder for whatever one may find.

The ladders are for runs where no replay can choose the remedy. They start mild, and a repeat climbs.
"""

from __future__ import annotations

from rerail.core.detectors import DEFAULT
from rerail.core.knobs import Knobs, Precision
from rerail.core.remedy import GO_ON, Ladder, Move, Remedy
from rerail.core.verdict import Plan

_FOREVER = 10**9
_FP32 = Knobs(precision=Precision.FP32)


def _slower(scale: float, *, depth: int = 0, precision: Precision = Precision.AS_RUN) -> Remedy:
    knobs = Knobs(lr_scale=scale, precision=precision)
    return Remedy(move=Move.REWIND, knobs=knobs, hold=20, ramp=20, depth=depth)


def default_plan() -> Plan:
    """Return the default plan."""
    backwards = (_slower(0.1), _slower(0.01, depth=1), _slower(0.001, depth=1, precision=Precision.FP32))
    # One far batch is the batch, several in a row the state. Going back meets the batch again: skips stand between.
    mixed = tuple(rung for one in backwards for rung in (Remedy(move=Move.SKIP, times=2), one))
    return Plan(
        detectors=DEFAULT,
        ladders={
            # Rows that hold a NaN are dropped by the guard, and the rest of the batch is tried again.
            "nonfinite.input": Ladder(rungs=(Remedy(move=Move.SKIP, times=_FOREVER),), window=100),
            "nonfinite.weights": Ladder(rungs=(Remedy(move=Move.REWIND), *backwards), window=100),
            "nonfinite": Ladder(
                rungs=(
                    Remedy(move=Move.SKIP, times=2),
                    Remedy(move=Move.SKIP, knobs=_FP32, hold=1000, ramp=0),
                    Remedy(move=Move.SKIP, times=2),
                    *backwards,
                ),
                window=60,
            ),
            "loss.outlier": Ladder(rungs=mixed[:4], window=100, last=GO_ON),
            "loss.spike": Ladder(rungs=backwards[:2], window=100, last=GO_ON),
            "gradient.explosion": Ladder(rungs=mixed[:4], window=100, last=GO_ON),
            # Halving the loss scale is what a dynamic scale is for.
            "scale": Ladder(rungs=(Remedy(move=Move.SKIP, times=_FOREVER),), window=100),
        },
    )
