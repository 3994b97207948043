"""Pictures and recordings decoded once, memory-mapped; what cannot be used is left out with its reason.

Each is keyed by the parameters and the file's own bytes, so that nothing stale is used and files with the same bytes
are decoded once. What was decoded when somebody interrupts stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from rerail.audio import files
from rerail.data import cache
from rerail.data.check import SILENT
from rerail.data.listing import LeftOut
from rerail.data.pairs import pictures
from rerail.data.pairs.pair import Pair, Pairing
from rerail.data.pairs.unfit import Unfit
from rerail.data.progress import Named, Progress, of

FORMAT = "1"  # raised when the way of decoding changes
SHORTEST = 0.2  # seconds
FULL = 2**15  # a sample of 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What a file holds. Files with the same `key` hold the same, whatever their names and formats."""

    content: Tensor
    key: str


Outcome: TypeAlias = "Decoded | ValueError"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """The cache of pictures in `folder`, each of `side` by `side` pixels."""

    folder: Path
    side: int

    def prepare(self, paths: Sequence[Path], progress: Progress | None = None) -> dict[Path, Outcome]:
        """Return each picture `(3, side, side)`, uint8, or why it is not used."""
        return _prepared(self.folder, (FORMAT, "picture", self.side), paths, self.decode, torch.uint8, progress)

    def decode(self, path: Path) -> Tensor:
        """Return a picture `(3, side, side)`, uint8, without the cache.

        Raises:
            Unfit: for one that cannot be used.
        """
        return pictures.read(path, self.side)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """The cache of recordings in `folder`, each mono at `sample_rate` Hz."""

    folder: Path
    sample_rate: int

    def prepare(self, paths: Sequence[Path], progress: Progress | None = None) -> dict[Path, Outcome]:
        """Return each recording `(samples,)`, int16, or why it is not used."""
        parameters = (FORMAT, "sound", self.sample_rate)
        return _prepared(self.folder, parameters, paths, self.decode, torch.int16, progress)

    def decode(self, path: Path) -> Tensor:
        """Return a recording `(samples,)`, int16, without the cache.

        Raises:
            Unfit: for one that cannot be used.
        """
        try:
            samples = files.read(path, self.sample_rate, resample=True)
        except ValueError as error:
            raise Unfit("unreadable", str(error).removeprefix(f"{path}: ")) from error
        if bad := int((~torch.isfinite(samples)).sum()):
            raise Unfit("not finite", f"{bad} of {samples.numel()} samples are not finite; restore the recording")
        if (seconds := samples.numel() / self.sample_rate) < SHORTEST:
            raise Unfit("length", f"{seconds:.2f} s long, under {SHORTEST} s; record more or remove it")
        if (peak := float(samples.abs().max())) < SILENT:
            raise Unfit("silent", f"silent (peak {peak:.1e}); record it again or remove it")
        return (samples * FULL).round().clamp(-FULL, FULL - 1).to(torch.int16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A pair that can be used: `picture` (3, side, side), uint8; `sound` (samples,), int16. Both lie on the disk.

    Equal keys mean equal content, under whatever names.
    """

    pair: Pair
    picture: Tensor
    sound: Tensor
    picture_key: str
    sound_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """The pairs that can be used, and whatever was left out by reading or by decoding."""

    kept: tuple[Examined, ...]
    left_out: tuple[LeftOut, ...] = ()


def examine(pairing: Pairing, pictures: Pictures, recordings: Recordings, progress: Named | None = None) -> Examination:
    """Decode what was not decoded before, and leave out the pairs of which a part cannot be used."""
    seen = pictures.prepare([one.image for one in pairing.pairs], of("pictures", progress))
    heard = recordings.prepare([one.audio for one in pairing.pairs], of("recordings", progress))
    kept, odd = list[Examined](), list(pairing.left_out)
    for pair in pairing.pairs:
        image, audio = seen[pair.image], heard[pair.audio]
        if isinstance(image, Decoded) and isinstance(audio, Decoded):
            keys = {"picture_key": image.key, "sound_key": audio.key}
            kept.append(Examined(pair=pair, picture=image.content, sound=audio.content, **keys))
        else:
            odd.append(_left_out(pair, image, audio))
    return Examination(kept=tuple(kept), left_out=tuple(odd))


def _prepared(
    folder: Path,
    parameters: object,
    paths: Sequence[Path],
    decode: Callable[[Path], Tensor],
    dtype: torch.dtype,
    progress: Progress | None,
) -> dict[Path, Outcome]:
    named = {path: _key(parameters, path) for path in paths}
    keys = {path: key for path, key in named.items() if isinstance(key, str)}
    found = cache.filled(folder, [(key, path) for path, key in keys.items()], decode, dtype, progress)
    outcomes = {key: _hashed(one) if isinstance(one, Tensor) else one for key, one in found.items()}
    return {path: outcomes[key] if isinstance(key, str) else key for path, key in named.items()}


def _key(parameters: object, path: Path) -> str | Unfit:
    try:
        return cache.key(parameters, path)
    except ValueError as error:
        return Unfit("unreadable", str(error).removeprefix(f"{path}: "))


def _hashed(content: Tensor) -> Decoded:
    return Decoded(content=content, key=hashlib.sha256(content.numpy().data).hexdigest()[:32])


def _left_out(pair: Pair, image: Outcome, audio: Outcome) -> LeftOut:
    both = ((pair.image, image), (pair.audio, audio))
    odd = [(path, one) for path, one in both if isinstance(one, ValueError)]
    first = odd[0][1]
    reason = "; ".join(f"{path.name}: {error}" for path, error in odd)
    return LeftOut(id=pair.id, kind=first.kind if isinstance(first, Unfit) else "unreadable", reason=reason)
