"""The runs that are served: found anew every few seconds, each read once however many look at it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rerail.tell.live.follow import Follow, Glance, summary
from rerail.tell.live.runs import Found, find

MOST = 200  # runs in one answer, the newest
_LOOK_SECONDS = 2.0  # between two searches for runs
_READ_SECONDS = 0.4  # of reading an old journal, for one answer
_FOLLOWED = 8  # runs whose curves are kept, those that were looked at last


class Watched:
    """All runs below a folder. `clock` gives Unix seconds."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.folder, self._clock = folder, clock
        self._busy = threading.Lock()
        self._looked: float | None = None
        self._found: dict[str, Found] = {}
        self._glances: dict[str, Glance] = {}
        self._followed: OrderedDict[str, Follow] = OrderedDict()

    def found(self, key: str) -> Found | None:
        """The run of this key; None where there is none, any more or yet."""
        with self._busy:
            return self._look().get(key)

    def follow(self, key: str) -> Follow | None:
        """The run of this key, with its past; None where there is none."""
        with self._busy:
            found = self._look().get(key)
            if found is None:
                return None
            run = self._followed.pop(key, None) or Follow(found.folder)
            self._followed[key] = run
            if len(self._followed) > _FOLLOWED:
                self._followed.popitem(last=False)
            return run

    def answer(self, key: str, cursor: str) -> dict[str, Any] | None:
        """What is new of one run since `cursor`; `read` is false while older records are still being read."""
        found, run = self.found(key), self.follow(key)
        if run is None or found is None:
            return None
        read = run.advance(_READ_SECONDS)
        return {"name": found.name, "read": read, **run.since(cursor, self._clock())}

    def listed(self) -> dict[str, Any]:
        """All runs, the newest first."""
        with self._busy:
            found = list(self._look().values())
            rows = [self._row(one) for one in found[:MOST]]
        return {"runs": rows, "left_out": len(found) - len(rows)}

    def _row(self, found: Found) -> dict[str, Any]:
        named = {"key": found.key, "name": found.name}
        try:
            state = self._glances.setdefault(found.key, Glance(found.folder)).advance()
        except (OSError, ValueError) as error:
            return named | {"problem": readable(error)}
        return named | summary(state, self._clock())

    def _look(self) -> dict[str, Found]:
        now = time.monotonic()
        if self._looked is None or now - self._looked > _LOOK_SECONDS:
            self._found = {one.key: one for one in find(self.folder)}
            for kept in (self._glances, self._followed):
                for gone in kept.keys() - self._found.keys():
                    del kept[gone]
            self._looked = now
        return self._found


def readable(error: OSError | ValueError) -> str:
    """What went wrong, without where on this machine."""
    return f"it cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
