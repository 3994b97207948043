"""A detector's belief, with the numbers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is believed, mostly that something is wrong.

    A dotted code (`loss.spike`), the signal it speaks of, and its evidence.
    """

    code: str
    signal: str
    evidence: Mapping[str, float] = field(default_factory=dict)
