"""Cut the silence before and after speech."""

from __future__ import annotations

import torch
from torch import Tensor

FRAME = 256  # samples
THRESHOLD_DB = 40.0
KEEP = 2 * FRAME  # samples of room around the speech


def trim(samples: Tensor, threshold_db: float = THRESHOLD_DB, keep: int = KEEP) -> Tensor:
    """Cut `(samples,)` to the frames within `threshold_db` of the loudest, and `keep` samples around them.

    Samples that are not finite, and silent ones, are returned as they are: where speech begins cannot be told.
    """
    first, end = bounds(samples, threshold_db, keep)
    return samples if end - first == samples.shape[0] else samples[first:end]


def bounds(samples: Tensor, threshold_db: float = THRESHOLD_DB, keep: int = KEEP) -> tuple[int, int]:
    """Return where `trim` would cut `(samples,)`: the first sample that stays and the one after the last."""
    if samples.shape[0] < FRAME or not bool(torch.isfinite(samples).all()):
        return 0, samples.shape[0]
    power = samples[: samples.shape[0] // FRAME * FRAME].reshape(-1, FRAME).square().mean(1)
    loud = (power >= power.max() * 10 ** (-threshold_db / 10)).nonzero().flatten()
    first, last = int(loud[0]) * FRAME - keep, (int(loud[-1]) + 1) * FRAME + keep
    return max(0, first), min(last, samples.shape[0])
