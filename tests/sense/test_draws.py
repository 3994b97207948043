from __future__ import annotations

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.masked import masked_tensor
from torch.nn import functional as F  # noqa: N812 (as everybody writes it)

from rerail.sense.draws import Draws


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (nn.Sequential(nn.Linear(4, 4), nn.ReLU()), 0),
        (nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 4), nn.Dropout(0.1)), 2),
        (nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 4)).eval(), 0),
        (nn.Sequential(nn.RReLU()), 1),
    ],
)
def test_operations_that_draw_are_counted(model: nn.Module, expected: int) -> None:
    x = torch.ones(2, 4, requires_grad=True)
    with Draws() as draws:  # type: ignore[no-untyped-call]
        model(x).sum().backward()
    assert draws.count == expected


def test_noise_is_counted_and_changes_nothing() -> None:
    torch.manual_seed(3)
    plain = torch.randn(5) + F.dropout(torch.ones(5), 0.5)
    torch.manual_seed(3)
    with Draws() as draws:  # type: ignore[no-untyped-call]
        counted = torch.randn(5) + F.dropout(torch.ones(5), 0.5)
    assert torch.equal(plain, counted)
    assert draws.count == 2


def test_operators_of_a_higher_order_run_inside() -> None:
    x = torch.ones(4, requires_grad=True)
    with Draws() as draws:  # type: ignore[no-untyped-call]
        made = torch.cond(x.sum() > 0, lambda y: y.sin(), lambda y: y.cos(), (x,))
    assert made.equal(x.sin())
    assert draws.count == 0


def test_a_nan_that_is_replaced_is_counted_where_it_is() -> None:
    x = torch.tensor([1.0, torch.nan, torch.nan], requires_grad=True)
    with Draws() as draws:  # type: ignore[no-untyped-call]
        healthy = torch.nan_to_num(torch.ones(3))
        hidden = x.nan_to_num(0.0)
        F.relu(hidden + healthy).sum().backward()
    assert sorted(map(float, draws.hidden.values())) == [0.0, 2.0]
    assert all(place.startswith("test_draws.py:") for place in draws.hidden)


@pytest.mark.filterwarnings("ignore:The PyTorch API of MaskedTensors")
def test_tensors_that_cannot_be_counted_pass_as_they_would() -> None:
    masked = masked_tensor(torch.tensor([1.0, torch.nan]), torch.tensor([True, False]))
    with Draws() as draws:  # type: ignore[no-untyped-call]
        torch.nan_to_num(masked)
        torch.nan_to_num(torch.ones(2, device="meta"))
        with FakeTensorMode():
            torch.nan_to_num(torch.ones(2))
    assert not draws.hidden
