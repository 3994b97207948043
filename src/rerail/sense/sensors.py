"""The sensors of a step: one fused norm pass over the gradients, one transfer with every loss component.

Steady cost is the norm pass that clipping pays for anyway. What is dear (weights, inputs) is looked at on a schedule,
and at once when a number is not finite.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from rerail.core.reading import Reading

_EARLY = (1, 10)  # most of what makes a run learn nothing is there from the start
_TELLING = ("loss/", "grad/norm", "weight/norm")  # signals that make the batch and the weights suspect


class Sensors:
    """Reads one model. `weights_every` is the schedule, in ticks, of the weight norms.

    `loose` are parameters that an optimizer holds and the model does not (a criterion's, a temperature).
    """

    def __init__(self, model: nn.Module, weights_every: int = 50, loose: Sequence[nn.Parameter] = ()) -> None:
        self.weights_every = weights_every
        self._parameters = [*model.named_parameters(), *((f"loose.{n}", one) for n, one in enumerate(loose))]

    def due(self, tick: int) -> bool:
        """Say whether the dear sensors are on at this tick: at every so many, and twice early on."""
        return tick % self.weights_every == 0 or tick in _EARLY

    def read(
        self,
        tick: int,
        scalars: Mapping[str, Tensor],
        known: Mapping[str, float],
        inputs: Sequence[Sequence[Tensor]] = (),
    ) -> Reading:
        """Read the gradients that stand in the model, and `scalars` (name -> 0-d tensor), in one transfer.

        `known` are numbers that are on the host already; `inputs` the tensors of each micro-batch, which are looked at
        only on suspicion (rows are counted on through the micro-batches). Norms are Euclidean; a group's is the root
        of the sum of squares, taken on the host in float64, so that it is finite wherever its parts are.
        """
        named = [(name, parameter.grad) for name, parameter in self._parameters if parameter.grad is not None]
        numbers = transfer([*scalars.values(), *norms([gradient for _, gradient in named])])
        values = {**known, **dict(zip(scalars, numbers, strict=False))}
        sizes = [
            size if size != math.inf else _measured_again(gradient)
            for size, (_, gradient) in zip(numbers[len(scalars) :], named, strict=True)
        ]
        values |= summary("grad/norm", dict(zip((name for name, _ in named), sizes, strict=True)))
        suspicious = not all(math.isfinite(value) for name, value in values.items() if name.startswith(_TELLING))
        if suspicious or self.due(tick):
            values |= self.weights()
        if suspicious:
            values |= nonfinite_rows(inputs)
        return Reading(tick=tick, values=values)

    def weights(self) -> dict[str, float]:
        """Return the weight norms, in total and per top-level module; every parameter that is not finite by name."""
        found = transfer(norms([parameter.detach() for _, parameter in self._parameters]))
        return summary("weight/norm", dict(zip((name for name, _ in self._parameters), found, strict=True)))


def norms(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return the Euclidean norm of each tensor, 0-d, in one fused pass; half precision is summed in single."""
    dense = [tensor.coalesce().values() if tensor.is_sparse else tensor for tensor in tensors]
    if any(tensor.dtype in {torch.float16, torch.bfloat16} for tensor in dense):
        return [torch.linalg.vector_norm(tensor, dtype=_wide(tensor)) for tensor in dense]
    return list(torch._foreach_norm(dense)) if dense else []  # noqa: SLF001 (what torch's own clipping calls)


def _wide(tensor: Tensor) -> torch.dtype:
    return torch.float64 if tensor.dtype is torch.float64 else torch.float32


def _measured_again(gradient: Tensor) -> float:
    # Squares of finite numbers above 1e19 overflow in single precision; only a number that is not finite stays so here.
    dense = gradient.coalesce().values() if gradient.is_sparse else gradient
    return float(torch.linalg.vector_norm(dense.detach(), dtype=torch.float64))


def transfer(scalars: Sequence[Tensor]) -> list[float]:
    """Bring 0-d tensors to the host in one copy, as float64."""
    if not scalars:
        return []
    device = scalars[0].device
    return torch.stack([scalar.detach().to(device, torch.float64) for scalar in scalars]).tolist()


def summary(prefix: str, parts: Mapping[str, float]) -> dict[str, float]:
    """Sum norms up to the total, the top-level modules and, by name, each part that is not finite."""
    squares: dict[str, float] = {}
    for name, value in parts.items():
        group = name.partition(".")[0]
        squares[group] = squares.get(group, 0.0) + value * value
    found = {prefix: math.sqrt(sum(squares.values()))}
    if len(squares) > 1:
        found |= {f"{prefix}/{group}": math.sqrt(square) for group, square in squares.items()}
    return found | {f"{prefix}/{name}": value for name, value in parts.items() if not math.isfinite(value)}


def nonfinite_rows(inputs: Iterable[Sequence[Tensor]]) -> dict[str, float]:
    """Return `input/nonfinite/ROW` -> how many numbers of that row are NaN or plus infinity; only rows that have any.

    Rows are dimension 0 of a micro-batch's first tensor that has one, counted on through the micro-batches; tensors of
    another length have no rows. Minus infinity is what masks are made of, and does not count.
    """
    found: dict[str, float] = {}
    first = 0
    for tensors in inputs:
        rows = next((tensor.shape[0] for tensor in tensors if tensor.dim()), 0)
        counts = sum((_bad_per_row(tensor, rows) for tensor in tensors), torch.zeros(rows, dtype=torch.int64))
        found |= {f"input/nonfinite/{first + row}": float(count) for row, count in enumerate(counts.tolist()) if count}
        first += rows
    return found


def _bad_per_row(tensor: Tensor, rows: int) -> Tensor:
    if not tensor.is_floating_point() or tensor.dim() == 0 or tensor.shape[0] != rows:
        return torch.zeros(rows, dtype=torch.int64)
    flat = tensor.detach().reshape(rows, -1)
    return (flat.isnan() | flat.isposinf()).sum(1).cpu()
