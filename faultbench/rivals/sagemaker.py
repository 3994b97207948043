"""Amazon SageMaker Debugger's built-in rules, as passive detectors that look at every step.

Source: "List of Debugger built-in rules", https://docs.aws.amazon.com/sagemaker/latest/dg/debugger-built-in-rules.html,
with the default of every parameter. The rules' code was never open, so a sentence that can be read in two ways is read
in the way that fires less. A rule that must be told which tensors to inspect gets weights (no biases) and gradients.
Left out: rules without default thresholds (TensorVariance), those that need labels, images or a second run, and those
that watch the clock. Overtraining is Overfit's neighbour, and its conditions are not stated fully.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from faultbench.case import Run
from faultbench.rivals.rival import Played, Rival
from faultbench.rivals.seen import Seen, watch

VANISHED = 1e-7
DROP_PERCENT, RISE_PERCENT, LOSS_STEPS = 0.1, 5.0, 10
UPDATE_SMALL, UPDATE_LARGE, UPDATE_EPSILON = 1e-8, 10.0, 1e-9
ACTIVE_PERCENT, LAYER_PERCENT = 1.0, 50.0
TANH, SIGMOID = (-9.4999, 9.4999), (-23.0, 16.99999)
VARIANCES, SPREAD, PATIENCE, FIRST_STEPS = 10.0, 1e-3, 5, 10
UNCHANGED_STEPS = 3
GAP = 0.1
VALIDATE_EVERY = 10

Rule = Callable[[Seen], bool]


def vanishing(seen: Seen) -> bool:
    """Say whether the mean absolute value of a gradient is under 1e-7."""
    return any(float(one.abs().mean()) < VANISHED for one in seen.gradients.values())


def exploding(seen: Seen) -> bool:
    """Say whether the loss, a gradient or a weight is not finite."""
    tensors = [*seen.gradients.values(), *seen.weights.values()]
    return not (math.isfinite(seen.loss) and all(bool(torch.isfinite(one).all()) for one in tensors))


def all_zero(seen: Seen) -> bool:
    """Say whether a whole gradient or weight is zero."""
    return any(not bool(one.any()) for one in [*seen.gradients.values(), *seen.weights.values()])


def update_ratio(seen: Seen) -> bool:
    """Say whether the norm of an update is over 10 times, or under 1e-8 of, the weight's before it."""
    ratios = [_ratio(seen.before[name], after) for name, after in seen.weights.items() if name in seen.before]
    return any(ratio > UPDATE_LARGE or ratio < UPDATE_SMALL for ratio in ratios)


def dead_relu(seen: Seen) -> bool:
    """Say whether over half of the units of a ReLU are active on fewer than 1 % of the rows."""
    return any(_idle(one > 0) for one in seen.relu_outputs)


def saturated(seen: Seen) -> bool:
    """Say whether over half of the units of a tanh or sigmoid have fewer than 1 % of their inputs in its bend."""
    bends = [(one, TANH) for one in seen.tanh_inputs] + [(one, SIGMOID) for one in seen.sigmoid_inputs]
    return any(_idle((one > low) & (one < high)) for one, (low, high) in bends)


@dataclass(slots=True)
class LossNotDecreasing:
    """Every 10 steps: did the loss fall by 0.1 % at least? A rise of up to 5 % is allowed."""

    old: float = math.nan

    def __call__(self, seen: Seen) -> bool:
        """Say whether the loss has not decreased."""
        if seen.step % LOSS_STEPS:
            return False
        old, self.old = self.old, seen.loss
        if seen.step == 0:
            return False
        percent = 100.0 * (old - seen.loss) / abs(old) if old else math.nan
        return not (percent >= DROP_PERCENT or -RISE_PERCENT <= percent < 0.0)  # NaN has not decreased either


@dataclass(slots=True)
class PoorInitialization:
    """In the first 10 steps: unlike variances of the ReLU inputs, flat gradients, or 5 steps without a lower loss."""

    best: float = math.inf
    since: int = 0

    def __call__(self, seen: Seen) -> bool:
        """Say whether the start looks bad."""
        if seen.step >= FIRST_STEPS:
            return False
        self.since = 0 if seen.loss < self.best else self.since + 1
        self.best = min(self.best, seen.loss)
        return self.since >= PATIENCE or _unlike(seen.relu_inputs) or _flat(seen.gradients)


@dataclass(slots=True)
class Unchanged:
    """A weight that `numpy.allclose` (1e-5, 1e-8) finds the same at three steps in a row."""

    older: Mapping[str, Tensor] | None = None

    def __call__(self, seen: Seen) -> bool:
        """Say whether a weight stands still."""
        older, self.older = self.older, seen.before
        if older is None:
            return False
        return any(
            torch.allclose(after, seen.before[name]) and torch.allclose(seen.before[name], older[name])
            for name, after in seen.weights.items()
            if name in older
        )


@dataclass(slots=True)
class Overfit:
    """Every 10 steps: is the validation loss more than 10 % above the mean training loss since the last time?"""

    total: float = 0.0
    steps: int = 0

    def __call__(self, seen: Seen) -> bool:
        """Say whether the gap is too wide."""
        self.total, self.steps = self.total + seen.loss, self.steps + 1
        if self.steps < VALIDATE_EVERY:
            return False
        train, self.total, self.steps = self.total / self.steps, 0.0, 0
        return (seen.validation() - train) / train > GAP if train else False


RULES: dict[str, Callable[[], Rule]] = {
    "VanishingGradient": lambda: vanishing,
    "ExplodingTensor": lambda: exploding,
    "AllZero": lambda: all_zero,
    "WeightUpdateRatio": lambda: update_ratio,
    "DeadRelu": lambda: dead_relu,
    "SaturatedActivation": lambda: saturated,
    "LossNotDecreasing": LossNotDecreasing,
    "PoorWeightInitialization": PoorInitialization,
    "UnchangedTensor": Unchanged,
    "Overfit": Overfit,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Debugger:
    """One or more of the rules; an alarm is where any of them fires."""

    name: str
    rules: tuple[str, ...]
    needs: str = ""
    passive: bool = True

    def play(self, run: Run) -> Played:
        """Train the run plainly, and look at every step."""
        rules = [RULES[name]() for name in self.rules]
        return Played(detections=watch(run, rules))


def _ratio(before: Tensor, after: Tensor) -> float:
    change = torch.linalg.vector_norm(after - before)
    return float(change / (torch.linalg.vector_norm(before) + UPDATE_EPSILON))


def _idle(active: Tensor) -> bool:
    """Say it of `active`: (batch, units, height, width), or (..., units)."""
    units = active.movedim(1, -1) if active.dim() == 4 else active
    share = units.reshape(-1, units.shape[-1]).float().mean(0) * 100.0
    return bool((share < ACTIVE_PERCENT).float().mean() * 100.0 > LAYER_PERCENT)


def _unlike(inputs: tuple[Tensor, ...]) -> bool:
    variances = [float(one.float().var()) for one in inputs if one.numel() > 1]
    return len(variances) > 1 and max(variances) > VARIANCES * min(variances)


def _flat(gradients: Mapping[str, Tensor]) -> bool:
    at = torch.tensor([0.05, 0.95])
    spreads = [torch.quantile(one.float().flatten()[:1_000_000].cpu(), at) for one in gradients.values()]
    return any(float(high - low) < SPREAD for low, high in spreads)


RIVALS: tuple[Rival, ...] = (
    *(Debugger(name=f"Debugger {name}", rules=(name,)) for name in RULES),
    Debugger(name="Debugger, all rules", rules=tuple(RULES)),
)
