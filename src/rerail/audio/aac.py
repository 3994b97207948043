"""AAC (`.m4a`, as VoxCeleb 2 comes) to samples. libsndfile cannot decode it; FFmpeg, through PyAV, can."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from rerail.core.extras import need

ENDINGS = (".m4a", ".aac", ".mp4")


def decode(path: Path) -> tuple[Tensor, int]:
    """Return `(samples,)` in [-1, 1], several channels averaged, and the rate in Hz.

    Raises:
        ValueError: for a file that holds no sound that FFmpeg knows.
    """
    av = need("av", extra="g722")
    try:
        with av.open(str(path)) as container:
            rate, plain = container.streams.audio[0].rate, av.AudioResampler(format="fltp")
            frames = [one for frame in container.decode(audio=0) for one in plain.resample(frame)]
    except (av.error.FFmpegError, IndexError) as error:
        raise ValueError(f"{path}: cannot be decoded ({error}); convert it to WAV or FLAC") from error
    parts = [torch.from_numpy(frame.to_ndarray()).mean(0) for frame in frames]
    return (torch.cat(parts) if parts else torch.zeros(0)), int(rate)
