"""Contrastive losses over a batch of pairs, symmetric between pictures and voices.

Embeddings have length 1. No row of an identity is ever taken for a negative of another, so a batch with several clips
of an identity holds no false negatives: `multi_positive` and `sigmoid` take them for positives, the others leave them
out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Name = Literal["infonce", "multi-positive", "sigmoid", "triplet"]
MARGIN = 0.2  # of cosines, between a positive and the hardest negative


def infonce(pictures: Tensor, voices: Tensor, same: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """InfoNCE of each pair (van den Oord et al. 2018, arXiv:1807.03748), both ways; ln(rows) is chance.

    Other rows of the pair's identity are left out of its denominator.

    pictures, voices: (batch, width); same: (batch, batch) bool, True where two rows are of one identity; scale: the
    inverse of the temperature; bias: unused.
    """
    del bias
    logits = scale * pictures @ voices.T
    own = torch.eye(len(same), dtype=torch.bool, device=same.device)
    logits = logits.masked_fill(same & ~own, -math.inf)
    target = torch.arange(len(same), device=same.device)
    return 0.5 * (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target))


def multi_positive(pictures: Tensor, voices: Tensor, same: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """InfoNCE with every row of the identity a positive (Khosla et al. 2020, arXiv:2004.11362, L_out), both ways."""
    del bias
    logits, share = scale * pictures @ voices.T, same.float() / same.sum(1, keepdim=True)
    return 0.5 * (functional.cross_entropy(logits, share) + functional.cross_entropy(logits.T, share))


def sigmoid(pictures: Tensor, voices: Tensor, same: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Each pair of the batch judged by itself (Zhai et al. 2023, arXiv:2303.15343), summed over a row."""
    sign = torch.where(same, 1.0, -1.0)
    return -functional.logsigmoid(sign * (scale * pictures @ voices.T + bias)).sum(1).mean()


def triplet(pictures: Tensor, voices: Tensor, same: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Hinge between each pair and its hardest negative (Faghri et al. 2018, arXiv:1707.05612), both ways.

    0 in a batch of one identity, which has no negatives.
    """
    del scale, bias
    cosines = pictures @ voices.T
    hardest = cosines.masked_fill(same, -1.0)
    own = cosines.diagonal()
    across, down = hardest.amax(1), hardest.amax(0)
    return 0.5 * sum((functional.relu(MARGIN + far - own).mean() for far in (across, down)), cosines.new_zeros(()))


Loss = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
LOSSES: dict[Name, Loss] = {
    "infonce": infonce,
    "multi-positive": multi_positive,
    "sigmoid": sigmoid,
    "triplet": triplet,
}


def alike(identity: Tensor) -> Tensor:
    """Which rows are of one identity; (batch,) int64 -> (batch, batch) bool."""
    return identity[:, None] == identity[None, :]
