"""Mel spectrograms on disk, memory-mapped, keyed by everything that shaped them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rerail.audio import files
from rerail.audio.mel import MelSpec, log_mel
from rerail.audio.trim import trim
from rerail.data.clip import Clip

FORMAT = "1"  # raised when the way of computing changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """The cache in `folder`. The key holds the parameters and the recording's own bytes, so nothing stale is used."""

    folder: Path
    spec: MelSpec
    trimmed: bool = True
    resample: bool = False

    def mel(self, clip: Clip) -> Tensor:
        """Return the clip's mel spectrogram `(frames, bands)`, computed at most once.

        Samples that are not finite come through as they are: whoever trains on them must see them.

        Raises:
            ValueError: where the recording cannot be read.
        """
        path = self.folder / f"{self.key(clip)}.npy"
        if not path.exists():
            self._store(path, self._compute(clip))
        return torch.from_numpy(np.load(path, mmap_mode="c"))

    def key(self, clip: Clip) -> str:
        """Return the hash of parameters and recording."""
        content = clip.path.read_bytes() if clip.path.is_file() else b""
        parameters = repr((FORMAT, self.spec, self.trimmed, self.resample)).encode()
        return hashlib.sha256(parameters + content).hexdigest()[:32]

    def prepare(self, clips: Sequence[Clip], progress: Callable[[int, int], None] | None = None) -> list[Tensor]:
        """Compute what is missing and return every spectrogram; `progress` is told (done, of how many).

        Raises:
            ValueError: naming every recording that cannot be read.
        """
        mels, problems = [], []
        for number, clip in enumerate(clips, 1):
            try:
                mels.append(self.mel(clip))
            except ValueError as error:
                problems.append(str(error))
            if progress:
                progress(number, len(clips))
        if problems:
            raise ValueError("\n".join(problems))
        return mels

    def _compute(self, clip: Clip) -> Tensor:
        samples = files.read(clip.path, self.spec.sample_rate, resample=self.resample)
        return log_mel(trim(samples) if self.trimmed else samples, self.spec)

    def _store(self, path: Path, mel: Tensor) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        with draft.open("wb") as file:
            np.save(file, mel.numpy())
        draft.replace(path)
