"""What the journals and the runs say of the data, and whether all are measured on the same samples."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from rerail.tell import fields
from rerail.tell.compare.groups import ABSENT, Differs, flat, last

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rerail.tell.compare.course import Course
    from rerail.tell.compare.groups import Group

# Settings that choose the samples; those of the trainers, and the usual names of others
_OWN = re.compile(
    r"(train_|val_|valid_|validation_|test_|eval_|image_|audio_|data_|dataset_)*"
    r"(data|dataset|datasets|corpus|pairs|validation|held_out|layout|split|fold|val|valid|test|train"
    r"|data_?dir|folder|file|files|root|path|csv|manifest|size|share|split_seed)|seen_size|seen_validation"
)
_SIZES = frozenset({"size", "image_size", "data_size", "audio_size"})  # of a network, of a picture


def is_data(name: str) -> bool:
    """Say whether a setting chooses the samples."""
    own = last(name)
    return own not in _SIZES and _OWN.fullmatch(own) is not None


def measured_unlike(runs: Sequence[Course]) -> str:
    """Say why these runs are not measured on the same held-out samples; empty where they are, or seem to be.

    Where all keep the ids of what they set aside, these decide; else the settings that choose the data.
    """
    sets = [run.aside for run in runs]
    if all(one is not None for one in sets):
        known = [one for one in sets if one is not None]
        if all(one == known[0] for one in known):
            return ""
        both = len(frozenset.intersection(*known))
        counts = " and ".join(dict.fromkeys(str(len(one)) for one in known))
        return f"measured on other held-out samples: {counts}, {both} of them in all"
    flats = [flat(run.config) for run in runs]
    names = dict.fromkeys(name for one in flats for name in one if is_data(name))
    differ = [name for name in names if len({one.get(name, ABSENT) for one in flats}) > 1]
    return f"measured on other data, as far as the settings tell: {fields.listed(differ, 4)}" if differ else ""


def facts(groups: Sequence[Group]) -> list[Differs]:
    """What is known of the data beyond the settings, where it is not the same in all runs."""
    told: dict[str, Callable[[Course], str]] = {
        "held-out samples": _aside,
        "samples in quarantine": lambda run: str(len(run.told.quarantined)),
        "rows a step": _rows,
    }
    found = [Differs(kind="data", name=name, values=_each(groups, say)) for name, say in told.items()]
    return [
        one for one in found if len(set(one.values.values())) > 1 or any("," in each for each in one.values.values())
    ]


def sure(runs: Sequence[Course]) -> bool:
    """Say whether all runs keep the ids of what they are measured on."""
    return all(run.aside is not None for run in runs)


def _each(groups: Sequence[Group], say: Callable[[Course], str]) -> dict[str, str]:
    return {group.label: ", ".join(dict.fromkeys(map(say, group.runs))) for group in groups}


def _aside(run: Course) -> str:
    if run.aside is None:
        return "ids not kept"
    digest = hashlib.sha256("\n".join(sorted(run.aside)).encode("utf-8", "backslashreplace")).hexdigest()
    return f"{len(run.aside)} (ids {digest[:8]})"


def _rows(run: Course) -> str:
    read = {point.values["batch/rows"] for point in run.points if "batch/rows" in point.values}
    return f"{fields.figure(min(read))} to {fields.figure(max(read))}" if len(read) > 1 else _one(read)


def _one(read: set[float]) -> str:
    return fields.figure(read.pop()) if read else "not read"
