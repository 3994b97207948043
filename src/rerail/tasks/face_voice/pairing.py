"""The pairs of one run: read, decoded, set apart, and their features where an encoder stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeAlias

from torch import Tensor

from rerail.data.listing import LeftOut
from rerail.data.pairs import caches, read
from rerail.data.pairs.batches import HeldOut, Instead, PairStream, raw_picture, raw_sound
from rerail.data.pairs.caches import Examination, Examined, Pictures, Recordings
from rerail.data.pairs.split import SEEN, TRAIN, UNSEEN, VALIDATION, Parts, Shares, leaks, parts
from rerail.data.progress import Named, Progress, of
from rerail.fit import FitConfig
from rerail.tasks.face_voice.extract import Extractor
from rerail.tasks.face_voice.settings import FaceVoiceConfig
from rerail.tasks.face_voice.towers import Extractors, extractors

ROWS = 64  # of a batch that is only measured
Raw: TypeAlias = "Mapping[str, Callable[[], Tensor]]"
Features: TypeAlias = "Mapping[str, Tensor | ValueError]"  # by the key of what they are of
Aside: TypeAlias = "Mapping[str, frozenset[str]]"  # keys of recordings by part
FEWEST = 2  # identities: with one there is nobody to be told from


@dataclass(frozen=True)  # without slots: what was read is kept
class Paired:
    """The pairs that settings name. Nothing is read before it is asked for, and nothing is read twice."""

    config: FaceVoiceConfig

    @property
    def samples(self) -> int:
        """How long a recording is cut, in samples."""
        return round(self.config.seconds * self.config.sample_rate)

    def examined(self, progress: Named | None = None) -> Examination:
        """Decode all pictures and recordings, and compute the features that stand in their place, at most once each."""
        if "ready" not in self.__dict__:
            self.__dict__["ready"] = self._ready(progress)
        examination: Examination = self.__dict__["ready"][0]
        return examination

    @property
    def instead(self) -> Instead:
        """What the towers take in place of raw pictures and recordings."""
        self.examined()
        found: Instead = self.__dict__["ready"][1]
        return found

    @cached_property
    def parts(self) -> Parts:
        """The pairs apart.

        Raises:
            ValueError: where too few are left, or two parts share what they must not.
        """
        config = self.config
        shares = Shares(
            unseen=config.test_size, seen=config.seen_size, validation=config.validation_size, seed=config.split_seed
        )
        persons = {"new_pictures": config.seen_validation, "validation_seen": config.seen_validation}
        found = parts(self.examined().kept, shares, **persons)
        if shared := leaks(found):
            raise ValueError("\n  ".join([f"{len(shared)} pairs are in two parts of the data", *shared[:20]]))
        if len({one.pair.identity for one in found.validation}) < FEWEST:
            raise ValueError("validation_size: fewer than 2 identities to measure on; raise it, or give more pairs")
        if len({one.pair.identity for one in found.train}) < FEWEST:
            raise ValueError("fewer than 2 identities are left to train on; give more, or smaller shares to set aside")
        return found

    @cached_property
    def extractors(self) -> Extractors:
        """What computes features of encoders that stay as they are."""
        return extractors(self.config, Path(self.config.cache))

    def stream(self, fit: FitConfig) -> PairStream:
        """Return endless batches to train on."""
        return PairStream(
            self.parts.train,
            batch_size=fit.batch_size,
            samples=self.samples,
            seed=fit.seed,
            augment=self.config.augment,
            instead=self.instead,
        )

    def batches(self, kept: Sequence[Examined]) -> HeldOut:
        """Return pairs once through, unchanged, to measure on."""
        return HeldOut(kept, batch_size=ROWS, samples=self.samples, instead=self.instead)

    def odd(self) -> list[str]:
        """Say what was left out and why, a line each."""
        return [f"{one.id}: {one.kind}: {one.reason}" for one in self.examined().left_out]

    def _ready(self, progress: Named | None) -> tuple[Examination, Instead]:
        decoded, samples = self._decoded(progress), self.samples
        pictures = {one.picture_key: partial(raw_picture, one.picture) for one in decoded.kept}
        sounds = {f"{one.sound_key} {samples}": partial(raw_sound, one.sound, samples) for one in decoded.kept}
        seen = self._features(self.extractors.pictures, pictures, of("picture features", progress))
        heard = self._features(self.extractors.voices, sounds, of("voice features", progress))
        return sifted(decoded, seen, heard)

    def _decoded(self, progress: Named | None) -> Examination:
        config, folder = self.config, Path(self.config.cache)
        pictures = Pictures(folder=folder, side=config.image_size)
        recordings = Recordings(folder=folder, sample_rate=config.sample_rate)
        found = read(config.pairs, config.image_folder, config.audio_folder, config.layout)
        return caches.examine(found, pictures, recordings, progress)

    def _features(self, extractor: Extractor | None, raw: Raw, progress: Progress | None) -> Features:
        if extractor is None:
            return {}
        found = extractor.kept(Path(self.config.cache), raw, progress)
        return {key.partition(" ")[0]: value for key, value in found.items()}


def sifted(decoded: Examination, seen: Features, heard: Features) -> tuple[Examination, Instead]:
    """Leave out the pairs of which features could not be computed; return the others, and the features."""
    kept, odd = list[Examined](), list(decoded.left_out)
    for one in decoded.kept:
        both = ((one.pair.image, seen.get(one.picture_key)), (one.pair.audio, heard.get(one.sound_key)))
        told = [f"{path.name}: {error}" for path, error in both if isinstance(error, ValueError)]
        if told:
            odd.append(LeftOut(id=one.pair.id, kind="no features", reason="; ".join(told)))
        else:
            kept.append(one)
    return Examination(kept=tuple(kept), left_out=tuple(odd)), Instead(pictures=_tensors(seen), sounds=_tensors(heard))


def _tensors(found: Features) -> dict[str, Tensor]:
    return {key: value for key, value in found.items() if isinstance(value, Tensor)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """What of the pairs belongs to a run's state: who was set aside, so that nobody of them is trained on later.

    `held_out` are recordings by the part that they were set aside for.
    """

    held_out: Aside
    trained: frozenset[str]

    @classmethod
    def of(cls, found: Parts) -> Apart:
        """Name the recordings by what they hold, not by their files."""
        keys = {name: frozenset(one.sound_key for one in part) for name, part in found.named().items()}
        return cls(trained=keys.pop(TRAIN), held_out=keys)

    def state_dict(self) -> dict[str, Any]:
        """Return the recordings that were set aside."""
        return {"aside": {name: sorted(keys) for name, keys in self.held_out.items()}}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """Compare with what was saved.

        Raises:
            ValueError: where a recording that was set aside then would be trained on now.
        """
        saved = aside(state_dict["aside"])
        if leaked := self.trained & frozenset().union(*saved.values()):
            raise ValueError(
                f"{len(leaked)} recordings that the run has set aside would be trained on; give the pairs that it "
                "began with"
            )


def aside(saved: Mapping[str, Sequence[str]] | Sequence[str]) -> Aside:
    """Return what a run has set aside; where it kept no parts, as runs once did not, each may be for any."""
    if isinstance(saved, Mapping):
        return {name: frozenset(keys) for name, keys in saved.items()}
    return dict.fromkeys((VALIDATION, SEEN, UNSEEN), frozenset(saved))
