"""Tacotron2: text symbols to a log-mel spectrogram, with its alignment and its stop gate.

Parameters are named as in the published NVIDIA checkpoints, which load strictly into the reference size.
What pads a batch never changes a row's result.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.alignment import valid
from rerail.tasks.tacotron2.attention import Kind
from rerail.tasks.tacotron2.config import Size
from rerail.tasks.tacotron2.decoder import Decoded, Decoder
from rerail.tasks.tacotron2.encoder import Encoder
from rerail.tasks.tacotron2.mutual import Recogniser
from rerail.tasks.tacotron2.postnet import Postnet
from rerail.tasks.tacotron2.precision import settled, wide

LINGER = 32  # frames on the last symbol: about half a second, longer than a sentence ends in


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What the network says about a batch; everything past a row's length is zero."""

    mel: Tensor  # (batch, frames, bands), natural log of magnitude, before the postnet
    mel_post: Tensor  # likewise, after it
    gate_logits: Tensor  # (batch, steps): does the utterance end with this step?
    alignment: Tensor  # (batch, steps, symbols): each valid row sums to 1
    mel_length: Tensor  # (batch,) frames
    steps: Tensor  # (batch,) decoder steps, ceil(mel_length / reduction)
    hidden: Tensor  # (batch, steps, decoder_rnn), the decoder cell's states, past a row's length too
    reduction: int  # frames a step


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
        self.size, self.bands, self.most, self.reduction = size, bands, reduction, reduction
        self.embedding = nn.Embedding(symbols, size.embedding)
        nn.init.uniform_(self.embedding.weight, -1.0, 1.0)
        self.encoder = Encoder(size)
        self.decoder = Decoder(size, bands, reduction, attention, compiled=compiled)
        self.postnet = Postnet(size, bands)
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
            groups = self._groups((mel - self.size.offset) / self.size.scale)
            decoded = self.decoder(memory, mask, groups, generator)
            return self._output(decoded, mel_length, mel.shape[1])

    def pace(self, reduction: int) -> None:
        """Set how many frames a decoder step holds from now on, at most as many as the network was built with.

        Of the widest step's weights, fewer frames use the prenet's for the last and the projection's for the first
        ones: what lay next to the step still does.

        Raises:
            ValueError: where it was built with fewer, or for less than one.
        """
        if not 1 <= reduction <= self.most:
            raise ValueError(f"the network holds 1 to {self.most} frames a step, got {reduction}; build a wider one")
        self.reduction = reduction

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
        steps, width = -(-max_frames // self.reduction), self.bands * self.reduction
        with settled(self.embedding.weight):
            memory, mask = self._encode(text, text_length)
            decoded, ends = self.decoder.generate(
                memory,
                mask,
                steps=steps,
                width=width,
                threshold=threshold,
                linger=-(-LINGER // self.reduction),
                generator=generator,
            )
            length = (ends * self.reduction).clamp(max=max_frames)
            return self._output(decoded, length, int(length.max()))

    def _encode(self, text: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        return wide(self.encoder(self.embedding(text), length)), valid(length, text.shape[1])

    def _groups(self, mel: Tensor) -> Tensor:
        """(batch, frames, bands) -> (batch, steps, reduction * bands), the last step filled up with zeros."""
        padded = functional.pad(mel, (0, 0, 0, -mel.shape[1] % self.reduction))
        return padded.reshape(len(mel), -1, self.reduction * self.bands)

    def _output(self, decoded: Decoded, length: Tensor, frames: int) -> Output:
        steps = -(-length // self.reduction)
        frame, step = valid(length, frames), valid(steps, -(-frames // self.reduction))
        mel = decoded.mel[:, :frames] * frame[:, :, None]
        post = mel + self.postnet(mel, frame)
        return Output(
            mel=self._natural(mel, frame),
            mel_post=self._natural(post, frame),
            gate_logits=decoded.gate[:, : step.shape[1]] * step,
            alignment=decoded.alignment[:, : step.shape[1]] * step[:, :, None],
            mel_length=length,
            steps=steps,
            hidden=decoded.hidden,
            reduction=self.reduction,
        )

    def _natural(self, mel: Tensor, mask: Tensor) -> Tensor:
        """From the network's scale to natural log of magnitude, padding back to zero."""
        return (mel * self.size.scale + self.size.offset) * mask[:, :, None]


def first_stop(gate_logits: Tensor, threshold: float = 0.5) -> Tensor:
    """gate_logits: (batch, steps) -> (batch,) steps up to and with the first stop; all of them where none is."""
    stop = torch.sigmoid(gate_logits) > threshold
    return torch.where(stop.any(1), stop.int().argmax(1) + 1, gate_logits.shape[1])
