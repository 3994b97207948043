"""Samples that are kept out of training, with the reason: one JSON line each in `quarantine.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path


class Quarantine:
    """The quarantined sample ids of one run; `path=None` keeps them in memory only."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.ids: set[str] = set()
        if path is not None and path.exists():
            self.ids = {json.loads(line)["id"] for line in path.read_text(encoding="utf8").splitlines() if line}

    def add(self, ids: Iterable[str], *, tick: int, reason: str) -> list[str]:
        """Put samples in quarantine; return those that were not there yet."""
        new = sorted(set(ids) - self.ids)
        self.ids |= set(new)
        if new and self.path is not None:
            with self.path.open("a", encoding="utf8") as file:
                file.writelines(json.dumps({"id": one, "tick": tick, "reason": reason}) + "\n" for one in new)
        return new
