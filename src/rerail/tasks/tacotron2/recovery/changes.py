"""What a recovery will change, before it does: setting, from, to, why; and how grave the damage was."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rerail.core.knobs import Precision
from rerail.core.remedy import Remedy
from rerail.tasks.tacotron2.recovery.decide import Looked
from rerail.tasks.tacotron2.recovery.ladder import FRESH, OWN, ULTRA, Candidate, Own

Severity = Literal["minor", "serious", "severe"]
RULE_OF_THUMB = {"minor": "1-2 h", "serious": "4-6 h", "severe": "8-12 h"}  # the owner's, on the owner's machine
KEPT = 0.75  # of the steps
RUNG = "the mildest settings that passed their trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting of the run, as it was and as it will be."""

    setting: str
    was: str
    to: str
    why: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.was} -> {self.to} ({self.why})"


def severity(chosen: Candidate, newest: int) -> Severity:
    """Say how grave it was, with a newest checkpoint of step `newest`.

    Severe: salvaged, or ultra-safe. Serious: gentler settings than its own, or more than a quarter of the way lost.
    """
    if chosen.source.salvage or chosen.rung.name == ULTRA:
        return "severe"
    return "serious" if chosen.rung.name not in (OWN, FRESH) or chosen.source.looked.step < KEPT * newest else "minor"


def changes(
    chosen: Candidate, own: Own, judged: Sequence[Looked], replaced: Sequence[tuple[str, int, int]]
) -> list[Change]:
    """List every change. `replaced`: name, rows replaced (0: all), rows of each tensor of a salvage."""
    knobs = [change for remedy in chosen.rung.remedies for change in _knobs(remedy, own)]
    return [*_weights(chosen, judged, replaced), *_optimizer(chosen), *knobs, *_stays(chosen, own)]


def _weights(chosen: Candidate, judged: Sequence[Looked], replaced: Sequence[tuple[str, int, int]]) -> Iterator[Change]:
    newest, step = judged[-1].step, chosen.source.looked.step
    if step != newest:
        why = "the newest state that is healthy and passed"
        yield Change(setting="step", was=str(newest), to=str(step), why=f"{why}; {newest - step} steps are lost")
    for name, rows, of in replaced:
        part = f"{rows} of {of} rows" if rows else "all of it"
        yield Change(setting=name, was=f"{part} spoilt", to="as in a fresh model", why="nothing of it can be trusted")


def _optimizer(chosen: Candidate) -> Iterator[Change]:
    if not chosen.fresh_optimizer:
        return
    why = RUNG if chosen.source.optimizer_sound else "its state is not sound, or is of other weights"
    yield Change(setting="optimizer", was="its own memory", to="fresh", why=why)


def _knobs(remedy: Remedy, own: Own) -> Iterator[Change]:
    knobs = remedy.knobs
    back = f"for {remedy.hold} steps, then back to its own over {remedy.ramp}" if remedy.hold else ""
    back = back or f"back to its own over {remedy.ramp} steps"
    why = "a fresh optimizer warms up" if not remedy.hold else RUNG
    if knobs.lr_scale != 1.0:
        was, to = "its schedule", f"its schedule x{knobs.lr_scale:g}, {back}"
        yield Change(setting="learning rate", was=was, to=to, why=why)
    if math.isfinite(knobs.lr_most):
        yield Change(setting="learning rate", was=f"{own.lr:g}", to=f"{knobs.lr_most:g} at most, {back}", why=why)
    if math.isfinite(knobs.clip_norm):
        yield Change(setting="gradient clip", was=f"{own.clip_norm:g}", to=f"{knobs.clip_norm:g}, {back}", why=why)
    if knobs.precision is not Precision.AS_RUN:
        yield Change(setting="precision", was=own.precision, to=f"fp32 {back}", why=why)
    for name, factor in knobs.weights.items():
        yield Change(setting=f"weight of {name}", was="its own", to=f"x{factor:g}, {back}", why=why)


def _stays(chosen: Candidate, own: Own) -> Iterator[Change]:
    was = {"batch_size": own.batch_size, "accumulate": own.accumulate, "weight_attention": own.weight_attention}
    for name, value in chosen.rung.stays.items():
        if was.get(name) != value:
            shown = str(was.get(name, "its own"))
            yield Change(setting=name, was=shown, to=f"{value}, for the whole new run", why=RUNG)
