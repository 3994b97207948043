"""A failure as it was replayed, and the causes that are named of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rerail.core.cause.cause import Cause, Kind
from rerail.core.cause.suspicion import Suspicion
from rerail.core.settings import LENGTHENS
from rerail.core.trial import Operation

_OF_NO_COMPONENT = frozenset({Kind.OPTIMIZER, Kind.STEP_SIZE})  # the update is wrong, whichever loss shows it


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The failure as replayed: its trace, and the component that fails alone."""

    case: Suspicion
    made: Operation | None = None
    component: str = ""
    drawn: float | None = None  # how many operations of the replay drew random numbers

    def level(self, why: str) -> Cause:
        """Return the cause of a loss that is higher and goes on: by a draw that sets in, or only so."""
        if self.drawn is None or self.case.drawn is None or self.drawn == self.case.drawn:
            return replace(self.cause(Kind.LEVEL, why), goes_on=True)
        draws = f"{self.drawn:.0f} operations of the step draw random numbers, where {self.case.drawn:.0f} did"
        why = f"{draws}: dropout or noise was switched on or off"
        return replace(self.cause(Kind.CODE, why), goes_on=True)

    def changed(self, why: str) -> Cause:
        """Return the cause of settings of the optimizer that were changed."""
        settings = self.case.settings
        told = [f"{name} went from {then:.4g} to {now:.4g}" for name, (then, now) in sorted(settings.items())]
        kind = Kind.STEP_SIZE if all(name.startswith(LENGTHENS) for name in settings) else Kind.OPTIMIZER
        return self.cause(kind, "; ".join((*told, why)), step=self.case.step)

    def cause(self, kind: Kind, *why: str, rows: Sequence[int] = (), step: int = -1) -> Cause:
        """Return a cause of this failure."""
        ids = self.case.ids
        component = "" if kind in _OF_NO_COMPONENT else self.component
        samples = tuple(ids[row] for row in rows if row < len(ids) and ids[row])
        return Cause(
            kind=kind,
            component=component,
            operation=self.made,
            rows=tuple(rows),
            samples=samples,
            step=step,
            why=why,
        )
