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
    if samples.shape[0] < FRAME or not bool(torch.isfinite(samples).all()):
        return samples
    power = samples[: samples.shape[0] // FRAME * FRAME].reshape(-1, FRAME).square().mean(1)
    loud = (power >= power.max() * 10 ** (-threshold_db / 10)).nonzero().flatten()
    first, last = int(loud[0]) * FRAME - keep, (int(loud[-1]) + 1) * FRAME + keep
    return samples[max(0, first) : last]
