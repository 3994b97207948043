"""One run, followed: its journal is read once, then what is new, and whoever asks again is told only that."""

from __future__ import annotations

import math
import re
import secrets
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rerail.tell import explain, fields, phrases, story
from rerail.tell.live.state import State
from rerail.tell.live.trend import Trend
from rerail.tell.report import interventions
from rerail.tell.tail import Tail, near_end

if TYPE_CHECKING:
    from rerail.tell.fields import Record

GLANCE = 2**18  # bytes at the end of a journal that say where a run stands
CASES = 2000  # records of interventions that are kept, the newest; the report has all
ARTIFACTS = 200  # the newest ones that can be seen
_ROWS = 100  # interventions in one answer
_NEWEST = 6  # pictures and sounds in one answer, one a name
_TOLD_OF = frozenset({"verdict", "remedy", "trial", "cause", "outcome", "advice"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture or sound that the journal names; `number` is how it is asked for."""

    number: int
    name: str
    caption: str
    step: int
    path: str
    media: str


class Glance:
    """Where one run stands, from both ends of its journal: as quick for a long run as for a short one."""

    def __init__(self, folder: Path) -> None:
        self._tail, self.state = Tail(folder), State()

    def advance(self) -> State:
        """Read what is new; what lies further back than a glance reaches is passed over.

        Raises:
            ValueError: for a journal of a newer format.
        """
        if not self.state.records:
            for record in islice(self._tail.poll(), 1):  # it has the settings
                self.state.take(record)
        self._tail.place = max(self._tail.place, near_end(self._tail.folder, GLANCE))
        for record in self._tail.poll():
            self.state.take(record)
        if self._tail.replaced:
            self._tail.replaced, self.state = 0, State()
            return self.advance()
        return self.state


class Follow:
    """Follows one run for those who look at it. Several threads may ask."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tail, self._busy = Tail(folder), threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._epoch = secrets.token_hex(4)
        self.state, self.trend = State(), Trend()
        self._cases: deque[Record] = deque(maxlen=CASES)
        self._cases_changed = 0
        self._artifacts: deque[Shown] = deque(maxlen=ARTIFACTS)
        self._shown = 0

    def advance(self, seconds: float) -> bool:
        """Read what is new, for about so many seconds at most; say whether that was all.

        Raises:
            ValueError: for a journal of a newer format.
        """
        with self._busy:
            until = time.monotonic() + seconds
            for record in self._tail.poll():
                self._take(record)
                if time.monotonic() > until:
                    return False
            if self._tail.replaced:
                self._tail.replaced = 0
                self._begin()
                return False
            return True

    def since(self, cursor: str, now: float) -> dict[str, Any]:
        """What is new since `cursor`, which an earlier answer gave; all there is where it tells of another past.

        `whole` says that what was told before is void.
        """
        with self._busy:
            epoch = f"{self._epoch}.{self.trend.stride}"
            number = _number(cursor, epoch)
            known = max(number, 0)
            answer: dict[str, Any] = {
                "cursor": f"{epoch}.{self.state.records}",
                "whole": number < 0,
                "state": summary(self.state, now),
                "signals": self.trend.since(known),
                "stride": self.trend.stride,
                "left_out": len(self.trend.left_out),
                "events": [asdict(event) for event in self.state.events if event.number > known],
            }
            if number < self._cases_changed or number < 0:
                answer["interventions"] = self._rows()
            answer["artifacts"] = [asdict(one) | {"path": fields.plain(one.path)} for one in self._newest()]
            return answer

    def explained(self, tick: int) -> str:
        """The intervention of a tick, told in full.

        Raises:
            ValueError: where there is none.
        """
        with self._busy:
            return explain.explain(self._told(), tick)

    def artifact(self, number: int) -> Shown | None:
        """A picture or sound by its number; None where it is not among the newest."""
        with self._busy:
            return next((one for one in self._artifacts if one.number == number), None)

    def _take(self, record: Record) -> None:
        self.state.take(record)
        kind, latest = fields.text(record, "kind"), self.state.latest
        if kind == "reading":
            self.trend.add(self.state.records, latest.tick, latest.values)
        elif kind == "artifact":
            self._show(record)
        elif kind in _TOLD_OF and not _plain(record):
            self._keep(record)

    def _keep(self, record: Record) -> None:
        if record.get("kind") == "verdict":  # where the run stood, which its readings tell, and they are not kept
            values = {"step": self.state.latest.step or 0}
            self._cases.append({"kind": "reading", "tick": fields.whole(record, "tick"), "values": values})
        self._cases.append(record)
        self._cases_changed = self.state.records

    def _show(self, record: Record) -> None:
        self._shown += 1
        self._artifacts.append(
            Shown(
                number=self._shown,
                name=fields.text(record, "name", "unnamed"),
                caption=fields.text(record, "caption"),
                step=fields.whole(record, "step"),
                path=str(record.get("path", "")),
                media=fields.text(record, "media"),
            )
        )

    def _told(self) -> story.Story:
        return story.gather(self._cases, name=fields.plain(self.folder.name))

    def _rows(self) -> list[dict[str, Any]]:
        return [asdict(row) for row in interventions.rows(self._told().interventions[-_ROWS:])]

    def _newest(self) -> list[Shown]:
        """The newest of each name."""
        found: dict[str, Shown] = {}
        for one in reversed(self._artifacts):
            found.setdefault(one.name, one)
        return list(found.values())[:_NEWEST]


def summary(state: State, now: float) -> dict[str, Any]:
    """The state of a run in a few figures, as text where people read it."""
    return {
        "word": state.word(now),
        "told": state.told(now),
        "tick": state.latest.tick,
        "step": state.latest.step,
        "total": state.total,
        "figures": _figures(state.losses, 8),
        "held_out": _figures(state.latest.held_out, 12),
        "knobs": phrases.knobs(state.latest.knobs),
        "spark": [value if math.isfinite(value) else None for value in state.spark],
        "event": state.events[-1].text if state.events else "",
        "silence": state.silence(now),
    }


def _figures(values: dict[str, float], most: int) -> list[tuple[str, str]]:
    """Names and figures as text, the first ones."""
    return [(fields.plain(name, 80), fields.figure(value)) for name, value in islice(values.items(), most)]


def _number(cursor: str, epoch: str) -> int:
    past, _, number = cursor.rpartition(".")
    return int(number) if past == epoch and re.fullmatch("[0-9]{1,15}", number) else -1


def _plain(record: Record) -> bool:
    return record.get("kind") == "verdict" and record.get("move") == "COMMIT" and not record.get("findings")
