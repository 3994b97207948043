"""Belief: the inputs were never brought to a usual scale."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold
from rerail.core.reading import Reading

_BYTES = (200.0, 256.0)  # where the largest of many bytes lies


@dataclass(frozen=True, slots=True, kw_only=True)
class Unnormalised:
    """An input's mean is `offset` deviations from 0, its deviation passes `wide`, or it looks like bytes (0 to 255).

    Only tensors with features are judged (`input/low/N` is there), and none that is constant.
    """

    offset: float = 10.0
    wide: float = 100.0
    ticks: int = 90
    readings: int = 3
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `input/mean/N`, `input/std/N`, `input/low/N` and `input/high/N`."""
        if not reading.dear:
            return memory, ()
        holds = {}
        for low_name, low in reading.under("input/low").items():
            number = low_name.rpartition("/")[2]
            mean, std, high = (reading.values.get(f"input/{one}/{number}", 0.0) for one in ("mean", "std", "high"))
            bytes_ = low >= 0.0 and _BYTES[0] <= high <= _BYTES[1]
            odd = abs(mean) > self.offset * std or std > self.wide or bytes_
            holds[f"input/mean/{number}"] = std > 0.0 and odd
        memory, due = hold(
            memory, reading.tick, holds, Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        )
        return memory, tuple(
            Finding(code="input.unnormalised", signal=name, evidence=_scale(reading, name)) for name in due
        )


def _scale(reading: Reading, name: str) -> dict[str, float]:
    names = [name.replace("mean", one) for one in ("mean", "std", "low", "high")]
    return {one: reading.values[one] for one in names if one in reading.values}
