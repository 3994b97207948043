"""One error for everything that is wrong with a corpus."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 20


def listed(place: str, problems: Sequence[str]) -> str:
    """Return one message: the place, how many problems, and the first of them."""
    lines = [f"{place}: {len(problems)} problem(s)", *problems[:MOST]]
    if len(problems) > MOST:
        lines.append(f"and {len(problems) - MOST} more")
    return "\n  ".join(lines)
