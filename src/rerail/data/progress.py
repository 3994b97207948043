"""Who is told how far a long piece of work is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

Progress = Callable[[int, int], None]  # told (done, of how many)
Named = Callable[[str, int, int], None]  # told (what, done, of how many)


def of(name: str, progress: Named | None) -> Progress | None:
    """Return who is told of one part of the work, by its name; nobody where nobody is told."""
    return partial(progress, name) if progress else None
