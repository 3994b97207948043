"""A trained network, to match with and to measure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from rerail.data.pairs.batches import raw_picture, raw_sound
from rerail.data.pairs.caches import Pictures, Recordings
from rerail.data.pairs.split import Kept
from rerail.data.pairs.unfit import Unfit
from rerail.tasks import checkpoint
from rerail.tasks.checkpoint import config_of, filled, found, kept
from rerail.tasks.face_voice.extract import Extractor
from rerail.tasks.face_voice.model import Matcher, Tower
from rerail.tasks.face_voice.pairing import Aside, Paired, aside
from rerail.tasks.face_voice.settings import FaceVoiceConfig
from rerail.tasks.face_voice.towers import matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedMatcher:
    """A network in evaluation mode. `paired` are the pairs of its run, which nothing is read of before it is asked for.

    `aside` are the keys of the recordings that its run has set aside, by part. `source` is the checkpoint, `health`
    what its run knew of it, `passed` the complaints about newer checkpoints.
    """

    model: Matcher
    paired: Paired
    step: int
    source: Path
    aside: Aside
    health: str = ""
    passed: tuple[str, ...] = ()

    @property
    def config(self) -> FaceVoiceConfig:
        """The settings of its run."""
        return self.paired.config

    def held_out(self, part: str) -> Kept:
        """Return the pairs of a part that is not trained on: `validation`, `seen` or `unseen`.

        Raises:
            ValueError: where the run's pairs are not here, or have changed, so that it was perhaps trained on some.
        """
        found: Kept = self.paired.parts.named()[part]
        if others := {one.sound_key for one in found} - self.aside[part]:
            raise ValueError(
                f"{len(others)} recordings that would be measured on as {part} were not set aside as that by this run, "
                "and they or others of their identity may have been trained on; give it the pairs and the shares that "
                "it began with"
            )
        return found

    def told(self) -> str:
        """Say in lines what was loaded, and what was passed over."""
        return checkpoint.told(self.source, self.step, self.health, self.passed, self.model.parameters())

    def picture(self, path: Path) -> Tensor:
        """Return the embedding (width,) of a picture, of length 1.

        Raises:
            ValueError: for a file that is none.
        """
        pictures = Pictures(folder=Path(), side=self.config.image_size)
        pixels = raw_picture(_decoded(pictures, path))
        return _embedded(self.model.pictures, self.paired.extractors.pictures, pixels)

    def voice(self, path: Path) -> Tensor:
        """Return the embedding (width,) of the middle of a recording, of length 1.

        Raises:
            ValueError: for a file that is none, or holds nothing.
        """
        recordings = Recordings(folder=Path(), sample_rate=self.config.sample_rate)
        sound = raw_sound(_decoded(recordings, path), self.paired.samples)
        return _embedded(self.model.voices, self.paired.extractors.voices, sound)


def load(place: Path) -> TrainedMatcher:
    """Load the newest sound checkpoint of a run, or the `step-*` folder that `place` is.

    Raises:
        ValueError: where there is no model, or its weights are not finite.
    """
    saved, settings = found(place, "give an older checkpoint of the run, a step-* folder")
    others = kept(saved, ("aside",), "a matching network")
    paired = Paired(config_of(FaceVoiceConfig, settings))
    model = filled(matcher(paired.config, paired.extractors), saved, others)
    return TrainedMatcher(
        model=model,
        paired=paired,
        step=saved.step,
        source=saved.path,
        aside=aside(others["aside"]),
        health=saved.health,
        passed=saved.passed,
    )


def _decoded(cache: Pictures | Recordings, path: Path) -> Tensor:
    if not path.is_file():
        raise ValueError(f"{path}: no such file; give another")
    try:
        return cache.decode(path)
    except Unfit as error:
        raise ValueError(f"{path}: {error}") from error


def _embedded(tower: Tower, extractor: Extractor | None, raw: Tensor) -> Tensor:
    with torch.no_grad():
        embedded: Tensor = tower((raw if extractor is None else extractor(raw))[None])[0]
    return embedded
