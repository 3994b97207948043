"""Learning-rate schedules, as multipliers of the optimizer's own rate: pure functions of the step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

Name = Literal["cosine", "restarts", "noam", "one-cycle", "constant", "schedule-free"]
FREE: Name = "schedule-free"
ONE_CYCLE_RISE = 0.3  # share of the steps (Smith & Topin 2018, arXiv:1708.07120, as torch has it)
Factor = Callable[[int], float]


def factor(name: Name, *, steps: int, warmup: int, floor: float, period: int = 0, period_grows: float = 1.0) -> Factor:
    """Return the multiplier of a schedule as a function of the step; it is never below `floor` after the warm-up.

    cosine     half a cosine down to `floor` at `steps`
    restarts   half a cosine in each period (Loshchilov & Hutter 2017, arXiv:1608.03983); the first lasts `period` steps
               (0: a third of what follows the warm-up), each `period_grows` times the one before
    noam       the inverse square root of the step (Vaswani et al. 2017, arXiv:1706.03762, section 5.3), 1 at `warmup`
    one-cycle  half a cosine up over 30 % of the steps (or `warmup`, where that is more), then down to `floor`
    constant   1
    schedule-free  1: the optimizer averages its weights instead (Defazio et al. 2024, arXiv:2405.15682)
    """
    if name == "cosine":
        return cosine_factor(steps=steps, warmup=warmup, floor=floor)
    if name == "restarts":
        first = period or max(1, (steps - warmup) // 3)
        return _after(warmup, _restarts(first, period_grows, floor))
    if name == "noam":
        return _after(warmup, lambda step: max(floor, math.sqrt(max(1, warmup) / (max(1, warmup) + step))))
    if name == "one-cycle":
        return _one_cycle(steps, max(warmup, round(ONE_CYCLE_RISE * steps)), floor)
    return _after(warmup, lambda _: 1.0)


def cosine_factor(*, steps: int, warmup: int, floor: float) -> Factor:
    """Rise linearly over `warmup` steps, fall along half a cosine to the share `floor` at `steps`, and stay."""
    return _after(warmup, lambda step: _fallen(step / max(1, steps - warmup), floor))


def _after(warmup: int, then: Factor) -> Factor:
    """Rise linearly to what `then` begins with; `then` counts from the end of the warm-up."""
    return lambda step: (step + 1) / (warmup + 1) * then(0) if step < warmup else then(step - warmup)


def _fallen(share: float, floor: float) -> float:
    """Half a cosine from 1 at 0 down to `floor` at 1, and there for ever."""
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def _restarts(first: int, grows: float, floor: float) -> Factor:
    def at(step: int) -> float:
        if grows == 1.0:
            return _fallen(step % first / first, floor)
        done = 1.0 - step * (1.0 - grows) / first  # grows ** (periods over), as a sum of a geometric series
        number = math.floor(math.log(done) / math.log(grows) + 1e-9) if done > 0 else math.inf
        if not math.isfinite(number):
            return floor  # the periods, asked to shrink, have come to an end
        began, length = first * (1.0 - grows**number) / (1.0 - grows), first * grows**number
        return _fallen(max(0.0, step - began) / length, floor) if length >= 1.0 else floor

    return at


def _one_cycle(steps: int, rise: int, floor: float) -> Factor:
    def at(step: int) -> float:
        if step < rise:
            return floor + (1 - floor) * 0.5 * (1 - math.cos(math.pi * (step + 1) / (rise + 1)))
        return _fallen((step - rise) / max(1, steps - rise), floor)

    return at
