"""Mel spectrograms on disk, memory-mapped, keyed by everything that shaped them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from rerail.audio import files
from rerail.audio.mel import MelSpec, log_mel
from rerail.audio.trim import FRAME, KEEP, THRESHOLD_DB, trim
from rerail.data import cache
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
        cut = (FRAME, THRESHOLD_DB, KEEP) if self.trimmed else None
        return cache.key((FORMAT, self.spec, cut, self.resample), clip.path)

    def prepare(self, clips: Sequence[Clip], progress: Progress | None = None) -> list[Tensor]:
        """Compute what is missing and return every spectrogram; `progress` is told (done, of how many).

        Raises:
            ValueError: naming the recordings that cannot be read, at most 20 of them.
        """
        keyed = [(self.key(clip), clip) for clip in clips]
        found = cache.filled(self.folder, keyed, self._compute, progress=progress)
        if problems := [str(one) for one in found.values() if isinstance(one, ValueError)]:
            raise ValueError(listed("recordings", problems))
        arrays = {key: one for key, one in found.items() if isinstance(one, Tensor)}
        return [arrays[key] for key, _ in keyed]

    def _compute(self, clip: Clip) -> Tensor:
        samples = files.read(clip.path, self.spec.sample_rate, resample=self.resample)
        return log_mel(trim(samples) if self.trimmed else samples, self.spec)
