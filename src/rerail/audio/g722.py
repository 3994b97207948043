"""G.722, the telephone codec of 16 kHz speech, to samples. libsndfile cannot decode it; FFmpeg, through PyAV, can."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from rerail.core.extras import need

SAMPLE_RATE = 16000


def decode(path: Path) -> Tensor:
    """Return `(samples,)` in [-1, 1] at 16 kHz. The file has no header: any bytes are decoded to some sound."""
    with need("av", extra="g722").open(str(path), format="g722") as container:
        parts = [torch.from_numpy(frame.to_ndarray()).reshape(-1) for frame in container.decode(audio=0)]
    return torch.cat(parts).float() / 2**15 if parts else torch.zeros(0)
