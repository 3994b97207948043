"""A journal gathered into what is told of it: series by signal, knobs over time, interventions, artifacts, notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rerail.tell import fields, journal, words
from rerail.tell.clock import Clock
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
    """Everything the journal says about one tick at which the guard saw something or acted.

    `trials` and `cause` are the proof, empty where nothing was replayed; `advice` is what a person could change, and
    later whether it was seen to help; `evidence` is the folder that a halt left.
    """

    tick: int
    step: int
    move: str = ""
    findings: list[Record] = field(default_factory=list)
    remedies: list[Record] = field(default_factory=list)
    trials: list[Record] = field(default_factory=list)
    cause: Record = field(default_factory=dict)
    did: Record = field(default_factory=dict)
    effects: list[Record] = field(default_factory=list)
    advice: list[Record] = field(default_factory=list)
    evidence: str = ""

    @property
    def proved(self) -> Record:
        """The remedy that a replay has shown to work; empty where the plan's ladders answered."""
        return next((one for one in reversed(self.remedies) if one.get("proved") is True), {})

    @property
    def adopted(self) -> list[Record]:
        """The remedies that were taken: the proved one, else those of the ladders."""
        return [self.proved] if self.proved else self.remedies

    @property
    def moved(self) -> str:
        """What was really done, else what was decided."""
        return fields.text(self.did, "move") or fields.text(self.proved, "move") or self.move or "COMMIT"

    @property
    def recovered(self) -> bool | None:
        """Whether the last word on it is that the run recovered; None while there is no such word."""
        said = self.effects[-1].get("recovered", False) if self.effects else None
        return None if said is None else said is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A sample that was put in quarantine."""

    sample: str
    tick: int
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A whole run.

    `knobs` holds (tick, knobs) at every reading, an empty mapping for neutral ones. `seconds` counts the time in which
    the run was alive (see `Clock`), in so many `sessions`. `end` is empty while the last session has none; it has an
    `error` where an exception ended the run.
    """

    name: str
    series: Mapping[str, Series]
    knobs: list[tuple[int, Record]]
    interventions: list[Intervention]
    quarantined: list[Kept]
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
        self.latest, self.clock = Latest(), Clock()
        self.series: dict[str, Series] = {}
        self.knobs: dict[int, Record] = {}
        self.interventions: list[Intervention] = []
        self.quarantined: list[Kept] = []
        self.artifacts: list[Record] = []
        self.remarks: list[str] = []
        self.start: Record = {}
        self.end: Record = {}
        self.sessions = 0
        self._by_tick: dict[int, Intervention] = {}

    def take(self, record: Record) -> None:
        """Take in one record of any kind; kinds that the page does not show only move the clock."""
        self.latest.update(record)
        self.clock.update(record)
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
            quarantined=self.quarantined,
            artifacts=sorted(self.artifacts, key=lambda record: fields.whole(record, "step")),
            remarks=self.remarks,
            config=fields.mapping(self.start, "config"),
            environment=fields.mapping(self.start, "environment"),
            end=self.end,
            began=self.clock.began,
            seconds=self.clock.seconds,
            sessions=self.sessions,
            last_tick=self.latest.tick,
            last_step=self.latest.step,
        )

    def _reading(self, _: Record, tick: int) -> None:
        step = tick if self.latest.step is None else self.latest.step
        for name, value in self.latest.values.items():
            if (series := self.series.get(name)) is None:  # one is made for each signal, not for each value
                series = self.series[name] = Series()
            series.ticks.append(tick)
            series.steps.append(step)
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

    def _trial(self, record: Record, tick: int) -> None:
        self._case(tick).trials.append(record)

    def _cause(self, record: Record, tick: int) -> None:
        self._case(tick).cause = record

    def _outcome(self, record: Record, _: int) -> None:
        case, did = self._case(fields.whole(record, "of")), fields.mapping(record, "did")
        if did:
            case.did, case.step = did, fields.whole(did, "step_before")
        else:
            case.effects.append(record)

    def _advice(self, record: Record, tick: int) -> None:
        self._case(fields.whole(record, "of") if "seen" in record else tick).advice.append(record)

    def _artifact(self, record: Record, _: int) -> None:
        self.artifacts.append(record)

    def _note(self, record: Record, tick: int) -> None:
        text, data = record.get("text"), fields.mapping(record, "data")
        if text in journal.BEGINS:
            self.start, self.end, self.sessions = data, {}, self.sessions + 1
            if text == journal.RESUME:
                self._remark(record, tick)
        elif text == "end":
            self.end = data
        elif text == "quarantined":
            step = self.latest.step or 0
            named = [fields.plain(one) for one in fields.sequence(data, "ids")]
            self.quarantined += [Kept(sample=one, tick=tick, step=step) for one in named]
        else:
            self.end = data if text == "broke off" else self.end
            freed = {fields.plain(one) for one in fields.sequence(data, "ids")} if text == journal.RELEASED else set()
            self.quarantined = [kept for kept in self.quarantined if kept.sample not in freed]
            self._remark(record, tick)

    def _remark(self, record: Record, tick: int) -> None:
        self.remarks.append(f"{self.latest.where()}: {words.say(record)}")
        if record.get("text") == "evidence kept" and tick in self._by_tick:
            self._by_tick[tick].evidence = fields.text(fields.mapping(record, "data"), "path")

    def _case(self, tick: int) -> Intervention:
        if tick not in self._by_tick:
            self._by_tick[tick] = Intervention(tick=tick, step=self.latest.step or 0)
            self.interventions.append(self._by_tick[tick])
        return self._by_tick[tick]


_KINDS = frozenset({"reading", "verdict", "trial", "cause", "remedy", "outcome", "advice", "artifact", "note"})
