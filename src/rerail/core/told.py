"""The findings that are told and never answered: the run is alive, and learns badly or nothing."""

from __future__ import annotations

TOLD = frozenset(
    {
        "activation.drift",
        "attention.collapse",
        "embedding.collapse",
        "gate.stuck",
        "gradient.missing",
        "gradient.vanishing",
        "gradient.zero",
        "input.constant",
        "input.drift",
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
        "loss.still",
        "loss.zero",
        "memory.creep",
        "optimizer.exploding",
        "optimizer.stale",
        "scale.clamped",
        "scale.thrash",
        "time.slow",
        "time.starved",
        "units.dead",
        "units.saturated",
        "update.large",
        "update.small",
        "weights.unchanged",
    }
)
