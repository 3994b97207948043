"""The course of a run: what is left of it after every rewind, each reading with its step, samples and time.

A step that was skipped, or taken back by a rewind, counts as it was run the last time; what lay behind a rewind and was
never reached again is no part of the course. Time is that in which the run was alive: training, evaluation, wasted
steps, but no pause, nor what lies between sessions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from rerail.tell import fields, journal, story
from rerail.tell.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping
    from pathlib import Path

    from rerail.tell.fields import Record
    from rerail.tell.story import Story

Axis = Literal["steps", "samples", "time"]
AXES: tuple[Axis, ...] = ("steps", "samples", "time")
SEEDS = ("seed", "random_state")
COMPARED = ("loss/", "eval/")
KNOB = "knob/loss/"  # what a component's weight was multiplied by


@dataclass(slots=True, kw_only=True)
class Point:
    """A step of the course: what was read before it, samples that were trained on before it (None where unknown)."""

    tick: int
    step: int
    seconds: float
    values: dict[str, float]
    samples: float | None = None

    def place(self, axis: Axis) -> float | None:
        """Where it lies on an axis; time in seconds."""
        return {"steps": float(self.step), "samples": self.samples, "time": self.seconds}[axis]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A reading as the journal has it; steps may fall."""

    tick: int
    step: int
    seconds: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a run was started, or resumed, with."""

    config: Record
    environment: Record
    step: int


@dataclass(frozen=True, kw_only=True)  # without slots: the course is made once and kept
class Course:
    """A run that is compared.

    `told` is its story without the readings, which are here; `aside` are the ids that it says it is measured on, None
    where it keeps none. `stood` keeps where it was found to stand, which every pair of groups asks anew.
    """

    name: str
    told: Story
    readings: list[Read]
    sessions: list[Session]
    aside: frozenset[str] | None = None
    stood: dict[Hashable, tuple[float, float] | None] = field(default_factory=dict, repr=False, compare=False)

    @property
    def config(self) -> Record:
        """The settings that it began with."""
        return self.sessions[0].config if self.sessions else {}

    @property
    def environment(self) -> Record:
        """Versions and devices that it began with."""
        return self.sessions[0].environment if self.sessions else {}

    @property
    def seed(self) -> str | None:
        """Its seed as text, None where its settings name none."""
        return next((fields.plain(self.config[name]) for name in SEEDS if name in self.config), None)

    @cached_property
    def points(self) -> list[Point]:
        """The steps that stand at the end, in order."""
        return _counted(_standing(self.readings), self.config)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every signal that was read along the course."""
        return frozenset[str]().union(*(point.values for point in self.points))

    @cached_property
    def turned(self) -> frozenset[str]:
        """The loss components whose weight the guard moved at any of its steps."""
        knobs = [name for name in self.names if name.startswith(KNOB)]
        moved = (name for name in knobs if any(point.values.get(name, 1.0) != 1 for point in self.points))
        return frozenset(name.removeprefix(KNOB) for name in moved)

    @cached_property
    def series(self) -> Mapping[str, list[tuple[Point, float]]]:
        """The compared signals along the course."""
        found: dict[str, list[tuple[Point, float]]] = {}
        for point in self.points:
            for name, value in point.values.items():
                if name.startswith(COMPARED):
                    found.setdefault(name, []).append((point, value))
        return found

    def end(self, axis: Axis) -> float | None:
        """Where the course ends on an axis."""
        return self.points[-1].place(axis) if self.points else None


@dataclass(slots=True)
class _Reader:
    """Keeps the readings, and follows the other records on their way to the story: times, settings of each session."""

    readings: list[Read] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)

    def follow(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            self.clock.update(record)
            if record.get("kind") == "note" and record.get("text") in journal.BEGINS:
                self._begin(fields.mapping(record, "data"))
            if record.get("kind") == "reading":
                self._read(record)
            else:
                yield record

    def _begin(self, data: Record) -> None:
        config, environment = fields.mapping(data, "config"), fields.mapping(data, "environment")
        self.sessions.append(Session(config=config, environment=environment, step=fields.whole(data, "step")))

    def _read(self, record: Record) -> None:
        tick, values = fields.whole(record, "tick"), fields.numbers(record, "values")
        step = fields.whole(values, "step") if "step" in values else tick
        self.readings.append(Read(tick=tick, step=step, seconds=self.clock.seconds, values=values))


def read(folder: Path, name: str, aside: frozenset[str] | None = None) -> Course:
    """Read a run's journal once.

    Raises:
        ValueError: where the folder holds none, or one of a newer format.
    """
    reader = _Reader()
    told = story.gather(reader.follow(journal.read(folder)), name=name)
    return Course(name=fields.plain(name), told=told, readings=reader.readings, sessions=reader.sessions, aside=aside)


def _standing(readings: Iterable[Read]) -> list[Point]:
    points: list[Point] = []
    for one in readings:
        while points and points[-1].step > one.step:
            points.pop()
        known = points.pop().values if points and points[-1].step == one.step else {}
        points.append(Point(tick=one.tick, step=one.step, seconds=one.seconds, values={**known, **one.values}))
    return points


def _counted(points: list[Point], config: Record) -> list[Point]:
    """Fill in the samples; rows a step are read now and then, and hold until they are read again."""
    size, times = (
        fields.whole(config, "batch_size"),
        fields.whole(config, "accumulate") if "accumulate" in config else 1,
    )
    first = next((point.values["batch/rows"] for point in points if "batch/rows" in point.values), None)
    rows = first if first is not None else float(size * times) or None
    seen, step = 0.0, points[0].step if points else 0
    for point in points:
        seen, step = seen + (rows or 0.0) * (point.step - step), point.step
        rows = point.values.get("batch/rows", rows)
        point.samples = None if rows is None else seen
    return points
