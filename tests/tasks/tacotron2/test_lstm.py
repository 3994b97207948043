"""The unrolled cells against `nn.LSTMCell`, step by step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rerail.tasks.tacotron2.lstm import BLOCK, Kept, Reader, product, sequence

BATCH, STEPS, WIDTH, SYMBOLS, MEMORY = 3, 5, 4, 6, 7
PARTS = ("drive", "weight", "memory", "reading", "into")


def given() -> dict[str, Tensor]:
    """Leaves in double precision; the readings stand in for an attention."""
    torch.manual_seed(0)
    shapes = {
        "drive": (BATCH, STEPS, 4 * WIDTH),
        "weight": (4 * WIDTH, WIDTH),
        "memory": (BATCH, SYMBOLS, MEMORY),
        "reading": (STEPS, BATCH, SYMBOLS),
        "into": (4 * WIDTH, MEMORY),
    }
    return {name: torch.randn(shape, dtype=torch.float64, requires_grad=True) for name, shape in shapes.items()}


def unrolled(part: dict[str, Tensor], keep: Kept | None) -> Tensor:
    reader = Reader(part["drive"] * 1.0, part["weight"], part["memory"] @ part["into"].t(), keep)
    hidden = cell = torch.zeros(BATCH, WIDTH, dtype=torch.float64)
    states = []
    for step, reading in enumerate(part["reading"].unbind(0)):
        hidden, cell = reader.step(step, hidden, cell, reading)
        states.append(hidden)
    return torch.stack(states, 1)


def by_cells(part: dict[str, Tensor], keep: Kept | None) -> Tensor:
    """The same with torch's own cell, whose inputs are the drive and what was read."""
    lstm = nn.LSTMCell(4 * WIDTH + MEMORY, WIDTH, bias=False).double()
    weights = {
        "weight_ih": torch.cat([torch.eye(4 * WIDTH, dtype=torch.float64), part["into"]], 1),
        "weight_hh": part["weight"],
    }
    hidden = cell = torch.zeros(BATCH, WIDTH, dtype=torch.float64)
    states = []
    for step in range(STEPS):
        read = torch.einsum("bn,bnm->bm", part["reading"][step], part["memory"])
        x = torch.cat([part["drive"][:, step], read], 1)
        hidden, cell = torch.func.functional_call(lstm, weights, (x, (hidden, cell)))
        hidden = hidden if keep is None else hidden * keep.mask[:, step].double() / 0.7
        states.append(hidden)
    return torch.stack(states, 1)


def gradients(states: Tensor, part: dict[str, Tensor], *, upto: int = STEPS, **kept: Any) -> tuple[Tensor, ...]:
    loss = (states[:, :upto] * torch.arange(1.0, upto + 1)[:, None]).square().sum()
    return torch.autograd.grad(loss, tuple(part[name] for name in PARTS), **kept)


@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("upto", [STEPS, 2])
def test_states_and_gradients_equal_those_of_torchs_cell(upto: int, *, dropped: bool) -> None:
    """Also where only the first steps are part of the loss."""
    part = given()
    keep = Kept(torch.rand(BATCH, STEPS, WIDTH) > 0.3, 1 / 0.7) if dropped else None
    mine, theirs = unrolled(part, keep), by_cells(part, keep)
    assert torch.allclose(mine, theirs, rtol=1e-12)
    for one, other in zip(gradients(mine, part, upto=upto), gradients(theirs, part, upto=upto), strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dropped", [False, True])
def test_a_sequence_equals_the_reader_that_reads_nothing(*, dropped: bool) -> None:
    part = given()
    part["reading"] = torch.zeros_like(part["reading"], requires_grad=True)
    keep = Kept(torch.rand(BATCH, STEPS, WIDTH) > 0.3, 1 / 0.7) if dropped else None
    states = sequence(part["drive"] * 1.0, part["weight"], keep)
    loss = states.square().sum()
    mine = torch.autograd.grad(loss, (part["drive"], part["weight"]))
    theirs = torch.autograd.grad(by_cells(part, keep).square().sum(), (part["drive"], part["weight"]))
    assert torch.allclose(states, by_cells(part, keep), rtol=1e-12)
    assert all(torch.allclose(one, other, rtol=1e-10) for one, other in zip(mine, theirs, strict=True))


def test_a_second_backward_pass_over_a_kept_graph_gives_the_same_gradients() -> None:
    part = given()
    states = unrolled(part, None) + sequence(part["drive"] * 1.0, part["weight"], None)
    first, second = (gradients(states, part, retain_graph=True) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_a_nan_in_one_row_stays_in_it_on_the_way_and_reaches_the_weights() -> None:
    part = given()
    with torch.no_grad():
        part["drive"][1, 2, 0] = torch.nan
    states = unrolled(part, None)
    assert torch.isfinite(states[[0, 2]]).all()
    assert states[1, 2:].isnan().any()
    assert gradients(states, part)[1].isnan().any()


@pytest.mark.parametrize("outputs", [BLOCK * 2, BLOCK + 1])
def test_a_product_by_blocks_is_the_product(outputs: int) -> None:
    x, weight = torch.randn(3, 5), torch.randn(outputs, 5)
    assert torch.allclose(product(x, weight), x @ weight.t(), atol=1e-5)
    assert product(x, weight.bfloat16()).dtype == torch.float32
