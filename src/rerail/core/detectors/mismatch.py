"""Belief: held-out data is treated in another way than training data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rerail.core.blocks import Blocks
from rerail.core.finding import Finding
from rerail.core.lasting import Lasting, Patience, Streak, hold, told
from rerail.core.parts import WHOLE, components
from rerail.core.reading import Reading

_BEGUN = Streak()


@dataclass(frozen=True, slots=True, kw_only=True)
class MismatchMemory:
    """The smoothed training losses, and how long a held-out one has been far above its own."""

    blocks: Mapping[str, Blocks] = field(default_factory=dict)
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """From the first evaluations on, a held-out loss is `factor` times the training loss of the same name.

    Overfitting takes time; a gap that is there from the start is another preprocessing, a mode not switched, or other
    labels. `eval/loss` is compared with the total. Judged in the first `early` evaluations alone.
    """

    block: int = 10
    factor: float = 3.0
    early: int = 3
    again: int = 10_000

    def init(self) -> MismatchMemory:
        """Return empty memory."""
        return MismatchMemory()

    def update(self, memory: MismatchMemory, reading: Reading) -> tuple[MismatchMemory, tuple[Finding, ...]]:
        """Judge at evaluations; take the training losses in at every tick."""
        blocks = dict(memory.blocks)
        totals = {WHOLE: reading.values[WHOLE]} if WHOLE in reading.values else {}
        for name, value in {**components(reading), **totals}.items():
            blocks[name] = blocks.get(name, Blocks()).add(value, self.block, 1)
        holds = {}
        for name, value in reading.under("eval").items():
            own = blocks.get(_own(name), Blocks())
            judged = name not in memory.lasting.streaks or memory.lasting.streaks[name].readings > 0
            if own.count and judged and own.medians[-1] > 0:
                holds[name] = value > self.factor * own.medians[-1]
        patience = Patience(ticks=0, readings=self.early, again=self.again)
        begun = Lasting(streaks={**dict.fromkeys(holds, _BEGUN), **memory.lasting.streaks}) if holds else memory.lasting
        lasting, due = hold(begun, reading.tick, holds, patience)
        found = tuple(
            finding
            for name in due
            for finding in told("loss.mismatch", lasting, [name], reading, train=blocks[_own(name)].medians[-1])
        )
        return MismatchMemory(blocks=blocks, lasting=lasting), found


def _own(name: str) -> str:
    return "loss/" + name.removeprefix("eval/").replace("loss", "total")
