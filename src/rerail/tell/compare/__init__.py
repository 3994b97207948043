"""Runs compared like with like: what differs, where they stand at equal cost, and what must not be compared.

Everything comes from the runs' journals, and from the ids of held-out samples that whoever calls may have read beside
them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from rerail.tell import fields, journal
from rerail.tell.compare import course, data, groups, levels, meaning, parting, reach, remarks
from rerail.tell.compare.asked import Asked, refuse
from rerail.tell.compare.course import AXES, Axis, Course
from rerail.tell.compare.groups import Differs, Group
from rerail.tell.compare.levels import At, Contrast, Pairs, Row
from rerail.tell.compare.meaning import Refusal
from rerail.tell.compare.parting import TOTAL, Parting
from rerail.tell.compare.reach import Goal, Target

__all__ = ["AXES", "Asked", "At", "Comparison", "compare", "folder_problems", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is told of several runs."""

    runs: Sequence[Course]
    groups: Sequence[Group]
    differs: Sequence[Differs]
    partings: Sequence[Parting]
    rows: Sequence[Row]
    contrasts: Sequence[Contrast]
    goals: Sequence[Goal]
    refused: Sequence[tuple[str, Refusal]]
    remarks: Sequence[str]


def folder_problems(folders: Sequence[Path]) -> list[str]:
    """What is wrong with a choice of runs, all of it: what, got, do."""
    found = [] if len(folders) > 1 else [f"a comparison needs two runs or more, got {len(folders)}; name another"]
    counted = Counter(folder.resolve() for folder in folders)
    twice = [one for one, times in counted.items() if times > 1]
    found += [f"{fields.plain(one)} is named more than once; name it once" for one in twice]
    for folder in dict.fromkeys(folders):
        if not (folder / journal.NAME).is_file():
            found.append(f"{fields.plain(folder)} is no run folder: it has no {journal.NAME}; give that of a run")
    return found


def read(folders: Sequence[Path], aside: Mapping[Path, frozenset[str] | None] | None = None) -> list[Course]:
    """Read the runs; `aside` are the ids of the held-out samples of those that keep them.

    Raises:
        ValueError: naming every folder that cannot be compared.
    """
    if wrong := folder_problems(folders):
        raise ValueError("\n  ".join([f"{len(wrong)} problem(s) with the runs", *wrong]))
    names = Counter(folder.resolve().name for folder in folders)
    named = [(one, one.resolve().name if names[one.resolve().name] == 1 else str(one)) for one in folders]
    runs = [course.read(folder, name, (aside or {}).get(folder)) for folder, name in named]
    empty = [run.name for run in runs if not run.series]
    if empty:
        lines = [f"{one} has no loss and no held-out metric in its journal; leave it out" for one in empty]
        raise ValueError("\n  ".join([f"{len(empty)} run(s) without readings", *lines]))
    return runs


def compare(runs: Sequence[Course], asked: Asked | None = None) -> Comparison:
    """Compare runs that were read.

    Raises:
        ValueError: naming everything that was asked for and is not there.
    """
    asked = asked or Asked()
    refuse(asked, runs)
    everyone = [parting.parting(one, other) for one, other in combinations(runs, 2)]
    grouped = groups.grouped(runs, {(one.first, one.second): not one.same for one in everyone})
    pairs: Pairs = [
        (one, other, meaning.refusals([*one.members, *other.members])) for one, other in combinations(grouped, 2)
    ]
    overall = meaning.refusals(runs)
    signals = _signals(runs, asked, overall)
    places = _places(runs, asked)
    return Comparison(
        runs=runs,
        groups=grouped,
        differs=[*groups.differences(grouped), *data.facts(grouped)],
        partings=_told_partings(runs, everyone),
        rows=[levels.row(signal, at, grouped) for at in places for signal in signals],
        contrasts=[
            levels.contrast(signal, at, one, other, refused)
            for at in places
            for signal in signals
            for one, other, refused in pairs
        ],
        goals=_goals(runs, grouped, asked, signals, pairs, overall),
        refused=_refused(grouped, pairs, overall),
        remarks=remarks.remarks(runs, grouped, asked),
    )


def _signals(runs: Sequence[Course], asked: Asked, overall: Mapping[str, Refusal]) -> list[str]:
    """Losses, then held-out metrics; a total that must not be ranked is not even shown."""
    names = sorted({name for run in runs for name in run.series}, key=lambda name: (name[:5] != "loss/", name))
    names = [name for name in names if name != TOTAL or TOTAL not in overall]
    return [name for name in names if asked.shows(name)]


def _places(runs: Sequence[Course], asked: Asked) -> list[At]:
    named = {at.axis for at in asked.at}
    same = {"samples"} if remarks.one_size(runs) else set()
    rest: list[Axis] = [axis for axis in AXES if axis not in {*named, *same}]
    found = [*asked.at, *levels.common_ends(runs, rest)]
    return sorted(found, key=lambda at: AXES.index(at.axis))


def _goals(
    runs: Sequence[Course],
    grouped: Sequence[Group],
    asked: Asked,
    signals: Sequence[str],
    pairs: Pairs,
    overall: Mapping[str, Refusal],
) -> list[Goal]:
    """For what was asked for; else for every signal that all runs may be held to."""
    end = levels.common_ends(runs, ["steps"])[0]
    if asked.reach:
        given = [(name, reach.given_target(name, value, runs)) for name, value in asked.reach.items()]
        targets: list[Target | None] = [target for name, target in given if name not in overall]
    else:
        targets = [reach.default_target(signal, runs, end) for signal in signals if signal not in overall]
    return [reach.goal(target, grouped, end, pairs) for target in targets if target is not None]


def _told_partings(runs: Sequence[Course], everyone: Sequence[Parting]) -> list[Parting]:
    """Each run against the first one of its seed, else against the first of all: the pairs that tell something."""
    by_names = {(one.first, one.second): one for one in everyone}
    found = []
    for index, run in enumerate(runs[1:], 1):
        against = next((one for one in runs[:index] if one.seed == run.seed), runs[0])
        found.append(by_names[against.name, run.name])
    return found


def _refused(grouped: Sequence[Group], pairs: Pairs, overall: Mapping[str, Refusal]) -> list[tuple[str, Refusal]]:
    """Every refusal with the groups that it is between, the total's first."""
    found = [(f"{one.label}, {other.label}", refusal) for one, other, refused in pairs for refusal in refused.values()]
    if not pairs:
        found = [(grouped[0].label, refusal) for refusal in overall.values()]
    return sorted(found, key=lambda pair: pair[1].signal != TOTAL)
