"""What a debugger that saves tensors sees of one step: loss, weights, gradients, and what activations get and give."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from faultbench.case import Run
from faultbench.rivals import steps

Taken = dict[type[nn.Module], list[Tensor]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One step. Weights (biases left out) stand as they are after its update, `before` as they were."""

    step: int
    loss: float
    gradients: Mapping[str, Tensor] = field(default_factory=dict)
    weights: Mapping[str, Tensor] = field(default_factory=dict)
    before: Mapping[str, Tensor] = field(default_factory=dict)
    relu_inputs: tuple[Tensor, ...] = ()
    relu_outputs: tuple[Tensor, ...] = ()
    tanh_inputs: tuple[Tensor, ...] = ()
    sigmoid_inputs: tuple[Tensor, ...] = ()
    validation: Callable[[], float] = lambda: math.nan


def watch(run: Run, rules: Sequence[Callable[[Seen], bool]]) -> tuple[int, ...]:
    """Train a run plainly; return the steps at which any rule fires. Every rule is asked at every step."""
    found = []
    with _activations(run.model) as (taken, given):
        for tick, batch in enumerate(run.batches):
            before = weights(run)
            _forget(taken, given)
            loss = steps.backward(run, batch)
            gradients = {name: one.grad.to_dense().clone() for name, one in _named(run) if one.grad is not None}
            steps.clip(run)
            steps.commit(run)
            seen = Seen(
                step=tick,
                loss=loss,
                gradients=gradients,
                weights=weights(run),
                before=before,
                relu_inputs=tuple(taken[nn.ReLU]),
                relu_outputs=tuple(given[nn.ReLU]),
                tanh_inputs=tuple(taken[nn.Tanh]),
                sigmoid_inputs=tuple(taken[nn.Sigmoid]),
                validation=lambda: steps.validation(run),
            )
            if any([rule(seen) for rule in rules]):  # noqa: C419 (each of them has to see the step)
                found.append(tick)
    return tuple(found)


def weights(run: Run) -> dict[str, Tensor]:
    """Return a copy of the weights that are trained, by name."""
    return {name: one.detach().clone() for name, one in _named(run) if "bias" not in name}


def _named(run: Run) -> list[tuple[str, nn.Parameter]]:
    return [(name, one) for name, one in run.model.named_parameters() if one.requires_grad]


def _forget(*kept: Taken) -> None:
    for one in kept:
        for tensors in one.values():
            tensors.clear()


@contextmanager
def _activations(model: nn.Module) -> Iterator[tuple[Taken, Taken]]:
    kinds = (nn.ReLU, nn.Tanh, nn.Sigmoid)
    taken: Taken = {kind: [] for kind in kinds}
    given: Taken = {kind: [] for kind in kinds}

    def before(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        taken[type(module)].append(inputs[0].detach().clone())  # an activation in place overwrites it

    def after(module: nn.Module, _: tuple[Any, ...], output: Tensor) -> None:
        given[type(module)].append(output.detach())

    found = [one for one in model.modules() if type(one) in kinds]
    hooks = [one.register_forward_pre_hook(before) for one in found]
    hooks += [one.register_forward_hook(after) for one in found]
    try:
        yield taken, given
    finally:
        for hook in hooks:
            hook.remove()
