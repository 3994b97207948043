"""What a network says of a batch, and what a network must be able to do to be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

Batch = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What the network says about a batch; everything past a row's length is zero."""

    mel: Tensor  # (batch, frames, bands), natural log of magnitude, before the postnet
    mel_post: Tensor  # likewise, after it
    gate_logits: Tensor  # (batch, steps): does the utterance end with this step?
    alignment: Tensor  # (batch, steps, symbols): each valid row sums to 1
    mel_length: Tensor  # (batch,) frames
    steps: Tensor  # (batch,) decoder steps, ceil(mel_length / reduction)
    hidden: Tensor  # (batch, steps, width), the decoder's states, past a row's length too
    reduction: int  # frames a step


class Decoded(NamedTuple):
    """All decoder steps of a batch; mels are in the network's own scale."""

    mel: Tensor  # (batch, steps * reduction, bands)
    gate: Tensor  # (batch, steps), logits
    alignment: Tensor  # (batch, steps, symbols)
    hidden: Tensor  # (batch, steps, width), the decoder's states


class Speaker(Protocol):
    """A network that speaks.

    A batch holds `text` (batch, symbols), `text_length`, `mel` (batch, frames, bands), `mel_length`, and whatever else
    its network asks for.
    """

    training: bool

    def eval(self) -> Any:  # noqa: ANN401
        """Go to evaluation mode."""
        ...

    def train(self, mode: bool = True) -> Any:  # noqa: ANN401, FBT001, FBT002 (torch's own)
        """Go to training mode, or back."""
        ...

    def forced(self, batch: Batch, generator: torch.Generator | None = None) -> Output:
        """Teacher-forced: each step sees the true frames before it. The generator draws what stays random."""
        ...

    def free(
        self, batch: Batch, max_frames: int, threshold: float = 0.5, generator: torch.Generator | None = None
    ) -> Output:
        """Free-running, without gradients and without a look at `mel`: each row until it stops, or `max_frames`."""
        ...


def first_stop(gate_logits: Tensor, threshold: float = 0.5) -> Tensor:
    """gate_logits: (batch, steps) -> (batch,) steps up to and with the first stop; all of them where none is."""
    stop = torch.sigmoid(gate_logits) > threshold
    return torch.where(stop.any(1), stop.int().argmax(1) + 1, gate_logits.shape[1])
