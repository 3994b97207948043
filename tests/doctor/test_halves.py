from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

Look = Any
ROOM, CLIP = "half-precision headroom", "unscaled before clipping"


def loud(model: nn.Module, size: float) -> Any:
    return lambda given: functional.cross_entropy(model(given["x"] * size) / size, given["label"])


@pytest.mark.parametrize(("dtype", "passed"), [(torch.float16, False), (torch.bfloat16, True)])
def test_an_activation_beyond_the_format(dtype: torch.dtype, passed: bool, look: Look) -> None:  # noqa: FBT001
    model = nn.Linear(8, 5)
    check = look(model, loud(model, 1e5), precision=dtype, seconds=0)[ROOM]
    assert check.passed is passed
    assert check.seen["activation"] > 65504


def test_there_is_room(look: Look) -> None:
    scaler = torch.amp.GradScaler("cpu")
    check = look(nn.Linear(8, 5), precision=torch.float16, scaler=scaler, seconds=0)[ROOM]
    assert check.passed
    assert check.seen["room"] > 1000
    assert "float16 ends at 6.55e+04" in check.told


def test_in_full_precision_it_is_only_told(look: Look) -> None:
    check = look(nn.Linear(8, 5), seconds=0)[ROOM]
    assert check.passed is None
    assert "full precision" in check.told


def test_gradients_that_fp16_loses_want_a_scaler(look: Look) -> None:
    model = nn.Linear(8, 5)

    def small(given: Mapping[str, Tensor]) -> Tensor:
        return 1e-8 * functional.cross_entropy(model(given["x"]), given["label"])

    check = look(model, small, precision=torch.float16, seconds=0)[ROOM]
    assert check.passed is False
    assert "GradScaler" in check.do
    scaler = torch.amp.GradScaler("cpu")
    assert look(model, small, precision=torch.float16, scaler=scaler, seconds=0)[ROOM].passed


def test_a_hook_that_clips_sees_scaled_gradients(look: Look) -> None:
    model = nn.Linear(8, 5)
    for one in model.parameters():
        one.register_hook(lambda gradient: gradient.clamp(-1.0, 1.0))
    check = look(model, scaler=torch.amp.GradScaler("cpu"), seconds=0)[CLIP]
    assert check.passed is False
    assert check.seen["unscaled"] < check.seen["plain"] / 100
    assert "clip_norm" in check.do


def test_without_such_a_hook_the_scale_is_gone(look: Look) -> None:
    check = look(nn.Linear(8, 5), scaler=torch.amp.GradScaler("cpu"), clip_norm=0.1, seconds=0)[CLIP]
    assert check.passed
    assert check.seen["scale"] == 65536


def test_a_scale_that_overflows_at_first_is_halved_as_a_dynamic_one_would(look: Look) -> None:
    model = nn.Linear(8, 5)

    def losses(given: Mapping[str, Tensor]) -> Tensor:
        return functional.cross_entropy(model(given["x"]), given["label"]) * 100

    checks = look(model, losses, precision=torch.float16, scaler=torch.amp.GradScaler("cpu", init_scale=2.0**30))
    assert checks["gradients arrive"].passed
    assert checks["one batch by heart"].passed
