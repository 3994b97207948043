"""Where a run is trained, and its batches with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from rerail.guard import Positioned


def chosen(name: str) -> torch.device:
    """Return the device of this name; `auto` is CUDA where there is one.

    Raises:
        ValueError: for one that this machine has not.
    """
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise ValueError("device: cuda was asked for, and torch sees none; give cpu, or auto")
    return torch.device("cuda" if name != "cpu" and there else "cpu")


def moved(batch: Any, device: torch.device) -> Any:  # noqa: ANN401 (a batch is whatever the task gives)
    """Return a batch with its tensors on a device; what is no tensor, and no mapping or sequence of them, stays."""
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, Mapping):
        return {name: moved(value, device) for name, value in batch.items()}
    if isinstance(batch, list | tuple):
        return type(batch)(moved(value, device) for value in batch)
    return batch


def kept_on(batches: Iterable[Any], device: torch.device) -> Iterable[Any]:
    """Return held-out batches on a device: a list is moved once, others are each time, as they come."""
    if isinstance(batches, Sequence):
        return [moved(batch, device) for batch in batches]
    return _Anew(batches, device)


class _Anew:
    def __init__(self, batches: Iterable[Any], device: torch.device) -> None:
        self.batches, self.device = batches, device

    def __iter__(self) -> Iterator[Any]:
        return (moved(batch, self.device) for batch in self.batches)


class Moved:
    """Batches of a loader, moved to a device as they come; the position is the loader's own."""

    def __init__(self, data: Positioned, device: torch.device) -> None:
        self.data, self.device = data, device

    def __iter__(self) -> Iterator[Any]:
        """Yield batches from the present position on."""
        for batch in self.data:  # type: ignore[attr-defined]
            yield moved(batch, self.device)

    def state_dict(self) -> dict[str, Any]:
        """Return the loader's position."""
        return self.data.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """Go to a position."""
        self.data.load_state_dict(state_dict)
