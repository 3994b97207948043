"""How mel frames are grouped in decoder steps, and how steps become frames again."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from rerail.alignment import valid
from rerail.tasks.speech.output import Decoded, Output


class Frames(nn.Module):
    """Up to `most` frames of `bands` a step, at present `reduction` of them; it has no weights.

    The network sees mels, natural log of magnitude, as `(mel - offset) / scale`.
    """

    def __init__(self, *, bands: int, most: int, offset: float, scale: float) -> None:
        super().__init__()
        self.bands, self.most, self.reduction, self.offset, self.scale = bands, most, most, offset, scale

    @property
    def width(self) -> int:
        """Values a step."""
        return self.bands * self.reduction

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

    def steps(self, frames: int) -> int:
        """How many steps so many frames take."""
        return -(-frames // self.reduction)

    def inner(self, mel: Tensor) -> Tensor:
        """To the network's scale."""
        return (mel - self.offset) / self.scale

    def groups(self, mel: Tensor) -> Tensor:
        """(batch, frames, bands) -> (batch, steps, width), scaled, the last step filled up with zeros."""
        padded = functional.pad(self.inner(mel), (0, 0, 0, -mel.shape[1] % self.reduction))
        return padded.reshape(len(mel), -1, self.width)

    def output(
        self, decoded: Decoded, length: Tensor, frames: int, postnet: Callable[[Tensor, Tensor], Tensor]
    ) -> Output:
        """Return what was decoded for rows of `length` (batch,) frames, the longest `frames`, and after the postnet."""
        steps = -(-length // self.reduction)
        frame, step = valid(length, frames), valid(steps, self.steps(frames))
        mel = decoded.mel[:, :frames] * frame[:, :, None]
        post = mel + postnet(mel, frame)
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
        return (mel * self.scale + self.offset) * mask[:, :, None]
