"""Which numbers of two runs mean the same, and why others do not: weights, error functions, targets, data.

A table says which settings change what a number means. It knows those of the trainers and the usual names of others.
"""

from __future__ import annotations

import math
import re
import statistics
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from rerail.tell import fields
from rerail.tell.compare import data, weights
from rerail.tell.compare.groups import ABSENT, flat, last
from rerail.tell.compare.parting import TOTAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rerail.tell.compare.course import Course

# Setting, signals, what it does to them
SHAPES = (
    ("smooth_mel", "loss/mel*", "targets are mixed with the mean frame"),
    ("smooth_stop", "loss/stop*", "labels are smoothed"),
    ("label_smoothing", "loss/*", "labels are smoothed"),
    ("smoothing", "loss/*", "targets are smoothed"),
    ("huber*", "loss/mel*", "the error function differs"),
    ("guide_width", "*attention*", "the guide has another width"),
    ("gate_positive", "loss/gate*", "a stop weighs otherwise"),
    ("gate_early", "loss/gate*", "other steps count as stops"),
    ("stop_positive", "loss/stop*", "a stop weighs otherwise"),
    ("pos_weight", "loss/*", "positives weigh otherwise"),
    ("class_weights", "loss/*", "classes weigh otherwise"),
    ("kl_capacity*", "loss/kl*", "divergence up to the capacity is left out"),
    ("kl_warmup", "loss/kl*", "it is scaled over the first steps"),
    ("beta", "loss/kl*", "it is scaled"),
    ("tail", "loss/*", "silence is put after the clips"),
    ("longest", "loss/*", "other clips are trained on"),
    ("balance", "loss/*", "clips are drawn otherwise"),
    ("reduction*", "*gate*", "other decoder steps are averaged"),
    ("reduction*", "*stop*", "other decoder steps are averaged"),
    ("reduction*", "*attention*", "other decoder steps are averaged"),
    ("reduction*", "*diagonal*", "other decoder steps are averaged"),
    ("loss", "loss/*", "the loss function differs"),
    ("loss_fn", "loss/*", "the loss function differs"),
    ("criterion", "loss/*", "the loss function differs"),
    ("objective", "loss/*", "the loss function differs"),
    ("margin", "loss/*", "the loss function differs"),
    ("frame_drop", "loss/*", "the noise of training differs"),
    ("augment*", "loss/*", "the noise of training differs"),
    ("*dropout*", "loss/*", "the noise of training differs"),
    ("mixup*", "loss/*", "targets are mixed"),
    ("cutmix*", "loss/*", "targets are mixed"),
    ("sample_rate", "*", "the recordings are another input and target"),
    ("f_max", "*", "the spectrograms are another target"),
    ("bands", "*", "the spectrograms are another target"),
    ("n_mels", "*", "the spectrograms are another target"),
    ("phonemes", "*attention*", "texts have other symbols"),
    ("phonemes", "*diagonal*", "texts have other symbols"),
    ("stress", "*attention*", "texts have other symbols"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A signal that cannot be compared between these runs: why, and what to do."""

    signal: str
    why: str
    do: str


def refusals(runs: Sequence[Course]) -> dict[str, Refusal]:
    """What cannot be compared between these runs, by signal."""
    names = dict.fromkeys(name for run in runs for name in run.series)
    found = {name: refusal for name in names if (refusal := _refusal(name, runs))}
    if TOTAL in set(names) - set(found) and (why := weights.unlike(runs) or _of_parts(found)):
        do = "compare the components, which are unweighted" + _instead(names)
        found[TOTAL] = Refusal(signal=TOTAL, why=why, do=do)
    return found


def _refusal(name: str, runs: Sequence[Course]) -> Refusal | None:
    if name.startswith("eval/"):
        if why := data.measured_unlike(runs):
            return Refusal(signal=name, why=why, do="measure all of them on one set: rerail evaluate RUN --data ...")
        do = "measure all of them with the same settings"
    else:
        do = "give them the same setting" + _instead({other for run in runs for other in run.series})
    chance = () if name == TOTAL and any(map(weights.components, runs)) else _chance(name, runs)
    why = "; ".join([*_shaped(name, runs), *chance])
    return Refusal(signal=name, why=why, do=do) if why else None


def _shaped(name: str, runs: Sequence[Course]) -> Iterator[str]:
    if name == TOTAL and any(map(weights.components, runs)):  # its parts are judged, and it by them
        return
    for setting, values in differing(runs).items():
        for pattern, signals, why in SHAPES:
            if fnmatchcase(last(setting), pattern) and fnmatchcase(name, signals):
                yield f"{fields.plain(setting)} is {' and '.join(values)}: {why}"


def differing(runs: Sequence[Course]) -> dict[str, list[str]]:
    """Settings that are not the same in all runs, with their values as text, each once."""
    flats = [flat(run.config) for run in runs]
    names = dict.fromkeys(name for one in flats for name in one)
    values = {name: [fields.plain(one.get(name, ABSENT), 60) for one in flats] for name in names}
    return {name: [*dict.fromkeys(each)] for name, each in values.items() if len(set(each)) > 1}


def _chance(name: str, runs: Sequence[Course]) -> Iterator[str]:
    """A loss whose chance level follows from the batch is on another scale in another batch."""
    signal = re.sub(r"^loss/", "signal/chance/", name)
    levels = [level for run in runs if (level := _level(run, signal)) is not None]
    if name.startswith("loss/") and levels and max(levels) - min(levels) > 0.01 * max(map(abs, levels)):
        told = " and ".join(dict.fromkeys(map(fields.figure, levels)))
        yield f"guessing gives {told}: the batches make it harder in one than in the other"


def _level(run: Course, signal: str) -> float | None:
    for name in (one for one in (signal, "signal/chance") if one in run.names):
        values = [point.values[name] for point in run.points if math.isfinite(point.values.get(name, math.nan))]
        if values:
            return statistics.median(values)
    return None


def _of_parts(found: Mapping[str, Refusal]) -> str:
    parts = [name for name in found if name.startswith("loss/")]
    return f"it is a sum of what is not alike: {fields.listed(parts, 4)}" if parts else ""


def _instead(names: Mapping[str, object] | set[str]) -> str:
    return ", or what is measured on held-out data (eval/...)" if any(one.startswith("eval/") for one in names) else ""
