"""Mel spectrograms on disk, memory-mapped, keyed by everything that shaped them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from rerail.audio import files
from rerail.audio.mel import MelSpec, log_mel
from rerail.audio.trim import FRAME, KEEP, THRESHOLD_DB, trim
from rerail.data import packs
from rerail.data.clip import Clip
from rerail.data.problems import listed
from rerail.data.progress import Progress

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
        return self.prepare([clip])[0]

    def key(self, clip: Clip) -> str:
        """Return the hash of parameters and recording."""
        content = clip.path.read_bytes() if clip.path.is_file() else b""
        cut = (FRAME, THRESHOLD_DB, KEEP) if self.trimmed else None
        parameters = repr((FORMAT, self.spec, cut, self.resample)).encode()
        return hashlib.sha256(parameters + content).hexdigest()[:32]

    def prepare(self, clips: Sequence[Clip], progress: Progress | None = None) -> list[Tensor]:
        """Compute what is missing and return every spectrogram; `progress` is told (done, of how many).

        Raises:
            ValueError: naming the recordings that cannot be read, at most 20 of them.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"{self.folder} cannot hold computed features: it is a file; choose another folder")
        keys = [self.key(clip) for clip in clips]
        known = packs.places(self.folder)
        missing = {key: clip for key, clip in zip(keys, clips, strict=True) if key not in known}
        if missing:
            self._add(missing, len(clips), progress)
            known = packs.places(self.folder)
        elif progress:
            progress(len(clips), len(clips))
        arrays = packs.mapped({key: known[key] for key in keys})
        return [arrays[key] for key in keys]

    def _add(self, missing: dict[str, Clip], total: int, progress: Progress | None) -> None:
        problems = []
        with packs.writer(self.folder) as pack:
            for number, (key, clip) in enumerate(missing.items(), 1 + total - len(missing)):
                try:
                    pack.add(key, self._compute(clip))
                except ValueError as error:
                    problems.append(str(error))
                if progress:
                    progress(number, total)
        if problems:
            raise ValueError(listed("recordings", problems))

    def _compute(self, clip: Clip) -> Tensor:
        samples = files.read(clip.path, self.spec.sample_rate, resample=self.resample)
        return log_mel(trim(samples) if self.trimmed else samples, self.spec)
