"""The findings that are told and never answered: the run is alive, and learns badly or nothing."""

from __future__ import annotations

from collections.abc import Iterable

from rerail.core.finding import Finding

GOOD = frozenset({"loss.stable", "stage.reached", "stage.ready"})  # told, and nothing to mend
PLAIN = frozenset({"scale.overflow", "input.far", "input.unfit", "input.raised", "input.stopped", "input.exhausted"})


def speak_for_themselves(findings: Iterable[Finding]) -> bool:
    """Say whether nothing need be replayed: a scale that backs off, rows that are bad by what they hold."""
    return {found.code for found in findings if found.code not in TOLD} <= PLAIN


TOLD = frozenset(
    {
        "activation.drift",
        "alignment.guide",
        "attention.collapse",
        "device.unused",
        "embedding.apart",
        "embedding.collapse",
        "encoder.frozen",
        "gate.stuck",
        "gradient.missing",
        "gradient.vanishing",
        "gradient.zero",
        "input.constant",
        "input.drift",
        "input.range",
        "input.stuck",
        "input.twice",
        "input.unnormalised",
        "kl.collapse",
        "kl.explosion",
        "labels.imbalanced",
        "loss.chance",
        "loss.divergence",
        "loss.dominated",
        "loss.mismatch",
        "loss.oscillation",
        "loss.overfit",
        "loss.plateau",
        "loss.stable",
        "loss.still",
        "loss.zero",
        "memory.creep",
        "nan.hidden",
        "negatives.false",
        "optimizer.exploding",
        "optimizer.setting",
        "optimizer.stale",
        "random.changed",
        "rate.lowered",
        "scale.clamped",
        "scale.thrash",
        "stage.missed",
        "stage.ready",
        "stage.reached",
        "time.slow",
        "time.starved",
        "units.dead",
        "units.saturated",
        "update.large",
        "update.small",
        "weight.kl",
        "weight.stop",
        "weights.unchanged",
        "weights.wide",
    }
)
