"""What a person asked to see of a comparison, and whether the runs can show it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from rerail.tell import fields
from rerail.tell.compare.course import AXES
from rerail.tell.compare.levels import At

if TYPE_CHECKING:
    from rerail.tell.compare.course import Course


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Places to compare at, values to reach by signal, patterns of signals; what is empty is chosen by the runs."""

    at: Sequence[At] = ()
    reach: Mapping[str, float] = field(default_factory=dict)
    only: Sequence[str] = ()

    def shows(self, signal: str) -> bool:
        """Say whether a signal is to be shown."""
        return not self.only or any(fnmatchcase(signal, one) for one in self.only)


def parsed(at: Sequence[str], reach: Sequence[str], only: Sequence[str]) -> tuple[Asked, list[str]]:
    """Read `steps=1000` and `eval/mel=0.8`; return what is asked for, and what is wrong: what, got, do."""
    wrong, places, values = [], [], {}
    for one in at:
        name, number = _number(one)
        axis = next((axis for axis in AXES if axis == name), None)
        if axis is None or number is None or number <= 0:
            wrong.append(f"--at: got {fields.plain(one)}; give {', '.join(AXES)} with a number, as steps=1000")
        else:
            places.append(At(axis=axis, place=number))
    for one in reach:
        name, number = _number(one)
        if number is None or not name:
            wrong.append(f"--reach: got {fields.plain(one)}; give a signal with a number, as eval/mel=0.8")
        else:
            values[name] = number
    return Asked(at=places, reach=values, only=tuple(only)), wrong


def refuse(asked: Asked, runs: Sequence[Course]) -> None:
    """Refuse what these runs cannot show.

    Raises:
        ValueError: naming all of it.
    """
    known = sorted({name for run in runs for name in run.series})
    wrong = [_unknown(name, known) for name in asked.reach if name not in known]
    wrong += [_unknown(one, known) for one in asked.only if not any(fnmatchcase(name, one) for name in known)]
    wrong += [problem for at in asked.at if (problem := _short(at, runs))]
    if wrong:
        raise ValueError("\n  ".join([f"{len(wrong)} thing(s) that these runs cannot show", *wrong]))


def _number(given: str) -> tuple[str, float | None]:
    name, _, text = given.rpartition("=")
    try:
        number = float(text)
    except ValueError:
        return name, None
    return name, number if math.isfinite(number) else None


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {fields.plain(near[0])}?" if near else f"they have: {fields.listed(known, 20)}"
    return f"no run has read {fields.plain(name)}; {hint}"


def _short(at: At, runs: Sequence[Course]) -> str:
    ends = {run.name: run.end(at.axis) for run in runs}
    short = [
        f"{name} {'does not tell its own' if end is None else f'ends at {end:g}'}"
        for name, end in ends.items()
        if end is None or end < at.place
    ]
    return f"{at.axis}={at.place:g}: {fields.listed(short, 6)}; give what all of them reached" if short else ""
