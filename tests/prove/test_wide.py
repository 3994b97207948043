"""Double precision in place of single, for models as people build them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rerail.core.knobs import Knobs, Precision
from rerail.prove.attempt import Recipe, attempt

BATCH = torch.randn(6, 5, 8, generator=torch.Generator().manual_seed(0))


class Convolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(5, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Flatten(), nn.Linear(24, 1))

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.layers(x)
        return made


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTM(8, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.cell(x)[0]
        return made


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.norm(self.attention(x, x, x)[0])
        made[:, 0] *= 2.0  # in place
        return made


class Late(nn.Module):
    """A convolution of what was computed before it, as in every network that begins with an embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 8), nn.Conv1d(5, 4, 3), nn.ConvTranspose1d(4, 5, 3))

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.layers(x)
        return made


@pytest.mark.parametrize("kind", [Convolution, Recurrent, Attention, Late])
def test_the_step_gives_the_same_numbers_to_rounding_and_leaves_formats_as_they_were(kind: Any) -> None:
    torch.manual_seed(0)
    model = kind()
    recipe = Recipe(losses=lambda x: model(x).square().mean(), weights={}, device="cpu")
    made = []
    for precision in (Precision.AS_RUN, Precision.DOUBLE):
        model.zero_grad()
        loss = attempt(recipe, [BATCH], Knobs(precision=precision)).scalars["loss/loss"]
        made.append((float(loss), [one.grad.clone() for one in model.parameters()]))
    (single, narrow), (double, wide) = made
    assert single == pytest.approx(double, rel=1e-5)
    assert {one.dtype for one in wide} == {torch.float32}
    for one, other in zip(narrow, wide, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
