"""From a failing step to a proved cause and a proved remedy: decisions and replays, in turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rerail.act import rows
from rerail.act.window import Entry
from rerail.core.cause import Cause, Kind, Suspicion, choose, next_trial
from rerail.core.cause.cause import BY_ROWS
from rerail.core.cause.investigate import unknown
from rerail.core.cause.toxic import toxic_rows
from rerail.core.remedy import HALTED, Remedy
from rerail.core.trial import Swap, Trial
from rerail.prove.replay import Bench, Scene

Spent = Callable[[Cause], int]
TELL_ONLY = frozenset({Kind.UNKNOWN, Kind.COMPILER})  # no remedy of ours is proved: the plan's ladder answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A cause, and the remedy that a trial has shown to work; None where the plan's ladder has to answer."""

    cause: Cause
    remedy: Remedy | None
    trials: tuple[Trial, ...]

    @property
    def replays(self) -> int:
        """How many replays it took; a window counts as one."""
        return len(self.trials)

    @property
    def steps(self) -> int:
        """How many forward and backward passes it took."""
        return sum(trial.cost for trial in self.trials)


def prove(bench: Bench, scene: Scene, case: Suspicion, *, most: int, spent: Spent) -> Proof:
    """Replay with one thing changed at a time until a cause stands, then until a remedy has worked.

    `most` replays are tried, and beyond them as many as it takes to tell k toxic rows of B: 2 k log2 B. `spent` says
    how many remedies of a cause were used up lately.
    """
    trials: list[Trial] = []
    with bench.borrowed():
        while not isinstance(step := next_trial(case, trials), Cause):
            if len(trials) >= allowed(most, case, trials):
                short = unknown(trials, f"{len(trials)} replays did not settle it, and no more are allowed")
                return Proof(cause=short, remedy=None, trials=tuple(trials))
            trials.append(bench.run(scene, step))
        if step.certain:
            return Proof(cause=step, remedy=HALTED, trials=tuple(trials))
        if step.kind in TELL_ONLY:
            return Proof(cause=step, remedy=None, trials=tuple(trials))
        some = step.kind in BY_ROWS and 0 < len(step.rows) < case.rows
        used = 0 if some else spent(step)
        while isinstance(wanted := choose(case, step, trials, used), Swap):
            trials.append(bench.run(scene, wanted))
    hopeless = wanted == HALTED and (step.kind not in BY_ROWS or not case.other or case.finite)
    return Proof(cause=step, remedy=None if hopeless else wanted, trials=tuple(trials))


def rows_that_fail(entry: Entry, healthy: Callable[[Sequence[Any]], bool], most: int) -> tuple[int, ...]:
    """Return the rows without which `healthy` is true of the entry's batches; none where that takes too many tries."""
    count = sum(map(rows.count, entry.batches))
    search = toxic_rows(count)
    try:
        swap = next(search)
        for _ in range(most + math.ceil(2 * math.log2(max(2, count)))):
            tried = swap.rows if len(swap.rows) > 1 else 2 * swap.rows  # a BatchNorm refuses a single row
            found = Trial(changed=swap, readings=(), healthy=healthy(entry.only(tried).batches))
            swap = search.send(found)
    except StopIteration as ended:
        bad: tuple[int, ...] = ended.value
        return bad if 0 < len(bad) < count else ()
    return ()


def allowed(most: int, case: Suspicion, trials: list[Trial]) -> int:
    """Return how many replays this proof may take: `most`, and 2 log2 B for each row that fails by itself."""
    toxic = sum(1 for trial in trials if trial.changed.rows and not trial.healthy and len(trial.changed.rows) == 1)
    return most + math.ceil(2 * max(1, toxic) * math.log2(max(2, case.rows)))
