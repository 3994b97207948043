"""What a total is the sum of: each run's loss weights as far as its journal knows them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rerail.tell import fields
from rerail.tell.compare.groups import flat, last
from rerail.tell.compare.parting import TOTAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rerail.tell.compare.course import Course

_OFF = "off/"
_NESTS = ("weights", "loss_weights")
_NEAR = 1e-4  # relative; the readings come from single, or half, precision


def unlike(runs: Sequence[Course]) -> str:
    """Say why the totals of these runs are no one sum; empty where they are."""
    parts = [components(run) for run in runs]
    if odd := sorted(set().union(*parts) - set(parts[0]).intersection(*parts)):
        return f"not all of them have {fields.listed(odd, 4)}"
    if moved := _moved(runs):
        return moved
    told = [_told(run) for run in runs]
    names = sorted({name for one in told for name in one})
    values = {name: [*dict.fromkeys(one.get(name, "not set") for one in told)] for name in names}
    if differ := [f"{name} is {' and '.join(each)}" for name, each in values.items() if len(each) > 1]:
        return f"the weights differ: {fields.listed(differ, 4)}"
    unknown = [run.name for run, one in zip(runs, told, strict=True) if not (_covers(one, run) or _plain_sum(run))]
    if unknown:
        return f"the weights of {fields.listed(unknown, 4)} are not in the settings: name them as config weights"
    return ""


def components(run: Course) -> set[str]:
    """The names of the loss components that a run reads, without those that its weights switch off."""
    off = {name.removeprefix(_OFF) for name in run.names if name.startswith(_OFF)}
    return {name.removeprefix("loss/") for name in run.series if name.startswith("loss/") and name != TOTAL} - off


def _moved(runs: Sequence[Course]) -> str:
    told = [f"{fields.listed(sorted(run.turned), 4)} in {run.name}" for run in runs if run.turned]
    return f"the guard moved weights: {fields.listed(told, 4)}" if told else ""


def _told(run: Course) -> dict[str, str]:
    """The settings that are weights of a component of this run: `weight_mel`, `mel_weight`, `weights.mel`."""
    parts = components(run)
    return {fields.plain(name): value for name, value in flat(run.config).items() if _of(name, parts)}


def _of(name: str, parts: set[str]) -> set[str]:
    """The components that a setting is the weight of; `weight_mel` is that of `mel` and `mel_post`."""
    own, nest = last(name), name.rpartition(".")[0].rpartition(".")[2].lower()
    if nest in _NESTS:
        return {part for part in parts if part.lower() == own}
    for affixed in (own.removeprefix("weight_"), own.removeprefix("lambda_"), own.removesuffix("_weight")):
        if affixed != own:
            return {part for part in parts if part.lower() == affixed or part.lower().startswith(f"{affixed}_")}
    return set()


def _covers(told: Mapping[str, str], run: Course) -> bool:
    parts = components(run)
    named = any(last_of in _NESTS for name in flat(run.config) for last_of in name.lower().split(".")[:-1])
    return named or parts <= {part for name in told for part in _of(name, parts)}


def _plain_sum(run: Course) -> bool:
    """Say whether its total is the sum of its components at every step: then each weight is 1."""
    parts = [f"loss/{name}" for name in components(run)]
    checked = [point.values for point in run.points if all(name in point.values for name in (TOTAL, *parts))]
    finite = [one for one in checked if math.isfinite(one[TOTAL])]
    return bool(parts and finite) and all(_is_sum([one[name] for name in parts], one[TOTAL]) for one in finite)


def _is_sum(parts: Sequence[float], total: float) -> bool:
    return abs(math.fsum(parts) - total) <= _NEAR * max(abs(total), *map(abs, parts))
