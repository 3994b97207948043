"""The fast network against the published equations written down plainly: outputs and gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from plain_tacotron2 import PlainTacotron2, drawn, parts
from rerail.alignment import valid
from rerail.tasks.tacotron2.config import SIZES, Size
from rerail.tasks.tacotron2.losses import losses
from rerail.tasks.tacotron2.model import Output, Tacotron2

Batch = dict[str, Any]
MakeBatch = Callable[..., Batch]
KEYS = ("text", "text_length", "mel", "mel_length")
SIZE = replace(SIZES["tiny"], offset=0.0, scale=1.0, postnet_layers=3, encoder_convolutions=2)
PADDED, EVEN = ((9, 6, 4), (31, 20, 12)), ((7, 7, 7), (24, 24, 24))


def pair(size: Size, reduction: int, attention: Any, dtype: torch.dtype) -> tuple[Tacotron2, PlainTacotron2]:
    torch.manual_seed(0)
    fast = Tacotron2(size, 12, 8, reduction, attention).to(dtype)
    plain = PlainTacotron2(size, 12, 8, reduction, attention).to(dtype)
    plain.load_state_dict(fast.state_dict())
    return fast, plain


def both(fast: Tacotron2, plain: PlainTacotron2, batch: Batch) -> tuple[Output, dict[str, Tensor]]:
    """One training forward pass of each with equal dropout masks."""
    torch.manual_seed(5)
    masks = drawn(fast.size, batch, fast.bands, fast.reduction, batch["mel"].dtype)
    torch.manual_seed(5)
    output = fast(*(batch[key] for key in KEYS))
    named = plain(batch, masks)
    steps, frames = valid(output.steps, output.gate_logits.shape[1]), valid(output.mel_length, output.mel.shape[1])
    named["gate_logits"] = named["gate_logits"] * steps
    named["alignment"] = named["alignment"] * steps[:, :, None]
    named["mel_post"] = named["mel_post"] * frames[:, :, None]
    return output, named


def loss(output: Output, batch: Batch, named: dict[str, Tensor]) -> Tensor:
    return sum(losses(replace(output, **named), batch["mel"], batch["text_length"]).values())


@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize("lengths", [PADDED, EVEN])
@pytest.mark.parametrize("reduction", [1, 2])
@pytest.mark.parametrize("attention", ["location", "forward", "dynamic"])
def test_outputs_and_gradients_equal_those_of_the_published_equations(
    make_batch: MakeBatch,
    attention: str,
    reduction: int,
    lengths: tuple[tuple[int, ...], ...],
    dtype: torch.dtype,
    near: float,
) -> None:
    batch = make_batch(*lengths)
    batch["mel"] = (batch["mel"].to(dtype) + 5.0) / 2.5
    fast, plain = pair(SIZE, reduction, attention, dtype)
    output, named = both(fast, plain, batch)
    for name, value in parts(output):
        assert torch.allclose(value, named[name], atol=near, rtol=near), name
    loss(output, batch, dict(parts(output))).backward()
    loss(output, batch, named).backward()
    theirs = dict(plain.named_parameters())
    for name, mine in fast.named_parameters():
        assert torch.allclose(mine.grad, theirs[name].grad, atol=near, rtol=near), name
    theirs = dict(plain.named_buffers())  # statistics of the batch normalisation
    assert all(torch.allclose(value, theirs[name], atol=near) for name, value in fast.named_buffers() if name in theirs)
