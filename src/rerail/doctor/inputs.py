"""What is in the batch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from rerail.act import rows
from rerail.doctor.check import Check, failed, found, skipped, some
from rerail.doctor.patient import Patient
from rerail.sense.content import FEWEST, content

NAME = "the batch"
LARGE = 30.0  # root mean square; features of a unit scale, and log spectrograms (some -11), are far below
FLAT = 20.0  # mean over standard deviation
DO = {
    "not finite": "mend or leave out these samples before training; `rerail check` looks through a corpus",
    "constant": "a feature that never changes tells nothing: is it read, and is it masked?",
    "duplicates": "the loader gives the same sample twice: look at its sampler and its seed in each worker",
    "unnormalised": "subtract the mean and divide by the standard deviation of the training data",
}


def inputs(patient: Patient) -> Check:
    """Look for numbers that are not finite, constant tensors, rows that are there twice, and unnormalised features."""
    tensors = rows.tensors(patient.batch)
    if not tensors:
        return skipped(NAME, "there is no tensor in it")
    named = [(name, one) for name, one in _named(patient.batch) if one.is_floating_point() and one.numel()]
    count = rows.count(patient.batch)
    whole = [(name, one) for name, one in named if not _mask(name, one)]
    complaints = {
        "not finite": [f"{name}: {wrong}" for name, one in whole if (wrong := int((~torch.isfinite(one)).sum()))],
        "constant": [told for name, one in whole if one.dim() > 1 for told in _constant(name, one, count)],
        "duplicates": _twice(patient.batch),
        "unnormalised": [told for name, one in whole if one.dim() > 1 and (told := _unnormalised(name, one))],
    }
    bad = {kind: names for kind, names in complaints.items() if names}
    ranges = [f"{name} {float(one.min()):.3g} to {float(one.max()):.3g}" for name, one in named]
    told = some([f"{count} rows", *ranges], most=4)
    seen = {"rows": count} | {kind: len(names) for kind, names in complaints.items()}
    if not bad:
        return found(NAME, told, **seen)
    first = next(iter(bad))
    return failed(NAME, "; ".join(f"{kind}: {some(names)}" for kind, names in bad.items()), DO[first], **seen)


def _twice(batch: object) -> list[str]:
    found_rows = content(rows.by_row(batch), [], rows.ids(batch)).unfit
    return [f"row {row}" for row, reason in sorted(found_rows.items()) if "twice" in reason]


def _unnormalised(name: str, tensor: Tensor) -> str:
    kept = tensor[torch.isfinite(tensor)].double()
    if kept.numel() < 2:  # noqa: PLR2004 (one number has no spread)
        return ""
    size, mean, spread = float(kept.square().mean().sqrt()), float(kept.mean()), float(kept.std())
    off = size > LARGE or (spread > 0 and abs(mean) > FLAT * spread)
    return f"{name} (mean {mean:.3g}, standard deviation {spread:.3g})" if off else ""


def _constant(name: str, tensor: Tensor, count: int) -> list[str]:
    """Name the tensor where it is constant, else each of its rows that is and is long enough for that to tell."""
    if tensor.numel() > 1 and _spread(tensor) == 0:
        return [name]
    if tensor.shape[0] != count or tensor[0].numel() < FEWEST:
        return []
    return [f"{name} row {number}" for number, row in enumerate(tensor) if _spread(row) == 0]


def _spread(tensor: Tensor) -> float:
    low, high = torch.aminmax(tensor)
    spread = float(high) - float(low)
    return math.inf if math.isnan(spread) else spread


def _mask(name: str, tensor: Tensor) -> bool:
    """Say whether it is added to or multiplied onto others; zeros alone are one where they are called so."""
    marks = (tensor.isneginf() | (tensor == 0) | (tensor == 1)).all()
    return bool(marks) and (bool(tensor.any()) or "mask" in name.lower())


def _named(batch: object, name: str = "batch") -> Iterator[tuple[str, Tensor]]:
    if isinstance(batch, Tensor):
        yield name, batch
    elif isinstance(batch, Mapping):
        for key, value in batch.items():
            yield from _named(value, str(key))
    elif isinstance(batch, Sequence) and not isinstance(batch, str | bytes):
        for number, value in enumerate(batch):
            yield from _named(value, f"{name}[{number}]")
