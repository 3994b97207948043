"""What a batch looks like: the scale of its inputs, rows without content, rows that come twice, its labels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from rerail.core.finding import Finding
from rerail.sense.content import FEWEST

SAME = 1e-12  # how near two rows' fingerprints are, of the largest
ROWS = ("input/nonfinite/", "input/unfit/", "input/raised/")  # signals that end in the number of a row
FEATURES = 4  # tensors whose largest magnitude is looked at every step
FAR = 100.0  # times the usual magnitude: a row beyond it is left out where the batch holds one far beyond that
MOST = 8  # tensors of a batch; more would fill the journal


def described(tensors: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return name -> 0-d tensor of one micro-batch; N in a name is the tensor's place in the batch.

    Of every floating tensor with rows `input/mean/N` and `input/std/N`, of those with features also `input/low/N`,
    `input/high/N` and `input/constant/N` (share of the rows); `input/twice` is the share of rows that occur more than
    once; of integer tensors with one number a row `label/classes/N` and `label/entropy/N`, in nats. A row of nothing
    but ones is a mask, and no constant row.
    """
    rows = next((one.shape[0] for one in tensors if one.dim()), 0)
    placed = [(n, one.detach()) for n, one in enumerate(tensors[:MOST]) if one.dim() and one.shape[0] == rows]
    whole = [(n, one) for n, one in placed if one.numel() and one.layout is torch.strided and not one.is_complex()]
    found: dict[str, Tensor] = {}
    for n, one in whole:
        if one.is_floating_point():
            found |= dict(_floating(n, one))
        elif one.dim() == 1 and one.dtype is not torch.bool and rows > 1:
            found |= _labels(n, one)
    telling = [one for _, one in whole if one.is_floating_point() and one[0].numel() >= FEWEST]
    return found | (_twice(telling, rows) if telling and rows > 1 else {})


def _floating(n: int, tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
    flat = tensor.reshape(tensor.shape[0], -1).float()
    yield f"input/mean/{n}", flat.mean()
    yield f"input/std/{n}", flat.std(correction=0)
    if flat.shape[1] > 1:
        yield f"input/low/{n}", flat.min()
        yield f"input/high/{n}", flat.max()
    if flat.shape[1] >= FEWEST:
        constant = (flat == flat[:, :1]).all(1) & (flat[:, 0] != 1.0)  # a row of ones is a mask without padding
        yield f"input/constant/{n}", constant.float().mean()


def _labels(n: int, labels: Tensor) -> dict[str, Tensor]:
    ordered = labels.sort().values
    begins = torch.cat([ordered.new_ones(1, dtype=torch.bool), ordered[1:] != ordered[:-1]])
    classes = begins.sum()
    counts = torch.zeros(len(labels), device=labels.device).index_add_(
        0, begins.cumsum(0) - 1, torch.ones(len(labels), device=labels.device)
    )
    share = counts / len(labels)
    return {f"label/classes/{n}": classes.float(), f"label/entropy/{n}": -torch.special.xlogy(share, share).sum()}


def _twice(tensors: Sequence[Tensor], rows: int) -> dict[str, Tensor]:
    """Compare fingerprints of the rows: a fixed sum of cosines over all their numbers. No random number is drawn."""
    prints = torch.zeros(rows, dtype=torch.float64, device=tensors[0].device)
    for place, one in enumerate(tensors):
        flat = one.reshape(rows, -1).to(prints.device, torch.float64)
        weight = torch.arange(flat.shape[1], dtype=torch.float64, device=flat.device).mul_(1.7).add_(place).cos_()
        prints += (flat * weight).sum(1)
    ordered = prints.sort().values
    same = (ordered[1:] - ordered[:-1]).abs() <= SAME * prints.abs().max()
    alike = torch.cat([same, same.new_zeros(1)]) | torch.cat([same.new_zeros(1), same])
    return {"input/twice": alike.float().mean()}


def largest(batches: Sequence[Sequence[Tensor]]) -> dict[str, Tensor]:
    """Return `input/largest/N`, 0-d: the largest magnitude in the Nth tensor of features, over all micro-batches.

    Each batch is a list of `(rows, ...)`. What is not finite makes it so; others tell of that.
    """
    found: dict[str, Tensor] = {}
    for tensors in batches:
        features = _features(tensors)
        norms = torch._foreach_norm(features, ord=math.inf) if features else ()  # noqa: SLF001 (one fused pass)
        for number, one in enumerate(norms):
            name = f"input/largest/{number}"
            found[name] = torch.maximum(found[name], one) if name in found else one
    return found


def accused(findings: Sequence[Finding], batches: Sequence[Sequence[Tensor]]) -> set[int]:
    """Return the rows, counted on through the micro-batches, that findings about the input speak of."""
    named = (name for found in findings for name in found.evidence if name.startswith(ROWS))
    limits = {found.signal: FAR * found.evidence["usual"] for found in findings if found.code == "input.far"}
    return {int(name.rpartition("/")[2]) for name in named} | _far_rows(batches, limits)


def _far_rows(batches: Sequence[Sequence[Tensor]], limits: Mapping[str, float]) -> set[int]:
    bad: set[int] = set()
    first = 0
    for tensors in batches:
        for number, one in enumerate(_features(tensors)):
            limit = limits.get(f"input/largest/{number}", math.inf)
            over = (one.detach().reshape(len(one), -1).abs() > limit).any(1)
            bad |= {first + row for row in over.nonzero().flatten().tolist()}
        first += len(tensors[0]) if tensors else 0
    return bad


def _features(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [one for one in tensors if one.is_floating_point() and one.dim() > 1 and one.numel()][:FEATURES]
