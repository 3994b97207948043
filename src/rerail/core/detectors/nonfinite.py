"""Belief: a number that must be finite is not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.reading import Reading

_ROWS = {"input/unfit": "input.unfit", "input/raised": "input.raised"}  # rows that were accused by others


@dataclass(frozen=True, slots=True, kw_only=True)
class NonFiniteMemory:
    """Nothing: a non-finite number needs no history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NonFinite:
    """Name the non-finite signals nearest to the root: input rows before weights, losses before gradients.

    What stands later in that row follows from what stands earlier, so it is not reported beside it. Before all of them
    comes an overflow of the loss scale, which says nothing about the data. `allow_backoff` is how many overflows of a
    dynamic loss scale in a row are normal: the scale is halved and the run goes on. Before the first step any number
    is, down to a scale of 1: it starts high and finds its place.
    """

    allow_backoff: int = 3

    def init(self) -> NonFiniteMemory:
        """Return empty memory."""
        return NonFiniteMemory()

    def update(self, memory: NonFiniteMemory, reading: Reading) -> tuple[NonFiniteMemory, tuple[Finding, ...]]:
        """Report the non-finite signals nearest to the root."""
        return memory, self._find(reading)

    def _find(self, reading: Reading) -> tuple[Finding, ...]:
        losses = _nonfinite(reading.under("loss"))
        if not losses and _scale_may_back_off(reading, self.allow_backoff):
            return (Finding(code="scale.overflow", signal="scale", evidence=_exact(reading, "scale")),)
        if rows := reading.under("input/nonfinite"):
            return (Finding(code="nonfinite.input", signal="input/nonfinite", evidence=rows),)
        for signal, code in _ROWS.items():
            if rows := reading.under(signal):
                return (Finding(code=code, signal=signal, evidence=rows),)
        for kind, prefix in (("weights", "weight/norm"), ("loss", "loss"), ("gradient", "grad/norm")):
            if bad := _nonfinite({**_exact(reading, prefix), **reading.under(prefix)}):
                return _findings(f"nonfinite.{kind}", bad, total={"weight/norm", "loss/total", "grad/norm"})
        return ()


def _exact(reading: Reading, name: str) -> dict[str, float]:
    return {name: reading.values[name]} if name in reading.values else {}


def _nonfinite(values: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if not math.isfinite(value)}


def _scale_may_back_off(reading: Reading, allowed: int) -> bool:
    overflowed = not math.isfinite(reading.values.get("grad/norm", 0.0))
    weights = _nonfinite({**_exact(reading, "weight/norm"), **reading.under("weight/norm")})
    begins = reading.values.get("step", 1.0) == 0
    patient = begins or reading.values.get("scale/backoffs", 0.0) < allowed
    scaled = reading.values.get("scale", 1.0) > 1.0 and patient
    return overflowed and scaled and not weights


def _findings(code: str, bad: dict[str, float], total: set[str]) -> tuple[Finding, ...]:
    # A total is reported only where no part of it is known to be the culprit.
    parts = {name: value for name, value in bad.items() if name not in total} or bad
    if code == "nonfinite.loss":
        return tuple(Finding(code=code, signal=name, evidence={name: value}) for name, value in parts.items())
    return (Finding(code=code, signal=min(parts), evidence=parts),)
