"""Belief: what is learned no longer holds on held-out data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from rerail.core.blocks import Blocks
from rerail.core.finding import Finding
from rerail.core.parts import components, named, whole
from rerail.core.reading import Reading

LOSSES = ("loss", "error", "nll", "mse", "mae", "perplexity", "entropy")  # of held-out metrics: lower is better


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One held-out loss: its values, the best of them, how many came since, the training loss at the best, and then."""

    values: tuple[float, ...] = ()
    best: float = math.inf
    since: int = 0
    train: float = math.inf
    told: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OverfitMemory:
    """The smoothed training loss, and every held-out loss."""

    blocks: Blocks = field(default_factory=Blocks)
    held: Mapping[str, Held] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfit:
    """A held-out loss has been above its best by `rise` for `lasting` evaluations, while the training loss fell.

    Early stopping's patience (Prechelt 1998), with a margin. Read are signals under `eval/` that are named like a loss
    or like a component of it; of other metrics it is not known which way is better.
    """

    block: int = 20
    rise: float = 0.05
    lasting: int = 4
    fewest: int = 6
    again: int = 10_000

    def init(self) -> OverfitMemory:
        """Return empty memory."""
        return OverfitMemory()

    def update(self, memory: OverfitMemory, reading: Reading) -> tuple[OverfitMemory, tuple[Finding, ...]]:
        """Judge at evaluations; take the training loss in at every tick."""
        blocks = memory.blocks.add(whole(reading)[1], self.block, 1)
        held, found = dict(memory.held), []
        for name, value in held_out(reading).items():
            if blocks.count:
                one = _seen(held.get(name, Held()), value, blocks.medians[-1])
                if self._worse(one, blocks.medians[-1], reading.tick):
                    one = Held(values=one.values, best=one.best, since=one.since, train=one.train, told=reading.tick)
                    evidence = {name: value, "best": one.best, "train": blocks.medians[-1], "train then": one.train}
                    found.append(Finding(code="loss.overfit", signal=name, evidence=evidence))
                held[name] = one
        return OverfitMemory(blocks=blocks, held=held), tuple(found)

    def _worse(self, one: Held, train: float, tick: int) -> bool:
        if len(one.values) < self.fewest or one.since < self.lasting or (one.told and tick - one.told < self.again):
            return False
        recent = one.values[-self.lasting :]
        steady = median(abs(b - a) for a, b in zip(one.values, one.values[1:], strict=False))
        margin = max(self.rise * abs(one.best), 2.0 * steady)
        return min(recent) > one.best + margin and train < one.train


def _seen(one: Held, value: float, train: float) -> Held:
    values = (*one.values, value)[-12:]
    if value < one.best:
        return Held(values=values, best=value, train=train, told=one.told)
    return Held(values=values, best=one.best, since=one.since + 1, train=one.train, told=one.told)


def held_out(reading: Reading) -> dict[str, float]:
    """Return the finite signals under `eval/` of which lower is better: named like a loss, or like a component."""
    given = reading.under("eval")
    if not given:
        return {}
    own = {name.removeprefix("loss/") for name in components(reading)}
    losses = {name: value for name, value in given.items() if name.removeprefix("eval/") in own}
    return {name: value for name, value in {**named(given, LOSSES), **losses}.items() if math.isfinite(value)}
