"""Rows of a batch: find its tensors and sample ids, and take rows out.

A batch is a tensor or an array, or a mapping, sequence or dataclass of them. Sample ids stand under the key `id`, and
then say how many rows there are; without them it is the length of the first tensor. Rows are dimension 0 of a tensor
where that has this length, else the one dimension that does (time first), or the items of a list that is this long. A
batch that cannot be taken apart like this has no rows: it holds packed sequences, or whole numbers of another length,
which point into the others (the edges of a graph, texts end to end).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

_NUMBERS = "fiub"  # kinds of arrays that torch knows


def tensors(batch: object) -> list[Tensor]:
    """Return every tensor of a batch, arrays as tensors that share their memory; sample ids are no content."""
    return list(_tensors(batch))


def _tensors(batch: object) -> Iterator[Tensor]:
    if isinstance(batch, Tensor):
        yield batch
    elif isinstance(batch, np.ndarray):
        if batch.dtype.kind in _NUMBERS:
            yield torch.from_numpy(batch if batch.flags.writeable else batch.copy())
    else:
        for value in _inside(batch):
            yield from _tensors(value)


def _inside(batch: object) -> Iterator[object]:
    if isinstance(batch, Mapping):
        yield from (value for key, value in batch.items() if key != "id")
    elif isinstance(batch, Sequence) and not isinstance(batch, str | bytes):
        yield from batch
    elif is_dataclass(batch) and not isinstance(batch, type):
        yield from (getattr(batch, one.name) for one in fields(batch))


def count(batch: object) -> int:
    """Return how many rows a batch has; 0 where it cannot be taken apart."""
    length = len(ids(batch)) or next((one.shape[0] for one in filter(plain, _tensors(batch)) if one.dim()), 0)
    return length if length and _divides(batch, length) else 0


def _divides(part: object, length: int) -> bool:
    if isinstance(part, PackedSequence):
        return False
    if isinstance(part, Tensor):
        return not _points(part) or dimension(part, length) is not None
    if isinstance(part, np.ndarray):
        return all(_divides(one, length) for one in _tensors(part))
    return _listed(part, length) or all(_divides(one, length) for one in _inside(part))


def _points(tensor: Tensor) -> bool:
    whole = not tensor.is_floating_point() and not tensor.is_complex() and tensor.dtype is not torch.bool
    return tensor.is_nested or (whole and tensor.dim() > 0 and plain(tensor))


def plain(tensor: Tensor) -> bool:
    """Say whether a tensor is dense and of one shape, so that its numbers can be looked at."""
    return tensor.layout is torch.strided and not tensor.is_nested


def dimension(tensor: Tensor, length: int) -> int | None:
    """Return the dimension of `tensor` that the `length` rows are, None where it has none."""
    if not plain(tensor) or not length:
        return None
    if tensor.dim() and tensor.shape[0] == length:
        return 0
    fitting = [one for one, size in enumerate(tensor.shape) if size == length]
    return fitting[0] if len(fitting) == 1 else None


def by_row(batch: object) -> list[Tensor]:
    """Return what a batch holds of each row: `(rows, ...)`, from each tensor, array or list that has rows."""
    return list(_by_row(batch, count(batch)))


def _by_row(part: object, length: int) -> Iterator[Tensor]:
    if isinstance(part, Tensor):
        if (where := dimension(part, length)) is not None and not part.is_complex():
            yield part.detach().movedim(where, 0)
    elif isinstance(part, np.ndarray):
        for one in _tensors(part):
            yield from _by_row(one, length)
    elif _listed(part, length):
        yield from _padded(part)
    else:
        for value in _inside(part):
            yield from _by_row(value, length)


def _listed(part: object, length: int) -> bool:
    """Say whether a list has an item a row: tensors that are not rows side by side themselves."""
    if not isinstance(part, list | tuple) or hasattr(part, "_fields") or len(part) != length or length == 0:
        return False
    if not all(isinstance(one, Tensor) for one in part):
        return not any(_tensors(part)) or all(isinstance(one, Mapping) for one in part)
    return not all(dimension(one, length) == 0 for one in part)


def _padded(part: Any) -> Iterator[Tensor]:  # noqa: ANN401 (a list of tensors, or of what holds none)
    if not all(isinstance(one, Tensor) and plain(one) and one.numel() for one in part):
        return
    flat = [one.detach().reshape(-1) for one in part]  # filled up with its own first number, a row stays what it was
    longest = max(len(one) for one in flat)
    yield torch.stack([torch.cat([one, one[:1].expand(longest - len(one))]) for one in flat])


def ids(batch: object) -> list[str]:
    """Return the sample ids, one a row, or nothing where the batch names none."""
    given = batch.get("id") if isinstance(batch, Mapping) else None
    if given is None or isinstance(given, str):
        return []
    return [str(one) for one in (given.tolist() if isinstance(given, Tensor | np.ndarray) else given)]


def select(batch: Any, rows: Sequence[int]) -> Any:  # noqa: ANN401 (a batch is whatever the user's loader gives)
    """Return the batch with only `rows` (indices, in this order). What has another length is passed on."""
    return _select(batch, rows, count(batch))


def _select(part: Any, rows: Sequence[int], length: int) -> Any:  # noqa: ANN401
    if isinstance(part, Tensor):
        where = dimension(part, length)
        return part if where is None else part.index_select(where, torch.as_tensor(rows, device=part.device))
    if isinstance(part, np.ndarray):
        return part[list(rows)] if part.ndim and part.shape[0] == length else part
    if isinstance(part, Mapping):
        return _rebuilt(part, {key: _select(value, rows, length) for key, value in part.items()})
    if is_dataclass(part) and not isinstance(part, type):
        return replace(part, **{one.name: _select(getattr(part, one.name), rows, length) for one in fields(part)})
    return _selected(part, rows, length) if isinstance(part, Sequence) and not isinstance(part, str | bytes) else part


def _selected(part: Any, rows: Sequence[int], length: int) -> Any:  # noqa: ANN401 (a sequence of any kind)
    if _listed(part, length) or not any(True for _ in _tensors(part)):
        return type(part)([part[row] for row in rows]) if len(part) == length else part
    picked = [_select(item, rows, length) for item in part]
    return type(part)(*picked) if hasattr(part, "_fields") else type(part)(picked)


def _rebuilt(part: Mapping[Any, Any], chosen: dict[Any, Any]) -> Mapping[Any, Any]:
    if type(part) is dict or not isinstance(part, MutableMapping):
        return chosen
    made = copy.copy(part)  # a mapping of another kind may be more than its items: attributes, say
    for key, value in chosen.items():
        made[key] = value
    return made


def columns(batch: object) -> list[str]:
    """Return the parts of a batch by name; a key and those that begin with it (`text`, `text_length`) are one.

    Places stand for names where the batch is a sequence. Parts without rows, and the sample ids, are none.
    """
    length = count(batch)
    names = [name for name, part in _parts(batch) if name != "id" and any(True for _ in _by_row(part, length))]
    return [name for name in names if not any(name.startswith(f"{other}_") for other in names)]


def roll(batch: Any, column: str, places: int) -> Any:  # noqa: ANN401 (a batch is whatever the user's loader gives)
    """Return the batch with one of its `columns` moved on by `places` rows: row n has what row n - places had."""
    length = count(batch)
    order = [(row - places) % length for row in range(length)]
    moved = {
        name: _select(part, order, length)
        for name, part in _parts(batch)
        if name == column or name.startswith(f"{column}_")
    }
    if isinstance(batch, Mapping):
        return _rebuilt(batch, {**batch, **moved})
    if is_dataclass(batch) and not isinstance(batch, type):
        return replace(batch, **moved)
    picked = [moved.get(name, part) for name, part in _parts(batch)]
    return type(batch)(*picked) if hasattr(batch, "_fields") else type(batch)(picked)


def _parts(batch: Any) -> list[tuple[str, Any]]:  # noqa: ANN401
    if isinstance(batch, Mapping):
        return [(key, value) for key, value in batch.items() if isinstance(key, str)]
    if is_dataclass(batch) and not isinstance(batch, type):
        return [(one.name, getattr(batch, one.name)) for one in fields(batch)]
    if isinstance(batch, Sequence) and not isinstance(batch, str | bytes) and not _listed(batch, count(batch)):
        return [(str(place), part) for place, part in enumerate(batch)]
    return []
