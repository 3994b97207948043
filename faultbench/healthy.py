"""Healthy runs that a guard must leave alone: as diverse and as noisy as healthy runs really are.

Each has 150 batches, stays finite, and learns. Several look bad at a glance: heavy-tailed losses, legitimate minus
infinities in a mask, losses that are negative, exactly zero, or twenty times their median now and then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import healthy_plain as plain
from . import healthy_sequences as sequences
from .case import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthy:
    """A run with nothing wrong in it."""

    name: str  # kebab-case, unique
    package: str  # "" where the model is our own
    build: Callable[[int], Run]


HEALTHY: tuple[Healthy, ...] = (
    Healthy(name="heavy-tailed-noise", package="", build=plain.heavy_tails),
    Healthy(name="rare-outliers", package="", build=plain.rare_outliers),
    Healthy(name="batch-of-two", package="", build=plain.batch_of_two),
    Healthy(name="curriculum-grows-harder", package="", build=plain.curriculum),
    Healthy(name="negative-log-likelihood", package="", build=plain.negative_loss),
    Healthy(name="weight-decay-only", package="", build=plain.decay_only),
    Healthy(name="imbalanced-classes", package="", build=plain.imbalanced),
    Healthy(name="momentum-warm-restarts", package="", build=plain.warm_restarts),
    Healthy(name="adamw-one-cycle", package="", build=plain.one_cycle),
    Healthy(name="strong-dropout", package="", build=plain.dropout),
    Healthy(name="batch-norm-convnet", package="", build=plain.batch_norm),
    Healthy(name="frozen-encoder", package="", build=plain.frozen_encoder),
    Healthy(name="half-autocast", package="", build=plain.half_autocast),
    Healthy(name="bfloat-autocast", package="", build=plain.bfloat),
    Healthy(name="gru-language-model", package="", build=sequences.gru),
    Healthy(name="clipped-rnn", package="", build=sequences.clipped_rnn),
    Healthy(name="masked-attention", package="", build=sequences.masked_attention),
    Healthy(name="sparse-embedding", package="", build=sequences.sparse_embedding),
    Healthy(name="vae-kl-warmup", package="", build=sequences.vae_warmup),
    Healthy(name="contrastive-temperature", package="", build=sequences.contrastive),
    Healthy(name="three-losses-one-zero", package="", build=sequences.three_losses),
)
