"""What one check has found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. `passed` is None where it does not apply; `told` says why, or what was seen, in words.

    `seen` are the numbers behind it, and `do` is what to do about it, where there is something to do.
    """

    name: str
    passed: bool | None
    told: str
    do: str = ""
    seen: Mapping[str, float] = field(default_factory=dict)


def found(name: str, told: str, **seen: float) -> Check:
    """Return a check that passed."""
    return Check(name=name, passed=True, told=told, seen=seen)


def failed(name: str, told: str, do: str, **seen: float) -> Check:
    """Return a check that failed."""
    return Check(name=name, passed=False, told=told, do=do, seen=seen)


def skipped(name: str, why: str, **seen: float) -> Check:
    """Return a check that does not apply, with the reason."""
    return Check(name=name, passed=None, told=why, seen=seen)


def absent(name: str, why: str, do: str) -> Check:
    """Return a check that could not be made, or need not be, and what changes that."""
    return Check(name=name, passed=None, told=why, do=do)


def some(names: list[str], most: int = 3) -> str:
    """Name the first few of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
