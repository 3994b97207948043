"""run.log: the journal as plain lines for `tail -f`. One record is one line at most, whatever its names hold."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, final

from rerail.tell import fields, phrases, words
from rerail.tell.latest import Latest

if TYPE_CHECKING:
    from types import TracebackType

    from rerail.tell.fields import Record


@final
class RunLog:
    """A listener that appends every event, and a line of readings every `every` ticks, to `path`.

    Lines reach the file as they are written, so that another process can follow them; a resumed run appends.
    """

    def __init__(self, path: str | Path, *, every: int = 20) -> None:
        if every < 1:
            raise ValueError(f"a reading line every N ticks needs N >= 1; got {every}; give 1 for a line each tick")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._file = Path(path).open("a", encoding="utf-8", buffering=1, newline="\n")  # noqa: SIM115 - open as long as the run
        self._every = every
        self._latest = Latest()

    def __call__(self, record: Record) -> None:
        """Take one journal record."""
        self._latest.update(record)
        sentence = self._sentence(record)
        if sentence:
            self._file.write(f"{_clock(record)}  {self._latest.where()}: {sentence}\n")

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sentence(self, record: Record) -> str | None:
        if record.get("kind") != "reading":
            return words.say(record)
        tick = fields.whole(record, "tick")
        if tick % self._every and tick > 1 and not _measured(self._latest.values):
            return None
        in_force = phrases.knobs(self._latest.knobs)
        return words.reading(self._latest.values) + (in_force and f"; in force: {in_force}")


def _measured(values: dict[str, float]) -> bool:
    """Held-out metrics are rare, so a reading that has some is always worth its line."""
    return any(name.startswith("eval/") for name in values)


def _clock(record: Record) -> str:
    """The record's own time on this machine's clock."""
    seconds = fields.number(record.get("time"))
    moment = datetime.fromtimestamp(seconds or 0.0, tz=timezone.utc).astimezone()
    return moment.isoformat(sep=" ", timespec="seconds")
