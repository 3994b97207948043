"""What the rows of the fault bench add up to, for one tool."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from faultbench.row import Row
from rerail.core.rate import Rate

FEW = 40  # steps that a repair may waste


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The columns of the table. Counts are pairs: how many, of how many."""

    tool: str
    detected: tuple[int, int]
    delay: float  # median steps from the fault's begin to the first alarm
    in_time: tuple[int, int]  # non-finite faults of which nothing reached the weights
    cause: tuple[int, int]
    repaired: tuple[int, int]  # curable, damaging cells that ended inside the clean band
    thrifty: tuple[int, int]  # of all curable, damaging cells: repaired, with few steps wasted
    stopped: tuple[int, int]  # incurable, damaging cells that ended with an honest stop
    gave_up: int  # curable cells that were stopped
    harmed: tuple[int, int]  # cells whose unguarded twin was unharmed and that ended outside the band or were stopped
    touched: tuple[int, int]  # healthy controls that anything was done to
    healthy_steps: int
    alarms: int  # on healthy steps

    @property
    def rate(self) -> float:
        """Alarms per 10,000 healthy steps."""
        return Rate(count=self.alarms, ticks=self.healthy_steps).rate

    @property
    def at_most(self) -> float:
        """The upper end of the rate's 95 % interval (exact Poisson, one-sided 97.5 %)."""
        return Rate(count=self.alarms, ticks=self.healthy_steps).high


def score(tool: str, rows: Sequence[Row]) -> Score:
    """Add up the rows of one tool."""
    cells = [one for one in rows if one.fault]
    controls = [one for one in rows if not one.fault]
    damaging = [one for one in cells if one.damaging]
    curable = [one for one in damaging if one.curable]
    incurable = [one for one in damaging if not one.curable]
    unharmed = [one for one in cells if not one.damaging]
    nonfinite = [one for one in damaging if one.broke >= 0]
    found = [one for one in damaging if one.detected >= 0]
    return Score(
        tool=tool,
        detected=(len(found), len(damaging)),
        delay=statistics.median([one.delay for one in found]) if found else math.nan,
        in_time=(sum(one.in_time for one in nonfinite), len(nonfinite)),
        cause=(sum(one.cause == one.truth for one in damaging), len(damaging)),
        repaired=(sum(one.healthy and not one.stopped for one in curable), len(curable)),
        thrifty=(sum(one.healthy and not one.stopped and one.wasted <= FEW for one in curable), len(curable)),
        stopped=(sum(one.stopped for one in incurable), len(incurable)),
        gave_up=sum(one.stopped for one in curable),
        harmed=(sum(one.stopped or not one.healthy for one in unharmed if one.interventions), len(unharmed)),
        touched=(sum(one.interventions > 0 for one in controls), len(controls)),
        healthy_steps=sum(one.steps for one in controls) + sum(one.begin for one in cells),
        alarms=sum(one.alarms for one in rows),
    )
