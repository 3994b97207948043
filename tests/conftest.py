"""What every test shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import toy
import torch


torch.set_num_threads(1)  # tests run side by side, and small tensors only wait for a second thread


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while toy.OPEN:
        toy.OPEN.pop().close()
