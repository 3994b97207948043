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


def content(tensors: Sequence[Tensor], count: int, kept: Sequence[Sequence[Tensor]]) -> Content:
    """Look at the rows of a batch's `tensors`, `count` of them, beside those of healthy batches, in the same order.

    Unfit is a number that is not finite, a constant row where none was (unless the row's own mask says that it is
    empty), a single whole number of 0 or less where all were positive (a length, say), or a row that is there twice
    where none was. Far is a magnitude `FAR` times beyond any seen. Tensors of another length have no rows.
    """
    unfit: dict[int, str] = {}
    far: dict[int, str] = {}
    with_rows = [n for n, one in enumerate(tensors) if _has_rows(one, count)]
    before = [[batch[n] for n in with_rows] for batch in kept if len(batch) == len(tensors)]
    empty = _declared_empty([tensors[n] for n in with_rows])
    for place, n in enumerate(with_rows):
        seen = _seen([batch[place] for batch in before])
        for row, numbers in enumerate(tensors[n].detach().reshape(count, -1)):
            if reason := _unfit(numbers, seen, declared=row in empty):
                unfit.setdefault(row, reason)
            elif reason := _far(numbers, seen):
                far.setdefault(row, reason)
    twice = _twice([tensors[n] for n in with_rows])
    if twice and not any(_twice(batch) for batch in before):
        unfit |= {row: "the same row is in the batch twice" for row in twice if row not in unfit}
    return Content(unfit=unfit, far=far)


def _has_rows(tensor: Tensor, count: int) -> bool:
    plain = tensor.layout is torch.strided and not tensor.is_complex()
    return plain and tensor.dim() > 0 and tensor.shape[0] == count


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
    largest = float(numbers.abs().max())
    if largest <= FAR * max(seen.largest, TINY):
        return ""
    return f"a magnitude of {largest:.3g}, where no other row passed {seen.largest:.3g}"


def _declared_empty(tensors: Sequence[Tensor]) -> set[int]:
    masks = [one.reshape(one.shape[0], -1) for one in tensors if one.dtype is torch.bool and one.dim() > 1]
    return {row for mask in masks for row, said in enumerate(mask) if bool((said == said[0]).all())}


def _twice(tensors: Sequence[Tensor]) -> list[int]:
    """Return the rows that are equal to another one in every tensor that tells rows apart."""
    telling = [one.detach().cpu().contiguous() for one in tensors if one.dim() > 1 and one.numel()]
    if not telling:
        return []
    rows = [b"".join(one[row].view(torch.uint8).numpy().tobytes() for one in telling) for row in range(len(telling[0]))]
    count = Counter(rows)
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
