"""Whether the rows of a batch have the targets that belong to them: its columns are moved against each other."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace

from rerail.core.cause.suspicion import Suspicion
from rerail.core.trial import BY_HALF, Age, Swap, Trial, Which

MOST = 3  # columns that are moved, one after the other; the first stays where it is
SPOILT, NO_WORSE = 0.4, 0.2  # shares of what this batch's loss is above that of a healthy one, when a column is moved
LASTING = 6  # batches in a row before a run is stopped: what is out of step once may be one shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """What belongs together is apart: by so many rows (0: without any order), as `why` says."""

    by: int
    why: str


def mispaired(case: Suspicion, age: Age = Age.NOW) -> Generator[Swap, Trial, Apart | None]:
    """Return how the columns of the failing batch are apart; None where they belong together, or nothing can be told.

    Moved back by a row the batch is healthy: out of step by one. Or moving a column spoils a healthy batch, and does
    nothing to this one, though each of its columns by itself is like those before: rows have others' targets. A batch
    of another domain fails too, but does not look like those before. Asked of the weights of `age`: those that have
    learned from such batches for a while know nothing any more.
    """
    on = Swap(weights=age, optimizer=age)
    if case.rows <= 2 or not (case.other and case.alike and case.found("loss.spike")):  # noqa: PLR2004 (of two rows, each has the other's)
        return None
    for column in case.columns[1 : 1 + MOST]:
        for places in (1, -1):
            if (yield replace(on, rolled=((column, places),))).healthy:
                other = "previous" if places == -1 else "next"
                why = f"each row has the {column} of the {other} row: moved back by one, the batch is healthy"
                return Apart(by=places, why=why)
    given, fair = (yield on), (yield replace(on, batch=Which.OTHER))
    above = _total(given) - _total(fair)
    if not fair.healthy or given.healthy or not above > 0:
        return None
    for column in case.columns[1 : 1 + MOST]:
        moved = ((column, BY_HALF),)
        spoilt, here = (yield replace(on, batch=Which.OTHER, rolled=moved)), (yield replace(on, rolled=moved))
        if spoilt.healthy or not (spoilt.readings and here.readings):
            continue
        if _total(spoilt) - _total(fair) >= SPOILT * above and _total(here) - _total(given) <= NO_WORSE * above:
            why = (
                f"rows have another row's {column}: moving it spoils a healthy batch and makes this one no worse, "
                "though each column by itself is like those before"
            )
            return Apart(by=0, why=why)
    return None


def _total(trial: Trial) -> float:
    return trial.readings[-1].values.get("loss/total", math.nan) if trial.readings else math.nan
