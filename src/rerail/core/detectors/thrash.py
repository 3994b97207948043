"""Belief: the loss scale never finds its size."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrashMemory:
    """The ticks of the latest backoffs, the run of them read last, and the tick of the last telling."""

    ticks: tuple[int, ...] = ()
    backoffs: float = 0.0
    told: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Thrash:
    """The loss scale backs off `most` times within `window` ticks, after the first `warmup`.

    torch.amp.GradScaler tries a larger scale every 2000 good steps, so one backoff in 2000 is normal, and from 65536 at
    most 16 in a row find the size at the start.
    """

    window: int = 500
    warmup: int = 50
    most: int = 10
    again: int = 10_000

    def init(self) -> ThrashMemory:
        """Return empty memory."""
        return ThrashMemory()

    def update(self, memory: ThrashMemory, reading: Reading) -> tuple[ThrashMemory, tuple[Finding, ...]]:
        """Count what `scale/backoffs`, the overflows in a row before this tick, has risen by."""
        run = reading.values.get("scale/backoffs")
        if run is None:
            return memory, ()
        again = run > 0 and (run > memory.backoffs or memory.backoffs == 0) and reading.tick > self.warmup
        ticks = tuple(one for one in memory.ticks if reading.tick - one < self.window)
        ticks = (*ticks, reading.tick) if again else ticks
        waits = memory.told and reading.tick - memory.told < self.again
        if len(ticks) < self.most or waits:
            return ThrashMemory(ticks=ticks, backoffs=run, told=memory.told), ()
        evidence = {"scale": reading.values.get("scale", 0.0), "backoffs": float(len(ticks))}
        found = Finding(code="scale.thrash", signal="scale", evidence=evidence)
        return ThrashMemory(ticks=ticks, backoffs=run, told=reading.tick), (found,)
