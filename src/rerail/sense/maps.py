"""What the larger signals of a loss function say: attention maps, embeddings, gates; known by their names."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from rerail.alignment import diagonality

ROWS = 512  # of an embedding; a singular value decomposition grows with the third power
SUMS = 0.05  # how far from one the rows of an attention map may sum, for rounding in half precision
FEWEST = 2


def looked_at(signals: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return name -> 0-d tensor for every signal that is known by its name and has the shape of its kind."""
    found: dict[str, Tensor] = {}
    for name, signal in signals.items():
        if isinstance(signal, Tensor) and signal.is_floating_point() and signal.numel():
            look = next((look for words, look in _LOOKS if any(word in name.lower() for word in words)), None)
            values = look(signal.detach().float()) if look is not None else {}
            found |= {f"{value}/{name}": number for value, number in values.items()}
    return found


def attention(weights: Tensor) -> dict[str, Tensor]:
    """Look at an attention map; weights: (batch, ..., S, N), rows summing to one; heads count as batch.

    The keys of a row are those that any of its steps looks at, its steps those whose weights sum to one; so padding
    needs no lengths. Entropy is over the logarithm of the number of keys.
    """
    if weights.dim() < 3 or min(weights.shape[-2:]) < FEWEST:  # noqa: PLR2004 (batch, S, N)
        return {}
    maps = weights.flatten(0, -3)
    steps = (maps.sum(2) - 1.0).abs() < SUMS  # (batch, S)
    keys = (maps.amax(1) > 0).sum(1).clamp(min=FEWEST)  # (batch,)
    length = steps.sum(1).clamp(min=1)
    share = steps / (steps.sum().clamp(min=1))
    entropy = -torch.special.xlogy(maps, maps).sum(2) / keys.log()[:, None]
    place = maps.argmax(2)
    stuck = (place == place[:, :1]) & steps
    valid = torch.where(steps.any(), 1.0, math.nan)  # rows that do not sum to one are no attention
    return {
        "attention/entropy": (entropy * share).sum() * valid,
        "attention/largest": (maps.amax(2) * share).sum() * valid,
        "attention/diagonal": diagonality(maps, keys, length).mean() * valid,
        "attention/stuck": stuck.sum() / steps.sum(),
    }


def embedding(rows: Tensor) -> dict[str, Tensor]:
    """Look at an embedding; rows: (rows, dimensions).

    The effective rank is the exponential of the entropy of the singular values' shares (Roy and Vetterli 2007), over
    the largest rank possible, `size`.
    """
    if rows.dim() != 2 or min(rows.shape) < FEWEST:  # noqa: PLR2004 (rows, dimensions)
        return {}
    some = rows[:ROWS]
    std = some.std(0, correction=0).mean()
    if not bool(torch.isfinite(some).all()):  # the decomposition refuses them, and others tell of them
        return {}
    values = torch.linalg.svdvals(some - some.mean(0))
    share = values / values.sum().clamp(min=torch.finfo(values.dtype).tiny)
    size = min(some.shape)
    rank = (-torch.special.xlogy(share, share).sum()).exp() / size
    return {"embedding/std": std, "embedding/rank": rank, "embedding/size": torch.tensor(float(size))}


def gate(values: Tensor) -> dict[str, Tensor]:
    """Look at a gate; values of any shape but a scalar's: probabilities, or logits where any is outside 0 to 1."""
    if values.dim() == 0:
        return {}
    logits = ((values < 0) | (values > 1)).any()
    return {"gate/mean": torch.where(logits, values.sigmoid(), values).mean()}


_LOOKS: tuple[tuple[tuple[str, ...], Callable[[Tensor], dict[str, Tensor]]], ...] = (
    (("attention", "alignment"), attention),
    (("embedding",), embedding),
    (("gate", "stop"), gate),
)
