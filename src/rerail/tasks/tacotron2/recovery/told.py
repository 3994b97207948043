"""A recovery in plain words: what is wrong, what was tried, what will change, when the next stage should come."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from rerail.core.damage import Damage
from rerail.tasks.tacotron2.recovery.decide import MEL, READ, Looked, Metrics
from rerail.tasks.tacotron2.recovery.forecast import Forecast
from rerail.tasks.tacotron2.recovery.ladder import Candidate

CAUSES = {
    "file.damaged": "a damaged checkpoint file",
    "weights.nonfinite": "weights that are not finite",
    "weights.far": "weights beyond all proportion",
    "optimizer.nonfinite": "an optimizer state that is not finite",
    "optimizer.negative": "negative second moments in the optimizer",
    "optimizer.exploded": "an exploded optimizer state",
    "optimizer.impossible": "optimizer moments that no gradients lead to",
    "settings.nonfinite": "a learning rate or another setting that is not finite",
    "settings.other": "a learning rate that is not the run's own",
    "loss.nonfinite": "a held-out loss that is not finite",
    "loss.worse": "a held-out loss far above what it was",
    "attention.lost": "a collapsed attention",
}
Many = Sequence[Mapping[str, float]]
SHOWN = 3  # names in one line
NOTHING = "nothing in the checkpoints"


def causes(judged: Sequence[Looked]) -> list[str]:
    """Name what is wrong with the checkpoints after the newest sound one, newest first."""
    newest = max((one.step for one in judged if one.sound), default=-1)
    damaged = [one for one in reversed(judged) if one.step > newest]
    return [CAUSES[code] for code in dict.fromkeys(damage.code for one in damaged for damage in one.damages)]


def wrong(
    judged: Sequence[Looked], causes: Sequence[str], lately: Sequence[str], unknown: Sequence[str]
) -> Iterator[str]:
    """Say what is wrong, with a line for each checkpoint, and what the run's own journal tells."""
    yield from (f"  its setting {name} is unknown to this version, and left out" for name in unknown)
    yield from (f"  {looked(one)}" for one in judged)
    yield f"wrong: {', '.join(causes) or NOTHING}"
    if lately:
        yield "what its journal tells last:"
        yield from (f"  {line}" for line in lately)


def looked(one: Looked) -> str:
    """A line on a checkpoint: its step, its health in the manifest, what was found, what it is worth."""
    found = one.complaint or "; ".join(_damages(one.damages)) or "sound"
    worth = f" [{metrics(one.metrics)}]" if one.metrics else ""
    return f"step {one.step:>6}  {one.health or 'no manifest':<10}  {found}{worth}"


def metrics(values: Metrics) -> str:
    """The held-out metrics that a recovery goes by."""
    read = ", ".join(f"{name} {values[name]:.2f}" for name in READ if name in values)
    return f"mel {values.get(MEL, math.nan):.3g}, {read}"


def _damages(damages: Sequence[Damage]) -> list[str]:
    in_order = sorted(damages, key=lambda one: list(CAUSES).index(one.code))
    return [_damage(code, list(group)) for code, group in groupby(in_order, key=lambda one: one.code)]


def _damage(code: str, many: Sequence[Damage]) -> str:
    speaker = _SPEAKERS.get(code)
    said = speaker([one.numbers for one in many]) if speaker else CAUSES[code]
    return f"{said} ({names})" if (names := _listed([one.where for one in many if one.where])) else said


def _exploded(many: Many) -> str:
    return f"second moments of norm {many[0]['norm']:.2g}, where clipped gradients give {many[0]['most']:.2g} at most"


def _impossible(many: Many) -> str:
    ratio, most = max(one["ratio"] for one in many), many[0]["most"]
    return f"first moments {ratio:.2g} times their root second ones, where any gradients give {most:.2g} at most"


def _fell(many: Many) -> str:
    fell = " and ".join(f"{one['best']:.2f} -> {one['now']:.2f}" for one in many)
    return f"the attention has collapsed, {fell}"


_SPEAKERS: dict[str, Callable[[Many], str]] = {
    "weights.nonfinite": lambda many: f"{sum(one['values'] for one in many):.0f} weights are not finite",
    "weights.far": lambda many: f"weights of size {many[0]['size']:.2g}, usual {many[0]['usual']:.2g}",
    "optimizer.exploded": _exploded,
    "optimizer.impossible": _impossible,
    "settings.other": lambda many: f"{many[0]['now']:.2g} in place of the run's own {many[0]['own']:.2g}",
    "loss.worse": lambda many: f"held-out error {many[0]['now']:.3g}, at best {many[0]['best']:.3g} before",
    "attention.lost": _fell,
}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def candidate(one: Candidate) -> str:
    """A candidate in words."""
    salvaged = "what is sound of step" if one.source.salvage else "step"
    return f"{one.rung.name} from {salvaged} {one.source.looked.step}"


def trial(one: Candidate, steps: int, failed: str, before: Metrics, after: Metrics) -> str:
    """A line on a trial."""
    if failed:
        return f"  {candidate(one)}: failed after {steps} steps: {failed}"
    return f"  {candidate(one)}: passed, {steps} steps, {metrics(before)} -> {metrics(after)}"


def plan(chosen: Candidate, changes: Sequence[str], out: str, steps: int) -> Iterator[str]:
    """Say beforehand what will be done."""
    at = chosen.source.looked.step
    yield f"chosen: {candidate(chosen)}, trained on in {out} to step {steps}"
    yield "what will change:" if changes else "what will change: nothing"
    yield from (f"  {one}" for one in changes)
    if at >= steps:
        yield f"  step {at} is its last one already: nothing is left to train; --steps N trains on"


def coming(found: Forecast, signal: str, at: int, seconds: Sequence[float], delay: int) -> str:
    """When the next stage should be reached, from step `at` on; `delay` steps may be lost to a ramp."""
    stage = f"next stage, {signal} >= {found.least:g}"
    if found.why:
        return f"{stage}: no forecast, since {found.why}"
    pace = sum(seconds) / len(seconds) if seconds else math.nan
    low, middle, high = (max(0.0, one - at) for one in (found.low, found.step, found.high + delay))
    steps = f"about step {found.step:.0f}, in {_far(middle)} steps (8 of 10: {_far(low)} to {_far(high)})"
    times = f"{_time(middle * pace)} ({_time(low * pace)} to {_time(high * pace)}) at {pace:.2g} s a step"
    jump = ", or sooner: an attention is learned in a jump" if signal in READ else ""
    return f"{stage}: {steps}{jump}" + (f"; {times}" if math.isfinite(pace) else "")


def _far(steps: float) -> str:
    return f"{steps:.0f}" if math.isfinite(steps) else "not at all"


def _time(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "not at all"
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
