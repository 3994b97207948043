"""Text, a language and a reference recording to a log-mel spectrogram, with alignment and stop.

What pads a batch never changes a row's result.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from rerail.alignment import valid
from rerail.tasks.speech.frames import Frames
from rerail.tasks.speech.mutual import Recogniser
from rerail.tasks.speech.output import Batch, Output
from rerail.tasks.speech.precision import settled, wide
from rerail.tasks.xtts.config import Size
from rerail.tasks.xtts.decoder import Told, TransformerDecoder
from rerail.tasks.xtts.postnet import Postnet
from rerail.tasks.xtts.reference import Latent, ReferenceEncoder
from rerail.tasks.xtts.text import TextEncoder


class Trained(NamedTuple):
    """A teacher-forced batch, and the distribution of its latent."""

    output: Output
    latent: Latent


class Xtts(nn.Module):
    """Transformer text encoder, reference encoder with a variational latent, autoregressive decoder, postnet.

    A batch holds `text` (batch, symbols) int64, `text_length`, `language` (batch,) int64, `mel` (batch, frames, bands)
    in natural log of magnitude, `mel_length`, and `reference` and `reference_length`, likewise, of the same speaker.
    The speaker vector comes from the reference. The latent, the manner of speaking, comes in training from the clip
    itself, and in free-running speech from the reference.
    """

    def __init__(
        self, size: Size, symbols: int, languages: int, bands: int = 80, reduction: int = 4, *, mutual: bool = False
    ) -> None:
        super().__init__()
        self.size = size
        self.frames = Frames(bands=bands, most=reduction, offset=size.offset, scale=size.scale)
        self.text = TextEncoder(size, symbols, languages)
        self.reference = ReferenceEncoder(size, bands)
        self.manner = nn.Linear(size.latent, size.width)
        self.decoder = TransformerDecoder(size, bands, reduction)
        self.postnet = Postnet(
            bands, size.postnet, layers=size.postnet_layers, kernel=size.postnet_kernel, dropout=size.postnet_dropout
        )
        self.recogniser = Recogniser(size.width, symbols, reduction) if mutual else None

    def forward(self, batch: Batch, generator: torch.Generator | None = None) -> Trained:
        """Teacher-forced: each step sees the true frames before it, the latent is drawn in training.

        The generator draws the prenet's dropout; None means the global RNG.
        """
        mel, length = batch["mel"], batch["mel_length"]
        with settled(mel):
            latent = self.reference.manner(self.frames.inner(mel), length)
            told = self._told(batch, latent.drawn() if self.training else latent.mean)
            decoded = self.decoder(told, self.frames.groups(mel), generator)
            return Trained(self.frames.output(decoded, length, mel.shape[1], self.postnet), latent)

    def forced(self, batch: Batch, generator: torch.Generator | None = None) -> Output:
        """Teacher-forced, without the latent's distribution."""
        trained: Trained = self(batch, generator)
        return trained.output

    @torch.no_grad()
    def free(
        self, batch: Batch, max_frames: int, threshold: float = 0.5, generator: torch.Generator | None = None
    ) -> Output:
        """Free-running, in the voice and the manner of the reference; `mel` is not looked at."""
        steps = self.frames.steps(max_frames)
        with settled(self.manner.weight):
            latent = self.reference.manner(self.frames.inner(batch["reference"]), batch["reference_length"])
            told = self._told(batch, latent.mean)
            decoded, ends = self.decoder.generate(
                told, steps=steps, width=self.frames.width, threshold=threshold, generator=generator
            )
            length = (ends * self.frames.reduction).clamp(max=max_frames)
            return self.frames.output(decoded, length, int(length.max()), self.postnet)

    def _told(self, batch: Batch, latent: Tensor) -> Told:
        mask = valid(batch["text_length"], batch["text"].shape[1])
        voice = self.reference.voice(self.frames.inner(batch["reference"]), batch["reference_length"])
        memory = self.text(batch["text"], batch["language"], mask)
        return Told(memory, mask, voice + wide(self.manner(latent)))
