"""Who is told how far a long piece of work is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]  # told (done, of how many)
Named = Callable[[str, int, int], None]  # told (what, done, of how many)
