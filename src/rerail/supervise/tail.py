"""A journal that is being written, read as it grows: over rotations, torn lines, and a file that is not there yet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from rerail.tell import journal

MOST_BYTES = 4 * 2**20  # of one read, so that a long journal is no long silence


class Place(NamedTuple):
    """How far a journal was read: the files that were full before this one, and the bytes of this one."""

    files: int = 0
    offset: int = 0


class Tail:
    """Reads the records of a run that are new since the last look. `place` is where it stands."""

    def __init__(self, run: Path, place: Place = Place()) -> None:  # noqa: B008 (immutable)
        self._run, self.place = run, place

    def read(self) -> list[dict[str, Any]]:
        """Return whole new records, oldest first; none where there are none yet. A torn line comes as a note.

        Raises:
            ValueError: for a journal of a newer format.
        """
        lines, whole = self._lines()
        self.place = Place(self.place.files, self.place.offset + sum(map(len, lines)))
        if not lines and whole:  # a full file is read to its end
            self.place = Place(self.place.files + 1)
            return self.read()
        return [_record(line) for line in lines if line.strip()]

    def _lines(self) -> tuple[list[bytes], bool]:
        """Return the lines that end, and whether this file is full and will not grow."""
        while True:
            full = self._full()
            path = full[self.place.files] if self.place.files < len(full) else self._run / journal.NAME
            try:
                with path.open("rb") as file:
                    if len(self._full()) != len(full):  # renamed between the two looks: which file it is is unknown
                        continue
                    file.seek(self.place.offset)
                    found = file.read(MOST_BYTES)
                    if not found.endswith(b"\n") and len(found) == MOST_BYTES:
                        found += file.readline()
            except FileNotFoundError:
                return [], False
            whole = path.name != journal.NAME
            end = len(found) if whole else found.rfind(b"\n") + 1
            return found[:end].splitlines(keepends=True), whole

    def _full(self) -> list[Path]:
        return sorted(self._run.glob("journal-*.jsonl"))


def _record(line: bytes) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(line)
        version = int(record["v"])
    except (ValueError, KeyError, TypeError):
        return {"v": journal.VERSION, "kind": "note", "tick": 0, "time": 0.0, "text": "torn line", "data": {}}
    if version > journal.VERSION:
        raise ValueError(f"the journal has format {version}, this rerail reads up to {journal.VERSION}; update rerail")
    return record
