"""The temperature of contrastive losses, learned, within bounds."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

BOUNDS = (0.05, 2.0)


class Temperature(nn.Module):
    """A scalar, kept as its logarithm so that it stays positive; with the bias that the sigmoid loss learns.

    At a bound its gradient still points back inside: the clamp passes what leads there. Without a bias, 0 stands there,
    which is not learned: a weight that no loss uses would look like one that was forgotten.
    """

    bias: Tensor

    def __init__(self, start: float, *, bias: float | None = None) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(math.log(start)))
        if bias is None:
            self.register_buffer("bias", torch.tensor(0.0))
        else:
            self.bias = nn.Parameter(torch.tensor(bias))

    def value(self) -> Tensor:
        """The temperature, 0-d, within `BOUNDS`."""
        return _Clamped.apply(self.log, *map(math.log, BOUNDS)).exp()  # type: ignore[no-untyped-call, no-any-return]


class _Clamped(torch.autograd.Function):
    """A clamp whose gradient is stopped only where it would lead farther out."""

    @staticmethod
    def forward(ctx, value: Tensor, low: float, high: float) -> Tensor:  # type: ignore[no-untyped-def]  # noqa: ANN001
        ctx.save_for_backward(value)
        ctx.bounds = low, high
        return value.clamp(low, high)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[no-untyped-def]  # noqa: ANN001
        (value,), (low, high) = ctx.saved_tensors, ctx.bounds
        outwards = ((value <= low) & (gradient > 0)) | ((value >= high) & (gradient < 0))
        return gradient.masked_fill(outwards, 0.0), None, None
