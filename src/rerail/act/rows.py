"""Rows of a batch: find its tensors and sample ids, and take rows out.

A batch is a tensor, or a mapping or sequence of them; rows are dimension 0. Sample ids stand under the key `id`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def tensors(batch: object) -> list[Tensor]:
    """Return every tensor of a batch."""
    return list(_tensors(batch))


def _tensors(batch: object) -> Iterator[Tensor]:
    if isinstance(batch, Tensor):
        yield batch
    elif isinstance(batch, Mapping):
        for value in batch.values():
            yield from _tensors(value)
    elif isinstance(batch, Sequence) and not isinstance(batch, str | bytes):
        for value in batch:
            yield from _tensors(value)


def count(batch: object) -> int:
    """Return how many rows a batch has: the length of its first tensor with dimensions."""
    return next((tensor.shape[0] for tensor in _tensors(batch) if tensor.dim()), 0)


def ids(batch: object) -> list[str]:
    """Return the sample ids, one a row, or nothing where the batch names none."""
    given = batch.get("id") if isinstance(batch, Mapping) else None
    if given is None:
        return []
    return [str(one) for one in (given.tolist() if isinstance(given, Tensor) else given)]


def select(batch: Any, rows: Sequence[int]) -> Any:  # noqa: ANN401 (a batch is whatever the user's loader gives)
    """Return the batch with only `rows` (indices, in this order). What has another length is passed on."""
    return _select(batch, rows, count(batch))


def _select(part: Any, rows: Sequence[int], length: int) -> Any:  # noqa: ANN401
    if isinstance(part, Tensor):
        return part[torch.as_tensor(rows, device=part.device)] if part.dim() and part.shape[0] == length else part
    if isinstance(part, Mapping):
        return {key: _select(value, rows, length) for key, value in part.items()}
    if not isinstance(part, Sequence) or isinstance(part, str | bytes):
        return part
    if any(isinstance(item, Tensor | Mapping) for item in part):
        picked = [_select(item, rows, length) for item in part]
        return type(part)(*picked) if hasattr(part, "_fields") else type(part)(picked)  # type: ignore[call-arg]
    return [part[row] for row in rows] if len(part) == length else part
