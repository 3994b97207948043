"""A few steps rehearsed, under a guard that stops at the first thing which it would have to mend in the weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rerail.core import plain, plans
from rerail.guard import Derailed, Guard, Plan
from rerail.seam import Keep
from rerail.tell import phrases

STRICT = Keep(snapshot_every=10**9, proof_replays=0, hang_seconds=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """How far a rehearsal came, the total loss of its first and last step, and the trouble that ended it, if any."""

    steps: int
    first: float = math.nan
    last: float = math.nan
    trouble: str = ""


def strict(plan: Plan | None) -> Plan:
    """Return a plan, None for the default one, under which whatever would undo or skip an update halts."""
    return plans.strict(plan or plans.default_plan())


def rehearse(guard: Guard, batches: Iterator[Any], *, steps: int, accumulate: int = 1) -> Rehearsed:
    """Take `steps` steps; the guard should have a plan made `strict`, and keep as little as `STRICT`."""
    began, totals = guard.steps, []
    try:
        while guard.steps - began < steps:
            totals.append(guard.step(*islice(batches, accumulate)).losses.get("total", math.nan))
    except Derailed as error:
        seen = "; ".join(phrases.finding(plain.dump(found)) for found in error.verdict.findings)
        return Rehearsed(steps=guard.steps - began, trouble=f"at step {guard.steps + 1}: {seen}")
    return Rehearsed(steps=steps, first=totals[0], last=totals[-1])
