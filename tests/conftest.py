"""What every test shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

import toy

settings.register_profile("any machine", deadline=None)  # how long an example takes is no property of the code
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while toy.OPEN:
        toy.OPEN.pop().close()
