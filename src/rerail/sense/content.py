"""Rows whose content is unlike that of all rows seen: what a person would call bad data, before any model sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

FAR = 10.0  # times the largest magnitude seen
TINY = 1e-12
FEWEST = 16  # as a signal or a picture has; a short vector of zeros can be meant


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a tensor's rows look like: largest magnitude, smallest number, and whether a constant row is among them."""

    largest: float
    smallest: float
    constant: bool
    finite: bool


@dataclass(frozen=True, slots=True)
class Content:
    """Rows that stand out, with the reason: `unfit` could not have been meant, `far` are only far from all others."""

    unfit: Mapping[int, str]
    far: Mapping[int, str]


def content(tensors: Sequence[Tensor], kept: Sequence[Sequence[Tensor]], ids: Sequence[str] = ()) -> Content:
    """Look at the rows of a batch's `tensors`, each `(rows, ...)`, beside those of healthy batches, in the same order.

    Unfit is a number that is not finite, a constant row where none was (unless the row's own mask says that it is
    empty), a single whole number of 0 or less where all were positive (a length, say), or a row that is there twice
    where none was, unless under the same of the `ids`: a sampler that draws with replacement. Far is a magnitude `FAR`
    times beyond any seen.
    """
    unfit: dict[int, str] = {}
    far: dict[int, str] = {}
    before = [batch for batch in kept if len(batch) == len(tensors)]
    empty = _declared_empty(tensors)
    for place, tensor in enumerate(tensors):
        seen = _seen([batch[place] for batch in before])
        for row, numbers in enumerate(tensor.reshape(len(tensor), -1)):
            if reason := _unfit(numbers, seen, declared=row in empty):
                unfit.setdefault(row, reason)
            elif reason := _far(numbers, seen):
                far.setdefault(row, reason)
    twice = _twice(tensors, ids)
    if twice and not any(_twice(batch) for batch in before):
        unfit |= {row: "the same row is in the batch twice" for row in twice if row not in unfit}
    return Content(unfit=unfit, far=far)


def _unfit(numbers: Tensor, seen: _Seen | None, *, declared: bool) -> str:
    if numbers.is_floating_point() and (bad := int((numbers.isnan() | numbers.isposinf()).sum())):
        return "" if seen is not None and not seen.finite else f"{bad} of {numbers.numel()} numbers are not finite"
    if numbers.is_floating_point() and (bad := int(numbers.isneginf().sum())) and seen is not None and seen.finite:
        return f"{bad} of {numbers.numel()} numbers are minus infinity"
    if seen is None or not numbers.numel() or numbers.dtype is torch.bool:
        return ""
    value = float(numbers.min())
    if numbers.is_floating_point() and _constant(numbers) and not seen.constant and not declared:
        return f"every number is {value:.3g}, where no other row was constant"
    if not numbers.is_floating_point() and numbers.numel() == 1 and value <= 0 < seen.smallest:
        return f"a value of {value:.0f}, where no other row had less than {seen.smallest:.0f}"
    return ""


def _far(numbers: Tensor, seen: _Seen | None) -> str:
    if seen is None or not numbers.numel() or numbers.dtype is torch.bool:
        return ""
    known = numbers[torch.isfinite(numbers)] if numbers.is_floating_point() else numbers
    largest = float(known.abs().max()) if known.numel() else 0.0
    if largest <= FAR * max(seen.largest, TINY):
        return ""
    return f"a magnitude of {largest:.3g}, where no other row passed {seen.largest:.3g}"


def _declared_empty(tensors: Sequence[Tensor]) -> set[int]:
    masks = [one.reshape(one.shape[0], -1) for one in tensors if one.dtype is torch.bool and one.dim() > 1]
    return {row for mask in masks for row, said in enumerate(mask) if bool((said == said[0]).all())}


def _twice(tensors: Sequence[Tensor], ids: Sequence[str] = ()) -> list[int]:
    """Return the rows that are equal to one of another id in every tensor that tells rows apart."""
    telling = [one.detach().cpu().contiguous() for one in tensors if one.dim() > 1 and one.numel()]
    if not telling:
        return []
    rows = [b"".join(one[row].view(torch.uint8).numpy().tobytes() for one in telling) for row in range(len(telling[0]))]
    drawn = set(zip(ids, rows, strict=True)) if len(ids) == len(rows) else list(enumerate(rows))
    count = Counter(row for _, row in drawn)
    return [number for number, row in enumerate(rows) if count[row] > 1]


def _constant(numbers: Tensor) -> bool:
    return numbers.numel() >= FEWEST and bool((numbers == numbers[0]).all())


def _seen(tensors: Sequence[Tensor]) -> _Seen | None:
    flat = [one.detach().reshape(one.shape[0], -1) for one in tensors if one.dim() and one.numel()]
    if not flat:
        return None
    finite = [one[torch.isfinite(one)] if one.is_floating_point() else one for one in flat]
    kept = [one.double() for one in finite if one.numel()]
    if not kept:
        return None
    return _Seen(
        largest=max(float(one.abs().max()) for one in kept),
        smallest=min(float(one.min()) for one in kept),
        constant=any(one.shape[1] >= FEWEST and bool((one == one[:, :1]).all(1).any()) for one in flat),
        finite=all(
            len(one) == full.numel() for one, full in zip(finite, flat, strict=True) if full.is_floating_point()
        ),
    )
