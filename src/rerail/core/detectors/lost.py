"""Belief: the gradient reaches fewer parameters than it did."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rerail.core.finding import Finding
from rerail.core.reading import Reading

SIGNAL = "grad/lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class LostMemory:
    """The counts of the last ticks (oldest first), the usual one while it is passed, and since how many ticks it is."""

    counts: tuple[float, ...] = ()
    usual: float = 0.0
    ticks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Parameters that had a gradient have none, or zeros throughout, for `persistence` ticks, and again at `lasting`.

    A detached branch, a gradient that is zero in a half format, units that have all died. Models that leave a branch
    out at some steps are judged by the most that was missing at any of the `window` ticks before; what was cut from the
    start is told by another belief (`gradient.missing`). A whole gradient of zero is told by a third.
    """

    window: int = 50
    persistence: int = 15
    lasting: int = 45
    adopt: int = 100

    def init(self) -> LostMemory:
        """Return empty memory."""
        return LostMemory()

    def update(self, memory: LostMemory, reading: Reading) -> tuple[LostMemory, tuple[Finding, ...]]:
        """Judge `grad/lost`, the number of parameter tensors without a gradient."""
        count = reading.values.get(SIGNAL)
        if count is None or reading.values.get("grad/norm", 0.0) == 0.0:
            return memory, ()
        usual = memory.usual if memory.ticks else max(memory.counts, default=0.0)
        if len(memory.counts) < self.window or count <= usual or memory.ticks + 1 >= self.adopt:
            return LostMemory(counts=(*memory.counts, count)[-self.window :]), ()
        memory = replace(memory, usual=usual, ticks=memory.ticks + 1)
        if memory.ticks not in (self.persistence, self.lasting):
            return memory, ()
        evidence = {SIGNAL: count, "usual": usual, "ticks": float(memory.ticks)}
        return memory, (Finding(code="gradient.lost", signal=SIGNAL, evidence=evidence),)

    def wary(self, memory: LostMemory) -> bool:
        """Say whether more is missing than was usual."""
        return memory.ticks > 0
