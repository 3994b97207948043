"""Features of encoders that are not trained: computed once for each picture or recording, and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from rerail.audio.asr import SAMPLE_RATE, model_of
from rerail.audio.voiceprint import Voiceprint
from rerail.data import cache
from rerail.data.progress import Progress
from rerail.tasks.face_voice import faces
from rerail.tasks.face_voice.pretrained import PretrainedPictures, PretrainedVoices

FORMAT = "1"  # raised when the way of computing changes
FRAMES_A_SECOND = 50  # of what Whisper's encoder gives
LEAST = 1e-5  # added to a variance, so that its root has a slope everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Extractor:
    """Computes features (layers, size) of a picture (3, height, width) in [0, 1], or of (samples,) in [-1, 1].

    `name` says all that decides them, for the key that they are kept under.
    """

    name: str
    layers: int
    size: int
    compute: Callable[[Tensor], Tensor]

    def kept(
        self, folder: Path, raw: Mapping[str, Callable[[], Tensor]], progress: Progress | None
    ) -> dict[str, Tensor | ValueError]:
        """Return the features of everything in `raw`, by its key, computed where `folder` lacks them; or why not."""
        keys = {one: self._key(one) for one in raw}
        found = cache.filled(folder, [(keys[one], one) for one in raw], lambda one: self(raw[one]()), progress=progress)
        return {one: found[key] for one, key in keys.items()}

    def __call__(self, x: Tensor) -> Tensor:
        """Return (layers, size).

        Raises:
            ValueError: where they are not finite, or the encoder can do nothing with `x`.
        """
        with torch.no_grad():
            found = self.compute(x).float().cpu()
        if not found.isfinite().all():
            raise ValueError(f"{self.name.partition(' ')[0]} gives features that are not finite; replace it")
        return found

    def _key(self, content: str) -> str:
        return hashlib.sha256(repr((FORMAT, self.name, content)).encode()).hexdigest()[:32]


def of_transformer(encoder: PretrainedPictures | PretrainedVoices, place: str) -> Extractor:
    """Return the features of a model of transformers, at `place`, that stays as it is."""
    encoder.eval().requires_grad_(requires_grad=False)
    return Extractor(
        name=f"transformers {place} {fingerprint(encoder.model)}",
        layers=encoder.weighed.count,
        size=encoder.features,
        compute=lambda x: encoder.measured(x[None])[0],
    )


def of_speaker(sample_rate: int) -> Extractor:
    """Return Resemblyzer's speaker vectors.

    Raises:
        ModuleNotFoundError: naming the command that installs it.
    """
    voiceprint = Voiceprint.load()
    return Extractor(
        name=f"resemblyzer {sample_rate}", layers=1, size=256, compute=lambda x: voiceprint(x, sample_rate)[None]
    )


def of_faces() -> Extractor:
    """Return dlib's face vectors.

    Raises:
        ModuleNotFoundError: naming the command that installs it.
    """
    return Extractor(name=faces.NAME, layers=1, size=faces.SIZE, compute=faces.encoder())


def of_speech(sample_rate: int, cache_folder: Path) -> Extractor:
    """Return the mean and the deviation over the time of what the encoder of Whisper base gives.

    Raises:
        ModuleNotFoundError: naming the command that installs it.
        ValueError: for another sampling rate than 16 kHz.
    """
    if sample_rate != SAMPLE_RATE:
        raise ValueError(f"sample_rate: got {sample_rate} with audio_encoder whisper; give {SAMPLE_RATE}")
    model = model_of(cache_folder)

    def compute(x: Tensor) -> Tensor:
        heard = model.feature_extractor(x.numpy(), padding=0)
        hidden = torch.from_numpy(np.array(model.encode(heard)))[0]
        told = hidden[: max(1, round(len(x) / sample_rate * FRAMES_A_SECOND))]
        return torch.cat([told.mean(0), (told.var(0, correction=0) + LEAST).sqrt()])[None]

    return Extractor(name="whisper-base", layers=1, size=1024, compute=compute)


def fingerprint(model: nn.Module) -> str:
    """Name the weights of a model, so that features or embeddings of others are not taken for theirs."""
    digest = hashlib.sha256()
    for value in model.state_dict().values():
        digest.update(value.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]
