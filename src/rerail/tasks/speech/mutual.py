"""Mutual information of what is said and what was to be said: a recogniser reads the decoder's states (CTC).

Liu et al. 2019, "Maximizing Mutual Information for Tacotron" (arXiv:1909.01145): a decoder that goes by the frames
before alone cannot be read, so its states are asked for the text.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.tasks.speech.output import Batch, Output


class Recogniser(nn.Module):
    """A linear layer from a decoder step's state to the symbols of its frames, and a blank (the last class)."""

    def __init__(self, width: int, symbols: int, reduction: int) -> None:
        super().__init__()
        self.classes = symbols + 1
        self.linear = nn.Linear(width, reduction * self.classes)

    def forward(self, hidden: Tensor, reduction: int) -> Tensor:
        """hidden: (batch, steps, width) -> (batch, steps * reduction, symbols + 1), logits."""
        logits: Tensor = self.linear(hidden)[..., : reduction * self.classes]
        return logits.reshape(len(hidden), -1, self.classes)


def mmi_loss(logits: Tensor, frames: Tensor, text: Tensor, text_length: Tensor) -> Tensor:
    """CTC of the text, in nats a symbol, averaged over the rows that it fits into.

    logits: (batch, S, symbols + 1); frames, text_length: (batch,). A row whose text is longer than its frames allow (a
    blank stands between equal neighbours) has no such path: it counts nothing, with `zero_infinity` no gradient either.
    """
    nats = functional.ctc_loss(
        functional.log_softmax(logits.float(), 2).transpose(0, 1),
        text,
        frames,
        text_length,
        blank=logits.shape[2] - 1,
        reduction="none",
        zero_infinity=True,
    )
    fitting = fits(frames, text, text_length)
    return (nats / text_length * fitting).sum() / fitting.sum().clamp(min=1)


def fits(frames: Tensor, text: Tensor, text_length: Tensor) -> Tensor:
    """Say which rows have frames enough for their text: one a symbol, and one between equal neighbours; (batch,)."""
    within = torch.arange(1, text.shape[1], device=text.device) < text_length[:, None]
    doubled = ((text[:, 1:] == text[:, :-1]) & within).sum(1)
    return (frames >= text_length + doubled).to(torch.float32)


class Scaled(torch.autograd.Function):
    """Hands a tensor on as it is, and its gradient back times `factor` (0-d), as that is when the gradient comes."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, factor: Tensor) -> Tensor:  # noqa: ANN401
        """hidden: any shape -> the same."""
        ctx.factor = factor
        return hidden.view_as(hidden)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        """Multiply the gradient."""
        return gradients[0] * ctx.factor, None


def mutual(recogniser: Recogniser, output: Output, batch: Batch, mel: Tensor, most: float) -> tuple[Tensor, Tensor]:
    """Return `mmi_loss` of a batch and the factor of its gradient, see `balance`; mel: 0-d, the weighted mel losses."""
    factor = torch.ones((), device=output.hidden.device)
    heard = Scaled.apply(output.hidden, factor)  # type: ignore[no-untyped-call]
    logits, frames = recogniser(heard, output.reduction), output.steps * output.reduction
    mmi = mmi_loss(logits, frames, batch["text"], batch["text_length"])
    balance(factor, mel, mmi, output.hidden, heard, most)
    return mmi, factor


def balance(factor: Tensor, mel: Tensor, mmi: Tensor, hidden: Tensor, heard: Tensor, most: float) -> None:
    """Set `factor` so that the recogniser's gradient in the decoder is as large as the spectrogram's, at most `most`.

    mel, mmi: 0-d losses; hidden, heard: (batch, steps, width), the states, and the same as the recogniser hears them.
    Liu et al. 2019, section 3.3. A gradient that is not finite gives a factor that is not.
    """
    if not hidden.requires_grad:
        return
    wanted, given = (
        torch.autograd.grad(loss, at, retain_graph=True)[0].float().norm() for loss, at in ((mel, hidden), (mmi, heard))
    )
    factor.copy_(torch.where(given == 0, torch.zeros_like(given), (wanted / given).clamp(max=most)))
