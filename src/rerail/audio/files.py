"""Sound files to samples and back."""

from __future__ import annotations

import io
import os
from pathlib import Path

import torch
from torch import Tensor

from rerail.core.extras import need


def read(path: Path, sample_rate: int, *, resample: bool = False) -> Tensor:
    """Read a sound file as `(samples,)`, float32 in [-1, 1]; several channels are averaged.

    Samples that are not finite are passed on as they are.

    Raises:
        ValueError: for a file that is missing, empty, not decodable, or of another rate where `resample` is off.
    """
    soundfile = need("soundfile", extra="audio")
    if not path.exists():
        raise ValueError(f"{path}: no such file; check the id in the metadata, or restore the recording")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path}: cannot be decoded ({error}); convert it to WAV or FLAC") from None
    if not len(samples):
        raise ValueError(f"{path}: holds no samples; remove the clip or record it again")
    mono = samples.mean(axis=1)
    if rate != sample_rate:
        if not resample:
            raise ValueError(f"{path}: sampled at {rate} Hz, expected {sample_rate}; resample it, or set sample_rate")
        mono = need("soxr", extra="audio").resample(mono, rate, sample_rate)
    return torch.from_numpy(mono)


def encode_wav(samples: Tensor, sample_rate: int) -> bytes:
    """Return `(samples,)` in [-1, 1] as the bytes of a 16-bit WAV file; louder samples are clipped.

    Raises:
        ValueError: for samples that are not finite.
    """
    if not bool(torch.isfinite(samples).all()):
        bad = int((~torch.isfinite(samples)).sum())
        raise ValueError(f"{bad} of {samples.numel()} samples are not finite; nothing was written; check the model")
    buffer = io.BytesIO()
    sound = samples.detach().cpu().clamp(-1, 1).numpy()
    need("soundfile", extra="audio").write(buffer, sound, sample_rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def write(path: Path, samples: Tensor, sample_rate: int) -> None:
    """Write a 16-bit WAV file, whole or not at all."""
    content = encode_wav(samples, sample_rate)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
