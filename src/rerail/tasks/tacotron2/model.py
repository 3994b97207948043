"""Tacotron2: text symbols to a log-mel spectrogram, with its alignment and its stop gate.

Parameters are named as in the published NVIDIA checkpoints, which load strictly into the reference size.
What pads a batch never changes a row's result.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rerail.alignment import valid
from rerail.tasks.speech.ending import LINGER
from rerail.tasks.speech.frames import Frames
from rerail.tasks.speech.mutual import Recogniser
from rerail.tasks.speech.output import Batch, Output
from rerail.tasks.speech.postnet import Postnet
from rerail.tasks.speech.precision import settled, wide
from rerail.tasks.tacotron2.attention import Kind
from rerail.tasks.tacotron2.config import Size
from rerail.tasks.tacotron2.decoder import Decoder
from rerail.tasks.tacotron2.encoder import Encoder


class Tacotron2(nn.Module):
    """The whole network; `size.SIZES` names three sets of widths (Shen et al. 2018, arXiv:1712.05884).

    `compiled` has torch compile the attention's step, for devices on which starting its many small operations costs
    more than they do (CUDA); it needs a compiler, and the first steps wait for it. `mutual` adds a recogniser, which
    only training with the loss `mmi` needs.
    """

    def __init__(
        self,
        size: Size,
        symbols: int,
        bands: int = 80,
        reduction: int = 3,
        attention: Kind = "location",
        *,
        compiled: bool = False,
        mutual: bool = False,
    ) -> None:
        super().__init__()
        self.size, self.bands = size, bands
        self.frames = Frames(bands=bands, most=reduction, offset=size.offset, scale=size.scale)
        self.embedding = nn.Embedding(symbols, size.embedding)
        nn.init.uniform_(self.embedding.weight, -1.0, 1.0)
        self.encoder = Encoder(size)
        self.decoder = Decoder(size, bands, reduction, attention, compiled=compiled)
        self.postnet = Postnet(
            bands, size.postnet, layers=size.postnet_layers, kernel=size.postnet_kernel, dropout=size.dropout
        )
        self.recogniser = Recogniser(size.decoder_rnn, symbols, reduction) if mutual else None

    def forward(
        self,
        text: Tensor,
        text_length: Tensor,
        mel: Tensor,
        mel_length: Tensor,
        generator: torch.Generator | None = None,
    ) -> Output:
        """Teacher-forced: each step sees the true frames before it.

        text: (batch, symbols) int64; mel: (batch, frames, bands), natural log of magnitude; lengths: (batch,).
        The generator draws the prenet's dropout; None means the global RNG.
        """
        with settled(mel):
            memory, mask = self._encode(text, text_length)
            decoded = self.decoder(memory, mask, self.frames.groups(mel), generator)
            return self.frames.output(decoded, mel_length, mel.shape[1], self.postnet)

    def forced(self, batch: Batch, generator: torch.Generator | None = None) -> Output:
        """Teacher-forced, on a batch of `text`, `text_length`, `mel` and `mel_length`."""
        output: Output = self(batch["text"], batch["text_length"], batch["mel"], batch["mel_length"], generator)
        return output

    def free(
        self, batch: Batch, max_frames: int, threshold: float = 0.5, generator: torch.Generator | None = None
    ) -> Output:
        """Free-running, on the `text` and `text_length` of a batch."""
        return self.generate(batch["text"], batch["text_length"], max_frames, threshold, generator)

    @torch.no_grad()
    def generate(
        self,
        text: Tensor,
        text_length: Tensor,
        max_frames: int,
        threshold: float = 0.5,
        generator: torch.Generator | None = None,
    ) -> Output:
        """Free-running: each row ends with its first step whose gate exceeds the threshold, or at `max_frames`.

        A row whose last symbol had most of the attention for `LINGER` frames has said all, and ends too.
        """
        with settled(self.embedding.weight):
            memory, mask = self._encode(text, text_length)
            decoded, ends = self.decoder.generate(
                memory,
                mask,
                steps=self.frames.steps(max_frames),
                width=self.frames.width,
                threshold=threshold,
                linger=self.frames.steps(LINGER),
                generator=generator,
            )
            length = (ends * self.frames.reduction).clamp(max=max_frames)
            return self.frames.output(decoded, length, int(length.max()), self.postnet)

    def _encode(self, text: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        return wide(self.encoder(self.embedding(text), length)), valid(length, text.shape[1])
