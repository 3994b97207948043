"""A tiny network without dropout, and a padded batch for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.model import Tacotron2

SYMBOLS, BANDS = 12, 8
Batch = dict[str, Any]
MakeBatch = Callable[..., Batch]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """On products this small a second thread only waits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def tiny() -> Tacotron2:
    torch.manual_seed(0)
    size = replace(SIZES["tiny"], dropout=0.0, rnn_dropout=0.0, prenet_dropout=0.0)
    return Tacotron2(size, SYMBOLS, bands=BANDS, reduction=3)


@pytest.fixture
def make_batch() -> MakeBatch:
    def make(text_length: tuple[int, ...] = (9, 6, 4), mel_length: tuple[int, ...] = (31, 20, 12)) -> Batch:
        """Made-up speech: each symbol is a level that lasts its share of the frames."""
        generator = torch.Generator().manual_seed(0)
        rows, levels = len(text_length), torch.randn(SYMBOLS, BANDS, generator=generator)
        text = torch.zeros(rows, max(text_length), dtype=torch.long)
        mel = torch.full((rows, max(mel_length), BANDS), -11.5)
        for row, (symbols, frames) in enumerate(zip(text_length, mel_length, strict=True)):
            text[row, :symbols] = torch.randint(1, SYMBOLS, (symbols,), generator=generator)
            spoken = text[row, torch.arange(frames) * symbols // frames]
            mel[row, :frames] = -5.0 + 2.0 * levels[spoken]
        lengths = {"text_length": torch.tensor(text_length), "mel_length": torch.tensor(mel_length)}
        return {"id": [f"clip-{row}" for row in range(rows)], "text": text, "mel": mel, **lengths}

    return make


@pytest.fixture
def batch(make_batch: MakeBatch) -> Batch:
    return make_batch()
