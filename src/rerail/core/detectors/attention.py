"""Belief: attention looks everywhere, at one place, or has lost its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.reading import Reading

_KINDS = ("entropy", "largest", "diagonal", "stuck")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionMemory:
    """Of each map the lowest entropy and the best diagonal so far, its last entropy, and how long it has been odd."""

    sharpest: Mapping[str, float] = field(default_factory=dict)
    best: Mapping[str, float] = field(default_factory=dict)
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Uniform after having been sharp (or `flat` ticks long), stuck, off a diagonal that it had, or sharp on nothing.

    Attention is uniform when a run begins and may stay so for thousands of steps, so uniformity alone needs `flat`
    ticks. A diagonal (1 perfect, 0 uniform) is only missed where it was once `had`; the same goes for `stuck`, since
    other attention may rightly rest on one key. Entropy is over its maximum; a sharp drop is entropy collapse
    (Zhai et al. 2023), told where no diagonal explains it.
    """

    uniform: float = 0.98
    sharp: float = 0.8
    drop: float = 0.01
    had: float = 0.4
    lost: float = 0.1
    stuck: float = 0.9
    flat: int = 10_000
    ticks: int = 90
    readings: int = 3
    again: int = 10_000

    def init(self) -> AttentionMemory:
        """Return empty memory."""
        return AttentionMemory()

    def update(self, memory: AttentionMemory, reading: Reading) -> tuple[AttentionMemory, tuple[Finding, ...]]:
        """Judge `attention/entropy/NAME` and what stands beside it."""
        if not reading.dear:
            return memory, ()
        entropies = reading.under("attention/entropy")
        if not entropies:
            return memory, ()
        sharpest, best, holds, flat = dict(memory.sharpest), dict(memory.best), {}, {}
        for full, entropy in entropies.items():
            name = full.rpartition("/")[2]
            diagonal = reading.values.get(f"attention/diagonal/{name}", 0.0)
            sharpest[name] = min(sharpest.get(name, 1.0), entropy)
            best[name] = max(best.get(name, 0.0), diagonal)
            holds[name] = self._odd(reading, name, sharpest[name], best[name])
            flat[f"{name} flat"] = entropy > self.uniform
        soon = Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        late = Patience(ticks=self.flat, readings=self.readings, again=self.again)
        lasting, due = hold(memory.lasting, reading.tick, holds, soon)
        lasting, more = hold(lasting, reading.tick, flat, late)
        names = dict.fromkeys([*due, *(name.removesuffix(" flat") for name in more)])
        found = tuple(
            Finding(code="attention.collapse", signal=f"attention/entropy/{name}", evidence=_of(reading, name))
            for name in names
        )
        return AttentionMemory(sharpest=sharpest, best=best, lasting=lasting), found

    def _odd(self, reading: Reading, name: str, sharpest: float, best: float) -> bool:
        entropy, largest, diagonal, stuck = (reading.values.get(f"attention/{one}/{name}", 0.0) for one in _KINDS)
        walked = best >= self.had
        blurred = entropy > self.uniform and sharpest < self.sharp
        lost = walked and (diagonal < self.lost or stuck > self.stuck)
        spiked = entropy < self.drop and largest > 1.0 - self.drop and diagonal < self.lost
        return blurred or lost or (walked and spiked)


def _of(reading: Reading, name: str) -> dict[str, float]:
    names = (f"attention/{one}/{name}" for one in _KINDS)
    return {one: reading.values[one] for one in names if one in reading.values}
