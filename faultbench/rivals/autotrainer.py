"""AutoTrainer (Zhang et al., ICSE 2021): five training problems by threshold, and its repairs that are settings.

Source: the paper, https://arxiv.org/abs/2007.01213, and its repository https://github.com/shiningrain/AUTOTRAINER, with
the thresholds of its `IssueMonitor`. It judges after each epoch and, on a problem, trains again from the start with the
next repair of its list. Three things differ here, since these runs have no epochs and no accuracy and their models are
given: ten steps count as an epoch; the accuracy is 1 - the held-out loss / that before training (held out, since an
epoch sees the same rows each time, and these runs never do); and of the repairs only settings remain (clipping by value,
learning rate), not other activations, layers or initial weights. A problem that no repair is left for ends the run, as
its report of an unsolved model does.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch

from faultbench.case import Run
from faultbench.rivals import steps
from faultbench.rivals.rival import Played, Rival
from rerail.act.state import capture, restore

EPOCH = 10  # steps
VANISH_RATIO, VANISH_FIRST = 1e-3, 1e-4
EXPLODE_RATIO = 70.0
DEAD = 0.7
SWING, SWINGS = 0.03, 0.2
SLOW = 0.01
GOOD = 0.7
JUDGE_FROM = 0.3  # of all epochs, before the curve of the accuracy is judged
CLIP_VALUES = (9.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The gradient of one step: the norms of the first and the last weight's, and the share of zeros in all."""

    first: float
    last: float
    zeros: float

    def problems(self) -> set[str]:
        """Return what is wrong with it."""
        ratio = self.first / self.last if self.last else math.inf if self.first else math.nan
        return {
            name
            for name, found in (
                ("vanish", ratio < VANISH_RATIO and self.first < VANISH_FIRST),
                ("explode", ratio > EXPLODE_RATIO),
                ("relu", self.zeros >= DEAD),
            )
            if found
        }


def oscillates(accuracies: Sequence[float]) -> bool:
    """Say whether a fifth of the epochs swing by 0.03 or more (the n-th peak against the n-th trough)."""
    inner = range(1, len(accuracies) - 1)
    around = [(accuracies[at - 1], accuracies[at], accuracies[at + 1]) for at in inner]
    peaks = [here for before, here, after in around if here >= before and here >= after]
    troughs = [here for before, here, after in around if here <= before and here <= after]
    swings = sum(peak - trough >= SWING for peak, trough in zip(peaks, troughs, strict=False))
    return bool(accuracies) and swings >= SWINGS * len(accuracies)


def slow(accuracies: Sequence[float]) -> bool:
    """Say whether no epoch was better than the one before by 0.01."""
    gains = [after - before for before, after in pairwise(accuracies)]
    return max([0.0, *gains]) < SLOW


def problem(accuracies: Sequence[float], flows: set[str], *, epochs: int) -> str:
    """Return the problem that a finite run has after an epoch, "" for none.

    The gradient is blamed only where the accuracy is poor, and a swing only where it is not.
    """
    if len(accuracies) < max(2, JUDGE_FROM * epochs):  # one epoch has no gain yet
        return ""
    crawls = slow(accuracies)
    if not (crawls or max(accuracies) < GOOD):
        return "unstable" if oscillates(accuracies) else ""
    for name in ("relu", "explode", "vanish"):
        if name in flows:
            return name
    return "not_converge" if crawls else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a repair changes: a factor on the learning rate, a limit on each gradient value."""

    rate: float = 1.0
    value: float = math.inf


def repairs(dice: random.Random) -> dict[str, list[Setting]]:
    """Return the repairs of each problem, in the order in which they are tried."""
    return {
        "explode": [Setting(value=dice.uniform(*CLIP_VALUES)) for _ in range(2)],
        "unstable": [Setting(rate=10.0 ** -(one + 1)) for one in range(3)],
        "not_converge": [Setting(rate=10.0 ** (one + 1)) for one in range(3)],
    }


@dataclass(slots=True)
class Monitor:
    """What one attempt has shown so far; `start` is the held-out loss before it."""

    epochs: int
    start: float
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    flows: set[str] = field(default_factory=set)

    def step(self, run: Run, loss: float) -> str:
        """Take the loss of one step; at the end of an epoch, return its problem."""
        self.losses.append(loss)
        if len(self.losses) % EPOCH:
            return ""
        held_out = steps.validation(run)
        if not _finite(run, [*self.losses[-EPOCH:], held_out]):
            return "explode"
        self.flows |= flow(run).problems()
        if self.start <= 0:  # then it makes no accuracy
            return ""
        self.accuracies.append(1.0 - held_out / self.start)
        return problem(self.accuracies, self.flows, epochs=self.epochs)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoTrainer:
    """Detection and repair."""

    name: str = "AutoTrainer"
    needs: str = ""
    passive: bool = False

    def play(self, run: Run) -> Played:
        """Train the run, from the start again for each repair."""
        parts, left = steps.parts(run), repairs(random.Random(0))  # noqa: S311 (dice, no secret)
        start = capture(parts)
        found: list[int] = []
        wasted, setting = 0, Setting()
        while True:
            tick, name = _attempt(run, setting)
            if not name:
                return Played(detections=tuple(found), wasted=wasted)
            found.append(tick)
            if not left.get(name):
                return Played(detections=tuple(found), wasted=wasted, stopped=True)
            setting = left[name].pop(0)
            wasted += tick + 1
            restore(parts, start)


def flow(run: Run) -> Flow:
    """Read the gradients that stand in the model; weights are what has two dimensions or more."""
    gradients = steps.gradients(run)
    weights = [one for one in gradients if one.dim() > 1] or gradients
    zeros = sum(int((one == 0).sum()) for one in gradients)
    return Flow(
        first=float(torch.linalg.vector_norm(weights[0].float())),
        last=float(torch.linalg.vector_norm(weights[-1].float())),
        zeros=zeros / sum(one.numel() for one in gradients),
    )


def _attempt(run: Run, setting: Setting) -> tuple[int, str]:
    """Train until a problem shows; return the step and the problem, "" where the run ended without."""
    monitor = Monitor(epochs=len(run.batches) // EPOCH, start=steps.validation(run))
    for tick, batch in enumerate(run.batches):
        loss = steps.backward(run, batch)
        if setting.value < math.inf:
            torch.nn.utils.clip_grad_value_(steps.trained(run), setting.value)
        steps.clip(run)
        steps.commit(run, rate=setting.rate)
        name = monitor.step(run, loss)
        if name:
            return tick, name
    return len(run.batches) - 1, ""


def _finite(run: Run, losses: Sequence[float]) -> bool:
    tensors = [*steps.gradients(run), *(one.detach() for one in steps.trained(run))]
    return all(map(math.isfinite, losses)) and all(bool(torch.isfinite(one).all()) for one in tensors)


RIVALS: tuple[Rival, ...] = (AutoTrainer(),)
