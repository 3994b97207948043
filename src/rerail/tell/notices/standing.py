"""How a run stands, as its journal tells it so far: figures, speed, forecast, and when progress is due."""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import PurePosixPath
from statistics import fmean, median
from typing import TYPE_CHECKING

from rerail.tell import advised, fields, phrases
from rerail.tell.journal import BEGINS
from rerail.tell.latest import Latest
from rerail.tell.notices import values

if TYPE_CHECKING:
    from rerail.tell.fields import Record

_RECENT = 20  # committed steps that a loss is the median of
_PACE = 200  # attempts that the speed is measured over
_FAR = 10 * 365 * 86_400  # seconds; a forecast beyond is none
ENDS = ("end", "broke off")
_READ = ("alignment", "attention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often progress is told: after so many optimizer steps (0: never), and at most once in so many minutes."""

    every_steps: int = 100
    every_minutes: float = 10.0

    def __post_init__(self) -> None:
        if self.every_steps < 0 or not 0 <= self.every_minutes < math.inf:
            given = f"every_steps {self.every_steps}, every_minutes {self.every_minutes}"
            raise ValueError(f"progress is told every so many steps and minutes; got {given}; give 0 or more of each")


class Standing:
    """Follows a journal record by record."""

    def __init__(self, cadence: Cadence) -> None:
        self.latest = Latest()
        self._saved: list[int] = []
        self.stage = ""
        self._cadence = cadence
        self._steps: int | None = None
        self._losses: deque[dict[str, float]] = deque(maxlen=_RECENT)
        self._times: deque[float] = deque(maxlen=_PACE)
        self._attempt: dict[str, float] = {}
        self._advice: Record = {}
        self._advised_anew = False
        self._pictures: dict[bool, str] = {}
        self._deeds: Counter[str] = Counter()
        self._told_step = 0
        self._told_at: float | None = None
        self._told_losses: dict[str, float] = {}

    def take(self, record: Record) -> None:
        """Take one record."""
        before = self.latest.step
        self.latest.update(record)
        taker = {
            "reading": self._reading,
            "outcome": self._outcome,
            "advice": self._advised,
            "artifact": self._artifact,
            "snapshot": self._snapshot,
            "note": self._note,
        }.get(fields.text(record, "kind"))
        if taker is not None:
            taker(record, before)

    @property
    def step(self) -> int:
        """Committed optimizer steps."""
        return self.latest.step or 0

    @property
    def saved(self) -> str:
        """The step of the newest checkpoint; empty without one."""
        return str(max(self._saved)) if self._saved else ""

    @property
    def pictures(self) -> tuple[str, ...]:
        """The newest alignment, else the newest picture."""
        newest = self._pictures.get(True) or self._pictures.get(False)
        return (newest,) if newest else ()

    def losses(self) -> dict[str, float]:
        """The median of each unweighted loss over the last committed steps; of what is never finite, what it is."""
        names = sorted({name for one in self._losses for name in one})
        return {name: _middle([one[name] for one in self._losses if name in one]) for name in names}

    def due(self, now: float) -> bool:
        """Whether progress is due: enough steps past the furthest one that was told of, and enough time.

        A step that is met again after a rewind has been told of.
        """
        every = self._cadence.every_steps
        if not every or self.step - self._told_step < every:
            return False
        return self._told_at is None or now - self._told_at >= 60 * self._cadence.every_minutes

    def told(self, now: float) -> None:
        """Begin the next stretch of progress."""
        self._told_step, self._told_at, self._told_losses = self.step, now, self.losses()
        self._deeds.clear()
        self._advised_anew = False

    def values(self, now: float, *, again: bool = False) -> dict[str, str]:
        """What a progress notice is filled with; advice that was told before only where it is asked for `again`."""
        deeds = {deed: str(self._deeds[deed] or "") for deed in ("SKIP", "REWIND", "HALT", "recovered", "not")}
        seconds = self._forecast()
        return {
            "step": str(self.step),
            "of": values.whole(self._steps),
            "share": f"{100 * self.step / self._steps:.0f}" if self._steps else "",
            "losses": "" if self._told_losses else values.figures(self.losses()),
            "compared": self._compared() if self._told_losses else "",
            "held_out": values.held_out(self.latest.held_out),
            "stage": self.stage,
            "knobs": phrases.knobs(self.latest.knobs),
            "turned": "yes" if phrases.knobs(self.latest.knobs) else "no",
            "speed": fields.figure(median(self._times)) if self._times else "",
            "advice": advised.advice(self._advice) if self._advice and (again or self._advised_anew) else "",
            "left": "" if seconds is None else values.duration(seconds),
            "ends": "" if seconds is None else values.moment(now + seconds),
            "since": str(self._told_step),
            "skipped": deeds["SKIP"],
            "rewound": deeds["REWIND"],
            "recovered": deeds["recovered"],
            "not_recovered": deeds["not"],
            "calm": "" if any(deeds.values()) else "yes",
        }

    def _compared(self) -> str:
        then = {name: f" ({fields.figure(value)})" for name, value in self._told_losses.items()}
        shown = [
            f"{fields.plain(name, 60)} {fields.figure(now)}{then.get(name, '')}" for name, now in self.losses().items()
        ]
        return values.listed(shown)

    def _forecast(self) -> float | None:
        """Seconds to the end at the recent pace, evaluations included; None where no end or no pace is known."""
        left = (self._steps or 0) - self.step
        if left <= 0 or not self._times:
            return None
        seconds = left * fmean(self._times)
        return seconds if seconds < _FAR else None

    def _reading(self, record: Record, before: int | None) -> None:
        if before is not None and self.step > before:  # what was read last has been committed
            self._losses.append(values.losses(self._attempt))
        self._attempt = self.latest.values
        seconds = fields.numbers(record, "values").get("time/step", math.nan)
        if math.isfinite(seconds) and seconds >= 0:
            self._times.append(seconds)

    def _outcome(self, record: Record, _: int | None) -> None:
        did = fields.mapping(record, "did")
        if did:
            self._deeds[fields.text(did, "move")] += 1
            if did.get("move") == "REWIND":  # what was saved later is given up with the state
                self._saved = [step for step in self._saved if step <= fields.whole(did, "step_after")]
        elif record.get("recovered") is not None:
            self._deeds["recovered" if record.get("recovered") is True else "not"] += 1

    def _advised(self, record: Record, _: int | None) -> None:
        if "seen" not in record:
            self._advice, self._advised_anew = record, True

    def _artifact(self, record: Record, _: int | None) -> None:
        path = fields.text(record, "path")
        inside = bool(path) and not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts
        if record.get("media") == "image/png" and inside:  # a journal names files of its own folder alone
            name = fields.text(record, "name").lower()
            self._pictures[any(word in name for word in _READ)] = path

    def _snapshot(self, record: Record, _: int | None) -> None:
        if record.get("event") == "saved":
            self._saved.append(fields.whole(record, "step"))

    def _note(self, record: Record, _: int | None) -> None:
        data = fields.mapping(record, "data")
        if record.get("text") in ENDS and "step" in data:  # a reading has the step that it began at
            self.latest.step = fields.whole(data, "step")
        if record.get("text") not in BEGINS:
            return
        self.latest.step = fields.whole(data, "step")
        if self.step < self._told_step:  # what was told of last lies ahead again
            self._told_losses = {}
        self._steps = fields.whole(fields.mapping(data, "config"), "steps") or None
        self._told_step = self.step if self._told_at is None else min(self._told_step, self.step)
        self._losses.clear()
        self._times.clear()
        self._attempt = {}


def _middle(given: list[float]) -> float:
    finite = [value for value in given if math.isfinite(value)]
    return median(finite) if finite else given[-1]
