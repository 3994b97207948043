"""Whether what an advice expects was seen: its signal when it was given, and when its ticks have passed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from rerail.core.advice import Advice, Expect
from rerail.core.reading import Reading

SPAN = 10  # values of a signal that a median is taken over; a dear signal has one every so many ticks
MARGIN = 0.05  # the share that a signal must have moved by to have moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What became of the advice of tick `of`: the signal then and now; `seen` is None where it was never read again."""

    of: int
    code: str
    expect: Expect
    before: float | None
    now: float | None

    @property
    def seen(self) -> bool | None:
        """Say whether the signal moved as expected, by a twentieth of itself."""
        if self.before is None or self.now is None:
            return None
        moved = self.now - self.before if self.expect.direction == "rises" else self.before - self.now
        return moved > MARGIN * abs(self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counsel:
    """The advice that is out, and the newest values of the signals that it speaks of.

    `given` are the findings (code and signal) that advice was given for: it is given once.
    """

    given: frozenset[tuple[str, str]] = frozenset()
    open: tuple[Seen, ...] = ()
    recent: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def give(self, tick: int, code: str, signal: str, advice: Advice, reading: Reading) -> Counsel:
        """Watch over an advice from now on."""
        expect = advice.expect
        before = reading.values.get(expect.signal)
        one = Seen(of=tick, code=code, expect=expect, before=before, now=None)
        return Counsel(given=self.given | {(code, signal)}, open=(*self.open, one), recent=self.recent)

    def read(self, reading: Reading) -> tuple[Counsel, list[Seen]]:
        """Take one reading in; return what is due."""
        if not self.open:
            return self, []
        watched = {one.expect.signal for one in self.open}
        recent = {name: self._newest(name, reading) for name in watched}
        due = [
            Seen(of=one.of, code=one.code, expect=one.expect, before=one.before, now=_middle(recent[one.expect.signal]))
            for one in self.open
            if reading.tick - one.of >= one.expect.within
        ]
        left = tuple(one for one in self.open if reading.tick - one.of < one.expect.within)
        return Counsel(given=self.given, open=left, recent=recent), due

    def _newest(self, name: str, reading: Reading) -> tuple[float, ...]:
        before = self.recent.get(name, ())
        return (*before, reading.values[name])[-SPAN:] if name in reading.values else before


def _middle(values: tuple[float, ...]) -> float | None:
    return median(values) if values else None
