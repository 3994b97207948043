"""Sound files to samples and back. A file is written whole or not at all."""

from __future__ import annotations

import io
import os
import threading
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
    _expect_content(path)
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path}: cannot be decoded ({error}); convert it to WAV or FLAC") from error
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
    if bad := int((~torch.isfinite(samples)).sum()):
        raise ValueError(f"{bad} of {samples.numel()} samples are not finite; nothing was written; check the model")
    buffer = io.BytesIO()
    sound = samples.detach().cpu().flatten().clamp(-1, 1).numpy()
    need("soundfile", extra="audio").write(buffer, sound, sample_rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def write(path: Path, samples: Tensor, sample_rate: int) -> None:
    """Write `(samples,)` in [-1, 1] as a 16-bit WAV file.

    Raises:
        ValueError: for samples that are not finite, or a name that does not end in `.wav`.
    """
    if path.suffix.lower() != ".wav":
        raise ValueError(f"{path}: only WAV is written, and the name ends in {path.suffix!r}; name it .wav")
    store(path, encode_wav(samples, sample_rate))


def store(path: Path, content: bytes) -> None:
    """Put `content` at `path`, creating its folder. Whoever reads there meets the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")  # two writers do not share a draft
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _expect_content(path: Path) -> None:
    if not path.is_file():
        raise ValueError(f"{path}: no such file; check the id in the metadata, or restore the recording")
    if not path.stat().st_size:
        raise ValueError(f"{path}: is empty (0 bytes); restore the recording or remove the clip")
