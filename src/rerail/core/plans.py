"""The plan that a run starts with: every detector, and a ladder for whatever one may find.

The ladders are for runs where no replay can choose the remedy. They start mild, and a repeat climbs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rerail.core import plain
from rerail.core.detector import Detector
from rerail.core.detectors import DEFAULT, Lowered
from rerail.core.detectors.lowered import CODE as LOWERED
from rerail.core.detectors.lowered import LEAST, MILDEST, lowered_ladder
from rerail.core.knobs import Knobs, Precision
from rerail.core.remedy import FOREVER, GO_ON, HALTED, Ladder, Move, Remedy
from rerail.core.verdict import Plan

_FP32 = Knobs(precision=Precision.FP32)


def _slower(scale: float, *, depth: int = 0, precision: Precision = Precision.AS_RUN) -> Remedy:
    knobs = Knobs(lr_scale=scale, precision=precision)
    return Remedy(move=Move.REWIND, knobs=knobs, hold=20, ramp=20, depth=depth)


def plan_of(data: Mapping[str, Any], base: Plan | None = None) -> Plan:
    """Build a plan from plain data (a YAML file): what it does not name is as in `base`, else in the default plan.

    `detectors` maps a name (`spike`) to fields that differ (`sigmas: 8`); `ladders` maps a finding code to a ladder
    (`rungs`, `window`, `last`), or to nothing, which leaves such findings unanswered.

    Raises:
        ValueError: naming everything unknown or of another type.
    """
    plan = base or default_plan()
    problems = [
        f"unknown part {one!r}; known: detectors, ladders" for one in sorted(set(data) - {"detectors", "ladders"})
    ]
    changed, bad = _detectors(plan, data.get("detectors") or {})
    ladders, more = _ladders(plan, data.get("ladders") or {})
    if problems := [*problems, *bad, *more]:
        raise ValueError("\n  ".join([f"plan: {len(problems)} problem(s)", *problems]))
    return Plan(detectors=changed, ladders=ladders)


def _detectors(plan: Plan, given: Mapping[str, Any]) -> tuple[tuple[Detector[Any], ...], list[str]]:
    """Change every detector that is named; there may be several of a kind."""
    named = [(type(one).__name__.lower(), one) for one in plan.detectors]
    known = dict.fromkeys(name for name, _ in named)
    problems = [f"unknown detector {name!r}; known: {', '.join(known)}" for name in given if name not in known]
    changed: list[Detector[Any]] = []
    for name, one in named:
        try:
            fields = {**plain.dump(one), **(given[name] or {})} if name in given else None
            changed.append(one if fields is None else plain.load(type(one), fields))
        except (ValueError, TypeError) as error:  # noqa: PERF203 (there are few detectors)
            problems.append(str(error))
    return tuple(changed), list(dict.fromkeys(problems))


def _ladders(plan: Plan, given: Mapping[str, Any]) -> tuple[dict[str, Ladder], list[str]]:
    ladders, problems = dict(plan.ladders), []
    for code, ladder in given.items():
        if ladder is None:
            ladders.pop(code, None)
            continue
        try:
            ladders[code] = plain.load(Ladder, ladder)
        except (ValueError, TypeError, KeyError) as error:
            problems.append(f"ladder {code!r}: {error}")
    return ladders, problems


def default_plan() -> Plan:
    """Return the default plan."""
    backwards = (_slower(0.1), _slower(0.01, depth=1), _slower(0.001, depth=1, precision=Precision.FP32))
    # One far batch is the batch, several in a row the state. Going back meets the batch again: skips stand between.
    mixed = tuple(rung for one in backwards for rung in (Remedy(move=Move.SKIP, times=2), one))
    return Plan(
        detectors=DEFAULT,
        ladders={
            # Rows that hold a NaN are dropped by the guard, and the rest of the batch is tried again.
            "nonfinite.input": Ladder(rungs=(Remedy(move=Move.SKIP, times=FOREVER),), window=100),
            "input.raised": Ladder(rungs=(Remedy(move=Move.SKIP, times=FOREVER),), window=100),
            "input.unfit": Ladder(rungs=(Remedy(move=Move.SKIP, times=FOREVER),), window=100),
            "input.exhausted": Ladder(rungs=(), window=100),
            "input.stopped": Ladder(rungs=(), window=100),
            "input.far": Ladder(rungs=(Remedy(move=Move.SKIP, times=FOREVER),), window=100),
            "nonfinite.weights": Ladder(rungs=(Remedy(move=Move.REWIND), *backwards), window=100),
            "nonfinite": Ladder(
                rungs=(
                    Remedy(move=Move.SKIP, times=2),
                    Remedy(move=Move.SKIP, knobs=_FP32, hold=1000, ramp=0),
                    Remedy(move=Move.SKIP, times=2),
                    *backwards,
                ),
                window=60,
            ),
            "loss.outlier": Ladder(rungs=mixed[:4], window=100, last=GO_ON),
            "loss.spike": Ladder(rungs=backwards[:2], window=100, last=GO_ON),
            "loss.sign": Ladder(rungs=(Remedy(move=Move.SKIP, times=3),), window=100, last=GO_ON),
            "optimizer.setting.lasting": Ladder(rungs=(GO_ON, GO_ON), window=FOREVER, last=GO_ON),
            "gradient.lost": Ladder(rungs=(GO_ON, GO_ON), window=FOREVER, last=GO_ON),
            "gradient.stopped": Ladder(rungs=(), window=100),
            "gradient.explosion": Ladder(rungs=mixed[:4], window=100, last=GO_ON),
            # Halving the loss scale is what a dynamic scale is for.
            "scale.overflow": Ladder(rungs=(Remedy(move=Move.SKIP, times=FOREVER),), window=100),
        },
    )


def lowering(plan: Plan, signal: str, settings: Mapping[str, Any]) -> Plan:
    """Return a plan that lowers the learning rate where `signal`, the smaller the better, gains nothing.

    `settings` are a run's: `plateau_patience` (0: never), `plateau_factor` and `least_gain`.

    Raises:
        ValueError: for a factor that hardly lowers it, or not at all.
    """
    if not (patience := settings.get("plateau_patience")):
        return plan
    if not LEAST <= settings["plateau_factor"] <= MILDEST:
        raise ValueError(f"plateau_factor: got {settings['plateau_factor']}; give {LEAST} to {MILDEST}")
    lowered = Lowered(signal=signal, patience=patience, gain=settings["least_gain"], factor=settings["plateau_factor"])
    ladders = {**plan.ladders, LOWERED: lowered_ladder(lowered.factor)}
    return replace(plan, detectors=(*plan.detectors, lowered), ladders=ladders)


def strict(plan: Plan) -> Plan:
    """Return a plan for a rehearsal: whatever would undo or skip an update for the weights' sake halts.

    Rows that are bad by what they hold, and a loss scale that backs off, say nothing about the weights: answered as is.
    """
    return replace(plan, ladders={name: _strict(name, ladder) for name, ladder in plan.ladders.items()})


def _strict(name: str, ladder: Ladder) -> Ladder:
    about_rows = name.startswith(("input.", "nonfinite.input", "scale."))
    only_knobs = bool(ladder.rungs) and all(rung.move is Move.COMMIT for rung in ladder.rungs)
    return ladder if about_rows or only_knobs else replace(ladder, rungs=(), last=HALTED)
