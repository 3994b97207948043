"""Belief: the gradient has grown out of its usual range."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import median

from rerail.core.finding import Finding
from rerail.core.reading import Reading
from rerail.core.series import MAD_TO_SIGMA, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplosionMemory:
    """Natural logarithms of the accepted gradient norms, and of the suspects since."""

    accepted: Series = field(default_factory=Series)
    suspected: Series = field(default_factory=Series)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explosion:
    """The total gradient norm is `factor` times its median and `sigmas` robust deviations (of its logarithm) above it.

    Gradient norms are heavy-tailed, so the deviation is taken of the logarithm; however far they stray, `at_once` times
    the median is beyond them. `persistence` suspects in a row make a
    finding, or a single one beyond `at_once` times the median. Suspects and non-finite norms stay out of the window;
    a level that lasts `adopt` ticks becomes the new usual. The first `warmup` norms are only watched.
    """

    window: int = 48
    warmup: int = 12
    sigmas: float = 6.0
    factor: float = 10.0
    at_once: float = 1000.0
    persistence: int = 3
    adopt: int = 30

    def init(self) -> ExplosionMemory:
        """Return empty memory."""
        return ExplosionMemory()

    def update(self, memory: ExplosionMemory, reading: Reading) -> tuple[ExplosionMemory, tuple[Finding, ...]]:
        """Judge `grad/norm`."""
        norm = reading.values.get("grad/norm", 0.0)
        if not math.isfinite(norm) or norm <= 0:
            return memory, ()
        step = reading.values.get("step", float(reading.tick))
        known = memory.accepted.before(step)
        accepted = ExplosionMemory(accepted=known.add(step, math.log(norm), self.window))
        if len(known.values) < self.warmup:
            return accepted, ()
        usual = median(known.values)
        spread = MAD_TO_SIGMA * median(abs(value - usual) for value in known.values)
        over = math.log(norm) - usual
        if over <= max(min(self.sigmas * spread, math.log(self.at_once)), math.log(self.factor)):
            return accepted, ()
        suspected = memory.suspected.add(step, math.log(norm), self.adopt)
        suspects = len(suspected.values)
        if suspects >= self.adopt:
            return ExplosionMemory(accepted=suspected), ()
        memory = ExplosionMemory(accepted=known, suspected=suspected)
        if suspects % self.persistence and over < math.log(self.at_once):
            return memory, ()
        evidence = {"grad/norm": norm, "usual": math.exp(usual), "ticks": float(suspects)}
        return memory, (Finding(code="gradient.explosion", signal="grad/norm", evidence=evidence),)

    def wary(self, memory: ExplosionMemory) -> bool:
        """Say whether the last norm is suspect."""
        return bool(memory.suspected.values)
