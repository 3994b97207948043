"""One attempt at a step: forward and backward of every micro-batch under knobs. Nothing is committed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rerail.core.knobs import Knobs, Precision
from rerail.prove.wide import Wide, doubled
from rerail.sense.losses import Losses

LossFunction = Callable[[Any], "Losses | Mapping[str, Tensor] | Tensor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How this run makes a loss: the function, the weights of its components, and the forward pass's precision.

    `precision` is the autocast dtype, or None to leave autocasting to the user, whose own `torch.autocast` blocks the
    full-precision knob cannot reach; `scaler` is a dynamic loss scale. `beat` is called before each forward pass.
    """

    losses: LossFunction
    weights: Mapping[str, float]
    device: str
    precision: torch.dtype | None = None
    scaler: torch.amp.GradScaler | None = None
    beat: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a forward and backward pass gave: 0-d losses (`loss/...`, unscaled), 0-d signals, and larger signals."""

    scalars: Mapping[str, Tensor]
    signals: Mapping[str, Tensor]


def attempt(
    recipe: Recipe, batches: Sequence[Any], knobs: Knobs, *, on_part: Callable[[int], None] | None = None
) -> Attempt:
    """Accumulate the gradient of the mean loss over `batches` (micro-batches) into the parameters.

    The gradient is still scaled where the recipe has a scaler. `on_part` is told which micro-batch comes next.
    """
    sums: dict[str, Tensor] = {}
    signals: dict[str, Tensor] = {}
    share = 1.0 / len(batches)
    for number, batch in enumerate(batches):
        recipe.beat()
        if on_part is not None:
            on_part(number)
        with precision(recipe, knobs):
            losses = Losses.of(recipe.losses(_own(batch)))
            total = losses.total(weighted(recipe.weights, knobs))
        scaled = total if len(batches) == 1 else total * share
        with _backward(knobs):
            (scaled if recipe.scaler is None else recipe.scaler.scale(scaled)).backward()  # type: ignore[no-untyped-call]
        signals = {name: value.detach() for name, value in losses.signals.items()}
        for name, value in _scalars(losses, total, signals).items():
            part = value if len(batches) == 1 else value * share
            sums[name] = sums[name] + part if name in sums else part
    return Attempt(scalars=sums, signals=signals)


def _own(batch: Any) -> Any:  # noqa: ANN401
    # A loss function that takes keys out of its batch must not take them from the batch that is kept for replay.
    return copy.copy(batch) if isinstance(batch, dict | list) else batch


def weighted(weights: Mapping[str, float], knobs: Knobs) -> dict[str, float]:
    """Return the run's loss weights under the knobs."""
    return {name: weights.get(name, 1.0) * knobs.weights.get(name, 1.0) for name in {*weights, *knobs.weights}}


def switched_off(recipe: Recipe | None, knobs: Knobs) -> list[str]:
    """Return the components of weight 0: nothing descends on them, so they are told, and no step is judged by them."""
    given = weighted(recipe.weights, knobs) if recipe else {}
    return [name for name, weight in given.items() if weight == 0]


def refuse_unknown(weights: Mapping[str, float], scalars: Mapping[str, Tensor]) -> None:
    """Refuse weights of components that the first step does not give.

    Raises:
        ValueError: naming all of them.
    """
    given = sorted(name.removeprefix("loss/") for name in scalars if name != "loss/total")
    if unknown := sorted(set(weights) - set(given)):
        raise ValueError(
            f"weights for unknown losses {unknown}; the first step gives: {given}; "
            "mend the name, or return a component that sets in later as 0 until then"
        )


def _scalars(losses: Losses, total: Tensor, signals: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return (
        {"loss/total": total.detach()}
        | {f"loss/{name}": value.detach() for name, value in losses.items()}
        | {f"signal/{name}": value for name, value in signals.items() if value.dim() == 0}
    )


@contextmanager
def precision(recipe: Recipe, knobs: Knobs) -> Iterator[None]:
    """Compute inside the block in the precision that the run and the knobs say."""
    with ExitStack() as stack:
        if knobs.precision is Precision.AS_RUN and recipe.precision is not None:
            stack.enter_context(torch.autocast(recipe.device, dtype=recipe.precision))
        if knobs.precision >= Precision.FP32:
            stack.enter_context(torch.autocast(recipe.device, enabled=False))
        if knobs.precision is Precision.WIDE:
            stack.enter_context(Wide())  # type: ignore[no-untyped-call]
        if knobs.precision is Precision.DOUBLE:
            stack.enter_context(doubled())
        yield


def _backward(knobs: Knobs) -> AbstractContextManager[Any]:
    # Half formats and autocast are remembered by the graph; what was computed in double must go back in double.
    return doubled(backward=True) if knobs.precision is Precision.DOUBLE else nullcontext()
