"""Something that people should be told of a run, before it is put into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Level(IntEnum):
    """How much it matters; the greater goes first, and the least may be left out."""

    PROGRESS = 0
    SUCCESS = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell.

    `code` names its text in the catalogue (`nonfinite`, `halt`, `progress`), `values` fill that text, as plain text.
    `topic` is what repeats share (`nonfinite:loss/mel`): they are merged. `id` is the same whenever the same journal is
    read again, so that it is told once. `pictures` are files, as paths in the run's folder. `time` is in Unix seconds.
    """

    level: Level
    code: str
    topic: str
    id: str
    time: float
    tick: int
    step: int
    values: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()
