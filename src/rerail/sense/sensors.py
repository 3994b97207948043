"""The sensors of a step: one fused norm pass over the gradients, one transfer with every loss component.

Steady cost is the norm pass that clipping pays for anyway. What is dear (weights, inputs) is looked at on a schedule,
and at once when a number is not finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from rerail.core.reading import Reading

Named = Sequence[tuple[str, nn.Parameter]]
BUFFERS_EVERY = 10  # ticks; statistics that are not finite do no harm before the model is evaluated
_EARLY = (1, 10)  # most of what makes a run learn nothing is there from the start
_TELLING = ("loss/", "grad/norm", "weight/norm")  # signals that make the batch and the weights suspect


def _reached(sizes: Sequence[float], gradients: Sequence[Tensor]) -> int:
    """Count the parameters that a gradient reaches; a single number (a temperature at its clamp) may have one of 0."""
    return sum(size != 0.0 or one.numel() == 1 for size, one in zip(sizes, gradients, strict=True))


class Sensors:
    """Reads one model. `weights_every` is the schedule, in ticks, of the weight norms.

    `trained` gives the parameters that an optimizer holds, by name, at any time: gradients are read of these alone. By
    default they are the model's.
    """

    def __init__(self, model: nn.Module, trained: Callable[[], Named] | None = None, weights_every: int = 50) -> None:
        self.weights_every = weights_every
        self._model = model
        self._masks = {name for name, one in model.named_buffers() if _counts(one) and not torch.isfinite(one).all()}
        self._trained = trained or (lambda: list(model.named_parameters()))

    def due(self, tick: int) -> bool:
        """Say whether the dear sensors are on at this tick: at every so many, and twice early on."""
        return tick % self.weights_every == 0 or tick in _EARLY

    def read(
        self,
        tick: int,
        scalars: Mapping[str, Tensor],
        known: Mapping[str, float],
        inputs: Iterable[Sequence[Tensor]] = (),
    ) -> Reading:
        """Read the gradients that stand in the model, and `scalars` (name -> 0-d tensor), in one transfer.

        `known` are numbers that are on the host already; `inputs` what each micro-batch holds of its rows, looked
        at only on suspicion (rows are counted on through the micro-batches). Norms are Euclidean; a group's is the root
        of the sum of squares, taken on the host in float64, so that it is finite wherever its parts are.
        """
        trained = [(name, one) for name, one in self._trained() if one.requires_grad]
        named = [(name, one.grad) for name, one in trained if one.grad is not None]
        buffers = self._buffers() if tick % BUFFERS_EVERY == 0 else {}
        measured = norms([*(gradient for _, gradient in named), *buffers.values()])
        numbers = transfer([*scalars.values(), *measured])
        values = {**known, **dict(zip(scalars, numbers, strict=False))}
        sizes = [
            size if size != math.inf else _measured_again(gradient)
            for size, (_, gradient) in zip(numbers[len(scalars) :], named, strict=False)
        ]
        values |= _spoilt(buffers, numbers[len(scalars) + len(named) :])
        values |= summary("grad/norm", dict(zip((name for name, _ in named), sizes, strict=True)))
        values["grad/lost"] = float(len(trained) - _reached(sizes, [one for _, one in named]))
        suspicious = not all(math.isfinite(value) for name, value in values.items() if name.startswith(_TELLING))
        if suspicious or self.due(tick):
            values |= self.weights()
        if suspicious:
            values |= nonfinite_rows(inputs)
        return Reading(tick=tick, values=values)

    def weights(self) -> dict[str, float]:
        """Return the weight norms, in total and per top-level module; what is not finite by name, buffers too."""
        named = {**dict(self._model.named_parameters()), **dict(self._trained())}
        buffers = self._buffers()
        every = [one.detach() for one in (*named.values(), *buffers.values())]
        found = [
            size if size != math.inf else _measured_again(one)
            for size, one in zip(transfer(norms(every)), every, strict=True)
        ]
        values = summary("weight/norm", dict(zip(named, found, strict=False)))
        return values | _spoilt(buffers, found[len(named) :])

    def _buffers(self) -> dict[str, Tensor]:
        return {name: one for name, one in self._model.named_buffers() if name not in self._masks and _counts(one)}


def _spoilt(buffers: Mapping[str, Tensor], sizes: Sequence[float]) -> dict[str, float]:
    named = zip(buffers, sizes, strict=True)
    return {f"weight/norm/{name}": size for name, size in named if not math.isfinite(size)}


def _counts(buffer: Tensor) -> bool:
    return buffer.is_floating_point() and buffer.numel() > 0 and buffer.layout is torch.strided


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

    `inputs` are tensors `(rows, ...)` for each micro-batch; rows are counted on through them. Minus infinity is what
    masks are made of, and does not count.
    """
    found: dict[str, float] = {}
    first = 0
    for tensors in inputs:
        rows = len(tensors[0]) if tensors else 0
        counts = sum(map(_bad_per_row, tensors), torch.zeros(rows, dtype=torch.int64))
        found |= {f"input/nonfinite/{first + row}": float(count) for row, count in enumerate(counts.tolist()) if count}
        first += rows
    return found


def _bad_per_row(tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return torch.zeros(len(tensor), dtype=torch.int64)
    flat = tensor.detach().reshape(len(tensor), -1)
    return (flat.isnan() | flat.isposinf()).sum(1).cpu()
