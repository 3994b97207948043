"""What people ask of a run that trains in another process: a small file in its folder, read between two steps.

Whoever may ask was judged before (an allowed chat, a token); this is only the way from one process to the other.
"""

from __future__ import annotations

import json
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from rerail.tell import fields

NAME = "request.json"
Wish = Literal["pause", "resume", "stop"]
WISHES: tuple[Wish, ...] = get_args(Wish)
_LARGEST = 4096  # bytes of a wish; what is larger was written by other hands


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A wish, who has it (`telegram`, `page`), and when it came, in Unix seconds."""

    wish: Wish
    by: str
    time: float


def ask(run: Path, wish: str, by: str) -> Request:
    """Leave a wish in the run's folder, in place of an older one, whole or not at all.

    Raises:
        ValueError: for a wish that there is not.
    """
    if wish not in WISHES:
        raise ValueError(f"a run can be asked to {', '.join(WISHES)}; got {wish!r}; give one of these")
    request = Request(wish=wish, by=by, time=round(time.time(), 3))
    draft = run / f".{NAME}.{os.getpid()}"
    draft.write_text(json.dumps({"wish": request.wish, "by": request.by, "time": request.time}), encoding="utf8")
    draft.replace(run / NAME)
    return request


class Inbox:
    """Reads the wishes for one run; asking costs one look at a file's time."""

    def __init__(self, run: Path | None) -> None:
        self._path = None if run is None else run / NAME
        self._seen = self._stamp()  # what was asked of a run before this one began is not meant for it

    def take(self) -> Request | None:
        """Return a wish that came since the last look; None without."""
        stamp = self._stamp()
        if stamp == self._seen or self._path is None:
            return None
        self._seen = stamp
        return _parse(self._path)

    def _stamp(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_ino) if stat.S_ISREG(found.st_mode) else None  # a pipe would block the run


def _parse(path: Path) -> Request | None:
    try:
        with path.open("rb") as file:
            given = json.loads(file.read(_LARGEST).decode())
        wish, by = given["wish"], fields.plain(given["by"], 80)
        return Request(wish=wish, by=by, time=float(given["time"])) if wish in WISHES else None
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None  # gone again, or written by other hands: nobody asked
