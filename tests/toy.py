"""A small regression run that the tests derail in various ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rerail.guard import Guard
from rerail.prove import prover

torch.set_num_threads(1)  # tests run side by side, and small tensors only wait for a second thread

OPEN: list[Guard] = []  # closed after each test


def network() -> nn.Sequential:
    # No bias before BatchNorm: its gradient is rounding noise, which Adam blows up.
    return nn.Sequential(nn.Linear(8, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 1))


@dataclass
class Loader:
    """Endless batches, made from the position alone, so that any position can be gone back to."""

    seed: int = 0
    index: int = 0
    faults: dict[int, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while True:
            generator = torch.Generator().manual_seed(1000 * self.seed + self.index)
            x = torch.randn(12, 8, generator=generator)
            batch = {"id": [f"{self.index}:{row}" for row in range(12)], "x": x, "y": x.sum(1, keepdim=True)}
            fault = self.faults.get(self.index)
            self.index += 1
            yield fault(batch) if fault else batch

    def state_dict(self) -> dict[str, int]:
        return {"index": self.index}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        self.index = state["index"]


@dataclass
class Toy:
    """A model, its optimizer and schedule, and a guard over them."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    loader: Loader
    guard: Guard

    def train(self, steps: int) -> None:
        for batch in self.loader:
            self.guard.step(batch)
            if self.guard.steps >= steps:
                return

    def weights(self) -> list[Tensor]:
        return [tensor.clone() for tensor in self.model.state_dict().values()]


def toy(*, faults: dict[int, Any] | None = None, **guard: Any) -> Toy:
    torch.manual_seed(7)
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step / 50))
    loader = Loader(faults=faults or {})

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        off = model(batch["x"]) - batch["y"]
        return {"square": off.square().mean(), "absolute": off.abs().mean()}

    given = {"clip_norm": 1.0, "weights": {"absolute": 0.1}, **guard}
    made = Guard(model, optimizer, losses, scheduler=schedule, data=loader, **given)
    OPEN.append(made)
    return Toy(model=model, optimizer=optimizer, schedule=schedule, loader=loader, guard=made)


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def proofs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Gather every proof that a guard makes."""
    made = []
    real = prover.prove

    def prove(*given: Any, **more: Any) -> Any:
        made.append(real(*given, **more))
        return made[-1]

    monkeypatch.setattr(prover, "prove", prove)
    return made
