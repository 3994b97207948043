"""Belief: the gradient fades on its way to the first layers."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, hold, told
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Vanishing:
    """The first layer's gradient is `ratio` of the last one's and below `first`, or all of it is below `tiny`.

    Ratio and size are AutoTrainer's (Zhang et al. 2021), `tiny` is SageMaker Debugger's limit for the mean magnitude
    (1e-7), which the root mean square bounds from above. A flat start can be healthy, hence the patience.
    """

    ratio: float = 1e-3
    first: float = 1e-4
    tiny: float = 1e-7
    ticks: int = 150
    readings: int = 4
    again: int = 10_000

    def init(self) -> Lasting:
        """Return empty memory."""
        return Lasting()

    def update(self, memory: Lasting, reading: Reading) -> tuple[Lasting, tuple[Finding, ...]]:
        """Judge `grad/rms/first` beside `grad/rms/last`, and `grad/rms`."""
        values, holds = reading.values, dict[str, bool]()
        if "grad/rms/first" in values and "grad/rms/last" in values:
            first, last = values["grad/rms/first"], values["grad/rms/last"]
            holds["grad/rms/first"] = first <= self.ratio * last and first <= self.first and last > 0.0
        if "grad/rms" in values:
            holds["grad/rms"] = 0.0 < values["grad/rms"] < self.tiny
        memory, due = hold(
            memory, reading.tick, holds, Patience(ticks=self.ticks, readings=self.readings, again=self.again)
        )
        return memory, told("gradient.vanishing", memory, due, reading, last=values.get("grad/rms/last", 0.0))
