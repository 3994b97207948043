"""Which fields of the detectors are thresholds, and which way each is stricter: one plain table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rerail.core.detector import Detector


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What one detector finds and what it asks.

    `smaller` are the fields of which a smaller value is stricter (raises more alarms), `larger` those of which a larger
    one is. All others shape what is remembered (`window`, `block`) or how often it is told (`again`).
    """

    codes: tuple[str, ...]
    smaller: tuple[str, ...] = ()
    larger: tuple[str, ...] = ()


def _kind(codes: str, smaller: str = "", larger: str = "") -> Kind:
    return Kind(codes=tuple(codes.split()), smaller=tuple(smaller.split()), larger=tuple(larger.split()))


_PATIENCE = "ticks readings"
_NUMBERS = "nonfinite.weights nonfinite.loss nonfinite.gradient scale.overflow"

KINDS = {
    "nonfinite": _kind(f"nonfinite.input {_NUMBERS} input.unfit input.raised", "allow_backoff"),
    "spike": _kind("loss.spike loss.outlier", "sigmas rise at_once floor few together persistence warmup", "adopt"),
    "explosion": _kind("gradient.explosion", "sigmas factor at_once persistence warmup", "adopt"),
    "idle": _kind("gradient.zero gradient.stopped", "persistence stopped"),
    "lost": _kind("gradient.lost", "persistence lasting", "adopt"),
    "sign": _kind("loss.sign", "share leap persistence warmup"),
    "far": _kind("input.far input.range", "never once often persistence warmup", "adopt"),
    "emptied": _kind("input.exhausted", "emptied rescaled"),
    "setting": _kind("optimizer.setting optimizer.setting.lasting", "lasting"),
    "stuck": _kind("input.stuck input.stopped", "times stopped warmup"),
    "divergence": _kind("loss.divergence", f"share sigmas {_PATIENCE}"),
    "zero": _kind("loss.zero", f"part {_PATIENCE}"),
    "still": _kind("loss.still", "ticks", "share sigmas"),
    "chance": _kind("loss.chance", _PATIENCE, "near"),
    "plateau": _kind("loss.plateau", "share ticks", "gain sigmas"),
    "oscillation": _kind("loss.oscillation", f"opposed growth share {_PATIENCE}"),
    "overfit": _kind("loss.overfit", "rise lasting fewest"),
    "mismatch": _kind("loss.mismatch", "factor early"),
    "dominated": _kind("loss.dominated", f"share {_PATIENCE}", "still"),
    "kl": _kind("kl.collapse kl.explosion", f"factor rising {_PATIENCE}", "low"),
    "initial": _kind("weights.wide", "gain"),
    "vanishing": _kind("gradient.vanishing", _PATIENCE, "ratio first tiny"),
    "missing": _kind("gradient.missing", _PATIENCE),
    "units": _kind("units.dead units.saturated", f"dead saturated {_PATIENCE}"),
    "hidden": _kind("nan.hidden", _PATIENCE),
    "draws": _kind("random.changed", "looks"),
    "drift": _kind("activation.drift", f"factor least {_PATIENCE}"),
    "steps": _kind("update.small update.large", f"large share warmup {_PATIENCE}", "small"),
    "unchanged": _kind("weights.unchanged", f"share {_PATIENCE}"),
    "embedding": _kind("embedding.collapse", _PATIENCE, "least dimensions"),
    "attention": _kind("attention.collapse", f"uniform had stuck flat {_PATIENCE}", "sharp drop lost"),
    "clamped": _kind("scale.clamped", _PATIENCE),
    "gates": _kind("gate.stuck", _PATIENCE, "edge"),
    "thrash": _kind("scale.thrash", "warmup most", "window"),
    "moments": _kind("optimizer.stale optimizer.exploding", f"burst rms warmup {_PATIENCE}", "stale"),
    "constant": _kind("input.constant", f"share {_PATIENCE}", "before"),
    "twice": _kind("input.twice", f"share {_PATIENCE}"),
    "unnormalised": _kind("input.unnormalised", f"offset wide {_PATIENCE}"),
    "shift": _kind("input.drift", f"sigmas factor {_PATIENCE}"),
    "labels": _kind("labels.imbalanced", f"rows {_PATIENCE}", "share"),
    "pace": _kind("time.slow", f"factor least {_PATIENCE}"),
    "starved": _kind("time.starved", f"share least {_PATIENCE}"),
    "creep": _kind("memory.creep", "share least skip", "fall"),
}

# A factor says nothing at 1, and a share that all must have is far from 1: these are measured from there, not from 0.
FROM_ONE = {
    *(
        "spike.rise",
        "spike.together",
        "explosion.factor",
        "far.once",
        "far.often",
        "oscillation.growth",
        "mismatch.factor",
    ),
    *("drift.factor", "shift.factor", "pace.factor"),
    *("dominated.share", "units.saturated", "attention.uniform", "attention.stuck"),
}
LEAST = {"warmup": 2}  # of the counts; 1 for all others. A baseline needs two values


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One field of a detector: its present value, what it is measured from, and whether more of that is stricter."""

    detector: str
    name: str
    present: float
    whole: bool  # a count: of ticks, readings, times
    origin: float
    grows: bool

    def at(self, ratio: float) -> float:
        """Return the value that is `ratio` times as strict as the present one (below 1: looser).

        Counts are rounded to the looser side; none goes below the least that makes sense.
        """
        far = (self.present - self.origin) * (ratio if self.grows else 1 / ratio)
        if self.whole:
            return max(LEAST.get(self.name, 1), math.floor(far) if self.grows else math.ceil(far - 1e-9))
        value = self.origin + far
        return max(0.0, value) if self.origin else value

    def ratio(self, value: float) -> float:
        """Return how many times as strict as the present one a value is."""
        shares = abs(value - self.origin) / abs(self.present - self.origin)
        return shares if self.grows else 1 / shares

    def rounded(self, value: float) -> float:
        """Return a value with three digits of what it is away from where it is measured."""
        return value if self.whole else round(self.origin + float(f"{value - self.origin:.3g}"), 12)


def thresholds(detector: Detector[Any]) -> Iterator[Threshold]:
    """Name the thresholds of a detector; one that the table does not have has none, nor a field that is its origin."""
    name = name_of(detector)
    kind = KINDS.get(name, Kind(codes=()))
    for field in (*kind.smaller, *kind.larger):
        present = getattr(detector, field)
        origin = 1.0 if f"{name}.{field}" in FROM_ONE else 0.0
        if present == origin:  # no factor moves it
            continue
        away = origin == 1.0 > present and field in kind.smaller  # a share near 1 is stricter far from it
        yield Threshold(
            detector=name,
            name=field,
            present=present,
            whole=isinstance(present, int),
            origin=origin,
            grows=field in kind.larger or away,
        )


def name_of(detector: Detector[Any]) -> str:
    """Return the name that a plan file has for a detector."""
    return type(detector).__name__.lower()
