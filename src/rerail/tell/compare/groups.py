"""Runs that differ by their seed alone are one group; what differs between groups, setting by setting."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, product
from string import ascii_uppercase
from typing import TYPE_CHECKING

from rerail.tell import fields
from rerail.tell.compare.course import SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rerail.tell.compare.course import Course
    from rerail.tell.fields import Record

ABSENT = "not set"
_WHOLE = 2.0**53
_CODE = ("rerail", "torch", "python", "system", "cuda")  # of the environment; other threads are no other code
# Where a run keeps its files and how often it speaks is none of its settings
_PLACES = re.compile(r"(run|out|output|log|save|cache|checkpoint)(_?(dir|folder|name|path|every))?|name|experiment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Runs of the same settings and code.

    `members` are independent; `repeats` are those that have the seed of one of them, and are not counted.
    """

    label: str
    about: str
    members: tuple[Course, ...]
    repeats: tuple[Course, ...] = ()

    @property
    def runs(self) -> tuple[Course, ...]:
        """All of them."""
        return (*self.members, *self.repeats)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """A setting that is not the same in all runs: its values by group, each once."""

    kind: str
    name: str
    values: Mapping[str, str]


def grouped(runs: Sequence[Course], parted: Mapping[tuple[str, str], bool]) -> list[Group]:
    """Group runs, in their order; `parted` says of two runs' names whether they ever differed."""
    by_key: dict[str, list[Course]] = {}
    for run in runs:
        by_key.setdefault(_key(run, runs, parted), []).append(run)
    labelled = zip(_letters(), by_key.values(), strict=False)
    return [_group(label, members, runs, parted) for label, members in labelled]


def differences(groups: Sequence[Group]) -> list[Differs]:
    """Every setting, version and device that differs, in the order written; the seeds too."""
    runs = [run for group in groups for run in group.runs]
    found = []
    for kind, flats in (("setting", [flat(run.config) for run in runs]), ("code", [_code(run) for run in runs])):
        names = dict.fromkeys(name for one in flats for name in one)
        found += [(kind, name) for name in names if len({one.get(name, ABSENT) for one in flats}) > 1]
    return [Differs(kind=kind, name=name, values=_values(groups, kind, name)) for kind, name in found]


def flat(data: Record) -> dict[str, str]:
    """Nested settings as dotted name -> value, as JSON has it."""
    found = ((".".join(path), value) for path, value in fields.leaves(data))
    return {name: value if isinstance(value, str) else _written(value) for name, value in found}


def _written(value: object) -> str:
    """As JSON has it; a whole number is the same whether it was written 1 or 1.0."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE
    return json.dumps(int(value) if whole else value, ensure_ascii=False, default=str)  # type: ignore[call-overload]


def last(name: str) -> str:
    """The setting's own name, without those that it is nested in."""
    return name.rpartition(".")[2].lower()


def is_place(name: str) -> bool:
    """Say whether a setting only says where a run keeps its files, or how often it speaks."""
    return _PLACES.fullmatch(last(name)) is not None


def _code(run: Course) -> dict[str, str]:
    return {name: value for name, value in flat(run.environment).items() if name in _CODE}


def _key(run: Course, runs: Sequence[Course], parted: Mapping[tuple[str, str], bool]) -> str:
    """What the runs of a group share. Of a run without settings nobody knows that, unless it is another's very copy."""
    if not run.config:
        return next(
            (one.name for one in runs if one is not run and not parted.get((one.name, run.name), True)), run.name
        )
    settings = {name: value for name, value in flat(run.config).items() if not _own(name)}
    return json.dumps([settings, _code(run)], sort_keys=True)


def _own(name: str) -> bool:
    return name in SEEDS or is_place(name)


def _letters() -> Iterator[str]:
    return ("".join(letters) for size in count(1) for letters in product(ascii_uppercase, repeat=size))


def _group(
    label: str, runs: Sequence[Course], everyone: Sequence[Course], parted: Mapping[tuple[str, str], bool]
) -> Group:
    members: list[Course] = []
    repeats: list[Course] = []
    for run in runs:
        again = any(_same(run, member, parted) for member in members)
        (repeats if again else members).append(run)
    return Group(label=label, about=_about(runs[0], everyone), members=tuple(members), repeats=tuple(repeats))


def _same(run: Course, member: Course, parted: Mapping[tuple[str, str], bool]) -> bool:
    """Say whether a run is no draw of its own: the same seed, or, where none is known, the very same numbers."""
    if run.seed is not None or member.seed is not None:
        return run.seed == member.seed
    return not parted.get((member.name, run.name), True)


def _about(run: Course, everyone: Sequence[Course]) -> str:
    """What sets the run's group apart from the others, `lr 0.001, size tiny`."""
    flats = [flat(one.config) | _code(one) for one in everyone]
    own = flat(run.config) | _code(run)
    apart = [name for name in own if not _own(name) and len({one.get(name) for one in flats}) > 1]
    return fields.listed([f"{name} {own[name]}" for name in apart], 4)


def _values(groups: Iterable[Group], kind: str, name: str) -> dict[str, str]:
    """Each group's values, joined where it has several (seeds, places)."""
    found = {}
    for group in groups:
        each = [(flat(run.config) if kind == "setting" else _code(run)).get(name, ABSENT) for run in group.runs]
        found[group.label] = fields.listed([*dict.fromkeys(each)], 12)
    return found
