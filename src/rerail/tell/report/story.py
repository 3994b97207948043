"""A journal gathered into what a page needs: series by signal, knobs over time, interventions, artifacts, notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rerail.tell import fields, words
from rerail.tell.latest import Latest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rerail.tell.fields import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One signal over the run: equally long lists, in journal order."""

    ticks: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Intervention:
    """Everything the journal says about one tick at which the guard saw something or acted."""

    tick: int
    step: int
    move: str = ""
    findings: list[Record] = field(default_factory=list)
    remedies: list[Record] = field(default_factory=list)
    did: Record = field(default_factory=dict)
    effects: list[Record] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A whole run.

    `knobs` holds (tick, knobs) at every reading, an empty mapping for neutral ones. `seconds` counts the time in which
    the run was alive, without the pauses between `sessions`. `end` is empty while the last session has none.
    """

    name: str
    series: Mapping[str, Series]
    knobs: list[tuple[int, Record]]
    interventions: list[Intervention]
    artifacts: list[Record]
    remarks: list[str]
    config: Record
    environment: Record
    end: Record
    began: float | None
    seconds: float
    sessions: int
    last_tick: int
    last_step: int | None


def gather(records: Iterable[Record], *, name: str) -> Story:
    """Read a journal once, from its first record to its last."""
    gathering = _Gathering()
    for record in records:
        gathering.take(record)
    return gathering.story(name)


class _Gathering:
    """The lists that grow while a journal is read."""

    def __init__(self) -> None:
        self.latest = Latest()
        self.series: dict[str, Series] = {}
        self.knobs: dict[int, Record] = {}
        self.interventions: list[Intervention] = []
        self.artifacts: list[Record] = []
        self.remarks: list[str] = []
        self.start: Record = {}
        self.end: Record = {}
        self.sessions, self.seconds = 0, 0.0
        self.began: float | None = None
        self._then: float | None = None
        self._by_tick: dict[int, Intervention] = {}

    def take(self, record: Record) -> None:
        """Take in one record of any kind; kinds that the page does not show only move the clock."""
        self.latest.update(record)
        starts = record.get("kind") == "note" and record.get("text") == "start"
        self._clock(fields.number(record.get("time")), starts=starts)
        taker = (
            getattr(self, f"_{fields.text(record, 'kind')}", None) if fields.text(record, "kind") in _KINDS else None
        )
        if taker is not None:
            taker(record, fields.whole(record, "tick"))

    def story(self, name: str) -> Story:
        """What was gathered."""
        return Story(
            name=name,
            series=self.series,
            knobs=sorted(self.knobs.items(), key=lambda pair: pair[0]),
            interventions=self.interventions,
            artifacts=sorted(self.artifacts, key=lambda record: fields.whole(record, "step")),
            remarks=self.remarks,
            config=fields.mapping(self.start, "config"),
            environment=fields.mapping(self.start, "environment"),
            end=self.end,
            began=self.began,
            seconds=self.seconds,
            sessions=self.sessions,
            last_tick=self.latest.tick,
            last_step=self.latest.step,
        )

    def _clock(self, now: float | None, *, starts: bool) -> None:
        if now is None:
            return
        if self.began is None:
            self.began = now
        elif self._then is not None and not starts:
            self.seconds += max(0.0, now - self._then)
        self._then = now

    def _reading(self, _: Record, tick: int) -> None:
        for name, value in self.latest.values.items():
            series = self.series.setdefault(name, Series())
            series.ticks.append(tick)
            series.steps.append(tick if self.latest.step is None else self.latest.step)
            series.values.append(value)
        self.knobs.setdefault(tick, {})

    def _verdict(self, record: Record, tick: int) -> None:
        self.knobs[tick] = fields.mapping(record, "knobs")
        findings, move = fields.mappings(record, "findings"), fields.text(record, "move")
        if findings or move != "COMMIT":
            self._by_tick.pop(tick, None)  # a resumed run may judge a tick again
            case = self._case(tick)
            case.findings, case.move = findings, move

    def _remedy(self, record: Record, tick: int) -> None:
        self._case(tick).remedies.append(record)

    def _outcome(self, record: Record, _: int) -> None:
        case, did = self._case(fields.whole(record, "of")), fields.mapping(record, "did")
        if did:
            case.did, case.step = did, fields.whole(did, "step_before")
        else:
            case.effects.append(record)

    def _artifact(self, record: Record, _: int) -> None:
        self.artifacts.append(record)

    def _note(self, record: Record, _: int) -> None:
        text, data = record.get("text"), fields.mapping(record, "data")
        if text == "start":
            self.start, self.end, self.sessions = data, {}, self.sessions + 1
        elif text == "end":
            self.end = data
        else:
            self.remarks.append(f"{self.latest.where()}: {words.say(record)}")

    def _case(self, tick: int) -> Intervention:
        if tick not in self._by_tick:
            self._by_tick[tick] = Intervention(tick=tick, step=self.latest.step or 0)
            self.interventions.append(self._by_tick[tick])
        return self._by_tick[tick]


_KINDS = frozenset({"reading", "verdict", "remedy", "outcome", "artifact", "note"})
