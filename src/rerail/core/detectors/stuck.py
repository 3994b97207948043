"""Belief: the loader has begun to give the same batch again and again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rerail.core.finding import Finding
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckMemory:
    """How many batches were others than the one before them."""

    varied: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """The same samples, by id and content, `times` steps in a row, where `warmup` batches differed before.

    Training on one batch from the start is a test that people make; a loader that stops moving is not. `stopped` times
    in a row end the run.
    """

    times: int = 10
    stopped: int = 50
    warmup: int = 20

    def init(self) -> StuckMemory:
        """Return empty memory."""
        return StuckMemory()

    def update(self, memory: StuckMemory, reading: Reading) -> tuple[StuckMemory, tuple[Finding, ...]]:
        """Judge `batch/same`, how many steps in a row had the present batch before."""
        same = reading.values.get("batch/same")
        if same is None:
            return memory, ()
        if not same:
            return replace(memory, varied=min(memory.varied + 1, self.warmup)), ()
        if memory.varied < self.warmup or same not in (self.times, self.stopped):
            return memory, ()
        code = "input.stuck" if same == self.times else "input.stopped"
        return memory, (Finding(code=code, signal="batch/same", evidence={"batch/same": same}),)
