"""Sound files to samples and back. A file is written whole or not at all."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import torch
from torch import Tensor

from rerail.audio import aac, g722
from rerail.core.extras import need

G722 = ".g722"


class WrongRate(ValueError):  # noqa: N818 - said of a recording, which is sound otherwise
    """A recording has another sampling rate than it should."""


def read(path: Path, sample_rate: int, *, resample: bool = False) -> Tensor:
    """Read a sound file as `(samples,)`, float32 in [-1, 1]; several channels are averaged.

    Samples that are not finite are passed on as they are.

    Raises:
        ValueError: for a file that is missing, empty, not decodable, or of another rate where `resample` is off.
    """
    _expect_content(path)
    mono, rate = _decoded(path)
    if not mono.numel():
        raise ValueError(f"{path}: holds no samples; remove the clip or record it again")
    if rate != sample_rate and not resample:
        raise WrongRate(f"{path}: sampled at {rate} Hz, expected {sample_rate}; resample it, or set sample_rate")
    return resampled(mono, rate, sample_rate)


def resampled(samples: Tensor, rate: int, to: int) -> Tensor:
    """Return `(samples,)` of `rate` Hz at `to` Hz."""
    if rate == to:
        return samples
    return torch.from_numpy(need("soxr", extra="audio").resample(samples.numpy(), rate, to))


def rate_of(path: Path) -> int:
    """Return a sound file's sampling rate in Hz.

    Raises:
        ValueError: for a file that is missing, empty or not decodable.
    """
    _expect_content(path)
    if path.suffix.lower() == G722:
        return g722.SAMPLE_RATE
    if path.suffix.lower() in aac.ENDINGS:
        return aac.decode(path)[1]
    soundfile = need("soundfile", extra="audio")
    try:
        return int(soundfile.info(path).samplerate)
    except soundfile.LibsndfileError as error:
        raise _undecodable(path, error) from error


def is_plain(path: Path, sample_rate: int) -> bool:
    """Whether a recording is 16-bit mono WAV or FLAC of this rate, so that its bytes can be taken as they are."""
    soundfile = need("soundfile", extra="audio")
    if path.suffix not in (".wav", ".flac"):
        return False
    try:
        found = soundfile.info(path)
    except soundfile.LibsndfileError:
        return False  # whoever reads it says why
    wanted = (sample_rate, 1, "PCM_16")
    return found.format in ("WAV", "FLAC") and (found.samplerate, found.channels, found.subtype) == wanted


def encode_wav(samples: Tensor, sample_rate: int) -> bytes:
    """Return `(samples,)` in [-1, 1] as the bytes of a 16-bit WAV file; louder samples are clipped.

    Raises:
        ValueError: for samples that are not finite.
    """
    _expect_finite(samples)
    buffer = io.BytesIO()
    sound = samples.detach().cpu().flatten().clamp(-1, 1).numpy()
    need("soundfile", extra="audio").write(buffer, sound, sample_rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def encode_flac(samples: Tensor, sample_rate: int) -> bytes:
    """Return `(samples,)` in [-1, 1] as the bytes of a 16-bit FLAC file; samples that came from 16 bits keep every bit.

    Raises:
        ValueError: for samples that are not finite.
    """
    _expect_finite(samples)
    buffer = io.BytesIO()
    # Scaled here: libsndfile would scale by 32767 on the way out and by 32768 on the way in.
    sound = (samples.detach().cpu().flatten() * 2**15).round().clamp(-(2**15), 2**15 - 1).to(torch.int16)
    need("soundfile", extra="audio").write(buffer, sound.numpy(), sample_rate, format="FLAC", subtype="PCM_16")
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


def _decoded(path: Path) -> tuple[Tensor, int]:
    if path.suffix.lower() == G722:
        return g722.decode(path), g722.SAMPLE_RATE
    if path.suffix.lower() in aac.ENDINGS:
        return aac.decode(path)
    soundfile = need("soundfile", extra="audio")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise _undecodable(path, error) from error
    return torch.from_numpy(samples.mean(axis=1)), rate


def _undecodable(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{path}: cannot be decoded ({error}); convert it to WAV or FLAC")


def _expect_finite(samples: Tensor) -> None:
    if bad := int((~torch.isfinite(samples)).sum()):
        raise ValueError(f"{bad} of {samples.numel()} samples are not finite; nothing was written; check the model")


def _expect_content(path: Path) -> None:
    if not path.is_file():
        raise ValueError(f"{path}: no such file; check the id in the metadata, or restore the recording")
    if not path.stat().st_size:
        raise ValueError(f"{path}: is empty (0 bytes); restore the recording or remove the clip")
