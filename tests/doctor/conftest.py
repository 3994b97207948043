"""Small real runs for the doctor, healthy ones and broken ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.doctor import Check, examine
from rerail.guard import Guard
from toy import OPEN

Batch = dict[str, Tensor]
Examine = Callable[..., dict[str, Check]]
CLASSES = 5


def classifier() -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, CLASSES))


def batch() -> Batch:
    x = torch.randn(12, 8, generator=torch.Generator().manual_seed(1))
    return {"x": x, "label": x[:, :CLASSES].argmax(1)}


def guarded(
    model: nn.Module,
    losses: Callable[[Mapping[str, Tensor]], Any] | None = None,
    optimizer: Any = None,
    **more: Any,
) -> Guard:
    def cross_entropy(given: Mapping[str, Tensor]) -> Tensor:
        return functional.cross_entropy(model(given["x"]), given["label"])

    guard = Guard(model, optimizer or torch.optim.Adam(model.parameters(), 1e-2), losses or cross_entropy, **more)
    OPEN.append(guard)
    return guard


@pytest.fixture
def look() -> Examine:
    """Examine, and return the checks by name."""

    def look(model: nn.Module, losses: Any = None, optimizer: Any = None, *, given: Any = None, **more: Any) -> Any:
        told = {key: more.pop(key) for key in ("seconds", "draws_in_eval", "watch") if key in more}
        guard = guarded(model, losses, optimizer, **more)
        checks = examine(guard, batch() if given is None else given, **{"seconds": 10.0, **told})
        return {check.name: check for check in checks}

    return look
