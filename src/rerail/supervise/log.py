"""What the supervisor itself does: a journal of its own in RUN/notify, and plain lines. Neither holds a secret."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rerail.core import plain
from rerail.tell import fields, secrets
from rerail.tell.journal import Journal

FOLDER = "notify"  # of the run
_LONGEST = 2000  # symbols of one text: a traceback ends with what is wrong


class Log:
    """Writes notes. It never raises: where the disk is full, the journal counts what is lost."""

    def __init__(self, run: Path) -> None:
        self._journal = Journal(run / FOLDER)
        self.tick = 0

    def note(self, text: str, **data: object) -> None:
        """Write a note, and a line of it."""
        told = _redacted(plain.dump(data))
        self._journal.write("note", self.tick, text=text, data=told)
        shown = ", ".join(
            f"{name} {fields.plain(value)}" for name, value in told.items() if value not in ("", [], None)
        )
        _line(f"{text}: {shown}" if shown else text)

    def close(self) -> None:
        """Close the file."""
        self._journal.close()


def _line(text: str) -> None:
    out = sys.stdout
    try:
        out.write(fields.writable(f"notify: {text}\n", out.encoding or "utf8"))
        out.flush()
    except OSError:  # the terminal is closed, or the disk is full: the journal has it
        return


def _redacted(value: Any) -> Any:  # noqa: ANN401 (plain data)
    if isinstance(value, str):
        return fields.plain(secrets.redacted(value), _LONGEST)
    if isinstance(value, dict):
        return {name: _redacted(item) for name, item in value.items()}
    return [_redacted(item) for item in value] if isinstance(value, list) else value
