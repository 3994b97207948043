"""What came of an intervention: the same signals before it, and some committed ticks after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rerail.core.reading import Reading

SPAN = 10  # committed ticks that a median is taken over, before and after
AFTER = 20  # committed ticks from the intervention to the outcome
MARGIN = 0.2  # how far above its old median the loss may be and still count as recovered


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The medians of losses, gradient norm and step time on both sides of the intervention at tick `of`."""

    of: int
    before: Mapping[str, float]
    now: Mapping[str, float]

    @property
    def recovered(self) -> bool | None:
        """Say whether the losses are back within a fifth of where they were; None where nothing was before.

        Compared is the sum of the components that both sides have: one that set in between is no damage.
        """
        both = [name for name in self.before if name.startswith("loss/") and name in self.now]
        parts = [name for name in both if name != "loss/total"] or both
        if not parts:
            return None
        before, now = (sum(side[name] for name in parts) for side in (self.before, self.now))
        return now <= before + MARGIN * abs(before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Readings of committed ticks, newest last, and the interventions whose outcome is still open."""

    recent: tuple[Reading, ...] = ()
    open: tuple[tuple[int, int, Mapping[str, float]], ...] = ()  # (tick, committed ticks since, medians before)

    def intervened(self, tick: int) -> Watch:
        """Open the watch over an intervention."""
        return Watch(recent=self.recent, open=(*self.open, (tick, 0, medians(self.recent))))

    def committed(self, reading: Reading) -> tuple[Watch, list[Outcome]]:
        """Count one committed tick; return the outcomes that are due."""
        recent = (*self.recent, reading)[-SPAN:]
        counted = tuple((tick, since + 1, before) for tick, since, before in self.open)
        due = [
            Outcome(of=tick, before=before, now=medians(recent)) for tick, since, before in counted if since >= AFTER
        ]
        return Watch(recent=recent, open=tuple(one for one in counted if one[1] < AFTER)), due


def medians(readings: Sequence[Reading]) -> dict[str, float]:
    """Return the median of each loss, the gradient norm and the step time over the readings that have it."""
    names = sorted({name for reading in readings for name in reading.values if _told(name)})
    return {name: median(_values(readings, name)) for name in names}


def _told(name: str) -> bool:
    return name.startswith("loss/") or name in {"grad/norm", "time/step"}


def _values(readings: Iterable[Reading], name: str) -> list[float]:
    return [reading.values[name] for reading in readings if name in reading.values]
