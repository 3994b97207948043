"""What every test shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

import toy


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while toy.OPEN:
        toy.OPEN.pop().close()
