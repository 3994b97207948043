"""Remedies, the ladders they stand on, and the ledger of what was used up and what is still in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import reduce
from types import MappingProxyType

from rerail.core.knobs import NEUTRAL, Knobs


class Move(IntEnum):
    """What to do with this update at once. Ordered: when remedies disagree, the greater wins."""

    COMMIT = 0
    SKIP = 1
    REWIND = 2
    HALT = 3


NEWEST, OLDEST = -1, 10**6  # depths


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One rung: a move at once, and a dose of knobs that holds for `hold` ticks and ramps back over `ramp`.

    `depth` counts healthy snapshots to go back past the newest one (`NEWEST`: to the newest of all, which a replay has
    shown to be sound); `times` is how often an episode may use the rung.
    `rows` of the batch are left out (and their samples kept out for good where `quarantine` says so) and the rest tried
    again; `again` tries the whole batch again; `reset` empties the optimizer's memory after going back.
    """

    move: Move
    knobs: Knobs = NEUTRAL
    hold: int = 0
    ramp: int = 0
    depth: int = 0
    times: int = 1
    rows: tuple[int, ...] = ()
    quarantine: bool = False
    again: bool = False
    reset: bool = False


FOREVER = 10**9  # ticks
HALTED = Remedy(move=Move.HALT)
GO_ON = Remedy(move=Move.COMMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Rungs from mild to drastic. Findings within `window` ticks of the last answer are one episode and climb.

    Within an episode a spent rung stays spent; past the rungs comes `last`, by default a halt. Where every number is
    finite, `last` may be to go on and tell: a level that no remedy moves can be a new stage of a healthy run.
    Where `by` is given nothing climbs: the rung is the number of that name in the finding's evidence, and its dose
    takes the place of the one before.
    """

    rungs: tuple[Remedy, ...]
    window: int
    last: Remedy = HALTED
    by: str = ""

    def rung(self, answers: int, evidence: Mapping[str, float]) -> int:
        """Return the index of the rung that the next answer stands on, after `answers` of this episode."""
        if self.by:
            return int(evidence[self.by])
        used = 0
        for index, remedy in enumerate(self.rungs):
            used += remedy.times
            if answers < used:
                return index
        return len(self.rungs)

    def remedy(self, rung: int) -> Remedy:
        """Return the remedy at `rung`, or what comes past the rungs."""
        return self.rungs[rung] if rung < len(self.rungs) else self.last


def owned_ladder(doses: Iterable[Knobs]) -> Ladder:
    """Return the rungs of a detector that owns a knob, a dose each, which holds until the next is named by `rung`."""
    return Ladder(
        rungs=tuple(Remedy(move=Move.COMMIT, knobs=knobs, hold=FOREVER) for knobs in doses), window=0, by="rung"
    )


def weight_ladder(component: str, levels: Sequence[float]) -> Ladder:
    """Return the rungs for the weight of `component`, a level each, times the run's own."""
    return owned_ladder(NEUTRAL if level == 1.0 else Knobs(weights={component: level}) for level in levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """How often one ladder has answered since its last calm, and when it last did."""

    answers: int
    last: int
    step: float = -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """A remedy's knobs in force since the tick after `since`; `of` names the ladder whose next dose takes its place."""

    since: int
    remedy: Remedy
    of: str = ""

    def at(self, tick: int) -> Knobs:
        """Return what is left of the dose at `tick`: all through the hold, then a geometric ramp to nothing."""
        over = tick - self.since - self.remedy.hold
        share = 1.0 if over <= 0 else 1.0 - over / (self.remedy.ramp + 1)
        return self.remedy.knobs.eased(share)

    def ended(self, tick: int) -> bool:
        """Say whether nothing of the dose is left at `tick`."""
        return tick - self.since > self.remedy.hold + self.remedy.ramp


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What the ladders have used up and which doses are in force. Never rewound."""

    episodes: Mapping[str, Episode] = field(default_factory=dict)
    doses: tuple[Dose, ...] = ()

    def knobs(self, tick: int) -> Knobs:
        """Return the knobs in force at `tick`: the most cautious of all doses."""
        return reduce(Knobs.meet, (dose.at(tick) for dose in self.doses), NEUTRAL)

    def standing(self, tick: int) -> Knobs:
        """Return those of them that detectors own: part of the run's own settings until they are moved again."""
        return reduce(Knobs.meet, (dose.at(tick) for dose in self.doses if dose.of), NEUTRAL)

    def answer(
        self, name: str, ladder: Ladder, tick: int, evidence: Mapping[str, float] = MappingProxyType({})
    ) -> tuple[Ledger, int]:
        """Answer a finding of the ladder called `name`; return the ledger with the answer booked, and the rung."""
        answers = self.spent(name, tick, ladder.window)
        rung = ladder.rung(answers, evidence)
        remedy = ladder.remedy(rung)
        of = name if ladder.by else ""
        doses = tuple(dose for dose in self.doses if not of or dose.of != of)
        if remedy.knobs != NEUTRAL:
            doses = (*doses, Dose(since=tick, remedy=remedy, of=of))
        booked = {**self.episodes, name: Episode(answers=answers + 1, last=tick)}
        return replace(self, episodes=dict(sorted(booked.items())), doses=doses), rung

    def instead(self, name: str, remedy: Remedy, tick: int, window: int, step: float) -> Ledger:
        """Book a proved remedy of the root cause `name` in place of all that was booked at this tick.

        What the ladders answered at this tick was not used, so it does not count, unless the proof says to go on as
        well. `step` is how many steps were committed: an answer after progress begins a new count.
        """
        doses = tuple(dose for dose in self.doses if dose.since != tick or dose.of)
        if remedy.knobs != NEUTRAL:
            doses = (*doses, Dose(since=tick, remedy=remedy))
        kept = {
            other: replace(one, answers=one.answers - 1) if one.last == tick and remedy.move else one
            for other, one in self.episodes.items()
        }
        episode = Episode(answers=self.spent(name, tick, window, step) + 1, last=tick, step=step)
        return replace(self, episodes=dict(sorted({**kept, name: episode}.items())), doses=doses)

    def spent(self, name: str, tick: int, window: int, step: float = -1.0) -> int:
        """Return how often `name` was answered in its present episode, and since then without progress past `step`."""
        episode = self.episodes.get(name)
        lately = episode is not None and tick - episode.last <= window
        return episode.answers if episode and lately and episode.step >= step else 0

    def without_ended(self, tick: int) -> Ledger:
        """Drop the doses of which nothing is left."""
        if not any(dose.ended(tick) for dose in self.doses):
            return self
        return replace(self, doses=tuple(dose for dose in self.doses if not dose.ended(tick)))
