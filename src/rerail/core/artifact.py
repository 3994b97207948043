"""Things to look at or listen to, as plain data: a task makes them, the teller draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A matrix to draw: `values[y][x]`, with the names of its axes."""

    values: Sequence[Sequence[float]]
    x: str
    y: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A WAV file's bytes."""

    wav: bytes
    caption: str
