"""A weight used at every step of a loop, whose gradient is computed once, after the loop.

Back-propagation through S steps multiplies S small matrices for each weight and adds the results up. The sum of
products is one product of the stacked matrices: the same gradient up to rounding, and sooner where weights are large.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class Late:
    """`late(x)` is `x @ weight`; x: (rows, inputs), weight: (inputs, outputs)."""

    def __init__(self, weight: Tensor) -> None:
        self._pairs: list[tuple[Tensor, Tensor]] = []
        self.weight: Tensor = _Collect.apply(weight, self._pairs)  # type: ignore[no-untyped-call]

    def __call__(self, x: Tensor) -> Tensor:
        """The product, noted for the gradient."""
        y: Tensor = _Product.apply(x, self.weight, self._pairs)  # type: ignore[no-untyped-call]
        return y


class _Collect(torch.autograd.Function):
    """Passes the weight on; going back it comes last, when every product has left its pair."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, pairs: list[tuple[Tensor, Tensor]]) -> Tensor:  # noqa: ANN401
        ctx.pairs = pairs
        return weight.view_as(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        inputs, gradients = (torch.cat(side) for side in zip(*ctx.pairs, strict=True))
        ctx.pairs.clear()
        return inputs.t() @ gradients, None


class _Product(torch.autograd.Function):
    """Gives the gradient for x at once, and leaves the one for the weight to `_Collect`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, pairs: list[tuple[Tensor, Tensor]]) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(x, weight)
        ctx.pairs = pairs
        return x @ weight

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        x, weight = ctx.saved_tensors
        x, gradient = x.to(weight.dtype), gradient.to(weight.dtype)  # under autocast they may be half as wide
        ctx.pairs.append((x, gradient))
        return gradient @ weight.t(), None, None
