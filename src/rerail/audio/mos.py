"""How good a sound seems to people, estimated without a reference: DistillMOS (arXiv:2502.05356), an extra."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from rerail.audio import files
from rerail.core.extras import need

SAMPLE_RATE = 16000
Opinion = Callable[[Tensor, int], float]  # samples (samples,), their rate in Hz -> mean opinion score, 1 to 5


def distilled() -> Opinion:
    """Return an estimator of the mean opinion score, 1 to 5.

    Raises:
        ModuleNotFoundError: naming the command that installs it.
    """
    with _without_torchaudio(), redirect_stdout(io.StringIO()):  # it tells where its weights lie
        model: Any = need("distillmos", extra="mos").ConvTransformerSQAModel()
    model.eval()

    @torch.no_grad()
    def judge(samples: Tensor, sample_rate: int) -> float:
        return float(model(files.resampled(samples, sample_rate, SAMPLE_RATE)[None]))

    return judge


@contextmanager
def _without_torchaudio() -> Iterator[None]:
    """Stand in for torchaudio, which the package imports, uses only to read files, and which often does not load."""
    if "torchaudio" in sys.modules:
        yield
        return
    sys.modules["torchaudio"] = ModuleType("torchaudio")
    try:
        yield
    finally:
        del sys.modules["torchaudio"]
