"""A tiny network without dropout, and a padded batch for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from rerail.tasks.xtts.config import SIZES
from rerail.tasks.xtts.model import Xtts

SYMBOLS, LANGUAGES, BANDS = 12, 3, 8
Batch = dict[str, Any]
MakeBatch = Callable[..., Batch]


@pytest.fixture
def tiny() -> Xtts:
    torch.manual_seed(0)
    size = replace(SIZES["tiny"], dropout=0.0, prenet_dropout=0.0, postnet_dropout=0.0)
    return Xtts(size, SYMBOLS, LANGUAGES, bands=BANDS, reduction=3)


@pytest.fixture
def make_voiced(make_batch: MakeBatch) -> MakeBatch:
    def make(*lengths: tuple[int, ...]) -> Batch:
        batch = make_batch(*lengths)
        rows = len(batch["text"])
        language = torch.arange(rows) % LANGUAGES
        return {
            **batch,
            "language": language,
            "reference": batch["mel"].flip(1),
            "reference_length": batch["mel_length"],
        }

    return make


@pytest.fixture
def voiced(make_voiced: MakeBatch) -> Batch:
    batch = make_voiced()
    generator = torch.Generator().manual_seed(1)
    return {
        **batch,
        "reference": torch.randn(3, 20, BANDS, generator=generator),
        "reference_length": torch.tensor([20, 9, 14]),
    }
