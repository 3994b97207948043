"""Mel spectrograms on disk, memory-mapped, keyed by everything that shaped them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rerail.audio import files
from rerail.audio.mel import MelSpec, log_mel
from rerail.audio.trim import FRAME, KEEP, THRESHOLD_DB, trim
from rerail.data.clip import Clip
from rerail.data.problems import listed

FORMAT = "1"  # raised when the way of computing changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """The cache in `folder`. The key holds the parameters and the recording's own bytes, so nothing stale is used."""

    folder: Path
    spec: MelSpec
    trimmed: bool = True
    resample: bool = False

    def mel(self, clip: Clip) -> Tensor:
        """Return the clip's mel spectrogram `(frames, bands)`, natural logarithm, computed at most once.

        Samples that are not finite come through as they are: whoever trains on them must see them.

        Raises:
            ValueError: where the recording cannot be read.
        """
        path = self.folder / f"{self.key(clip)}.npy"
        if not _whole(path):
            files.store(path, _npy(self._compute(clip)))
        return torch.from_numpy(np.load(path, mmap_mode="c"))

    def key(self, clip: Clip) -> str:
        """Return the hash of parameters and recording."""
        content = clip.path.read_bytes() if clip.path.is_file() else b""
        cut = (FRAME, THRESHOLD_DB, KEEP) if self.trimmed else None
        parameters = repr((FORMAT, self.spec, cut, self.resample)).encode()
        return hashlib.sha256(parameters + content).hexdigest()[:32]

    def prepare(self, clips: Sequence[Clip], progress: Callable[[int, int], None] | None = None) -> list[Tensor]:
        """Compute what is missing and return every spectrogram; `progress` is told (done, of how many).

        Raises:
            ValueError: naming the recordings that cannot be read, at most 20 of them.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"{self.folder} cannot hold computed features: it is a file; choose another folder")
        mels, problems = [], []
        for number, clip in enumerate(clips, 1):
            try:
                mels.append(self.mel(clip))
            except ValueError as error:
                problems.append(str(error))
            if progress:
                progress(number, len(clips))
        if problems:
            raise ValueError(listed("recordings", problems))
        return mels

    def _compute(self, clip: Clip) -> Tensor:
        samples = files.read(clip.path, self.spec.sample_rate, resample=self.resample)
        return log_mel(trim(samples) if self.trimmed else samples, self.spec)


def _npy(mel: Tensor) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, mel.numpy())
    return buffer.getvalue()


def _whole(path: Path) -> bool:
    """Whether a file is there with all its bytes; a crash of the machine may leave less than was written."""
    if not path.is_file():
        return False
    try:
        np.load(path, mmap_mode="r")
    except (ValueError, EOFError):  # a file cut in its numbers, or before them: computed again
        return False
    return True
