"""Whether a batch looks like those before it: each of its tensors by itself, never how one goes with another."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

FARTHER = 2.0  # times as far from the mean of all as the farthest batch before
FEWEST = 4  # batches before
LEAST, TINY = 0.05, 1e-12  # the share of the usual size that a number strays by at least
KINDS = 512  # whole numbers that are counted one by one


def alike(tensors: Sequence[Tensor], kept: Sequence[Sequence[Tensor]]) -> bool:
    """Say whether every tensor `(rows, ...)` of a batch is like those in its place in the batches `kept`.

    Compared is the mean over rows: of each number where shapes are equal, else of a row's mean and root mean square; of
    whole numbers the shares in which they occur. A batch is like the others where this lies no farther than `FARTHER`
    times the farthest of them from the mean of them all, so that small batches may stray as small batches do.
    """
    before = [one for one in kept if len(one) == len(tensors)]
    if len(before) < FEWEST:
        return False
    return all(_near(one, [batch[place] for batch in before]) for place, one in enumerate(tensors))


def _near(tensor: Tensor, others: Sequence[Tensor]) -> bool:
    whole = not tensor.is_floating_point()
    same = all(one.shape[1:] == tensor.shape[1:] for one in others)
    looks = [_counted(one) if whole else _mean(one, same=same) for one in (*others, tensor)]
    centre = torch.stack(looks[:-1]).mean(0)
    spread = torch.stack(looks[:-1]).std(0)
    floor = LEAST * max(float(centre.abs().mean()), TINY)  # a number that never varied tells nothing by a hair
    unit = torch.ones_like(spread) if whole else spread.clamp(min=floor)
    away = [float(((one - centre) / unit).square().mean().sqrt()) for one in looks]
    return away[-1] <= FARTHER * max(away[:-1])


def _mean(tensor: Tensor, *, same: bool) -> Tensor:
    flat = tensor.detach().reshape(len(tensor), -1).double()
    if not same:
        flat = torch.stack([flat.mean(1), flat.square().mean(1).sqrt()], 1)
    return flat.mean(0)


def _counted(tensor: Tensor) -> Tensor:
    found = torch.bincount(tensor.detach().reshape(-1).long().remainder(KINDS), minlength=KINDS).double()
    return found / max(1, tensor.numel())
