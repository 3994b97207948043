"""One recording and what is said in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A recording with its transcript. `language` is a code such as `en`."""

    id: str
    path: Path
    text: str
    speaker: str = ""
    language: str = ""
