"""What every test shares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

import small_tacotron2
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


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a tiny Tacotron2, 14 steps long; whoever changes it changes a copy."""
    return small_tacotron2.trained(tmp_path_factory.mktemp("trained"), steps=14, reduction=4, weight_mmi=1.0)
