from __future__ import annotations

import pytest
import torch
from torch import nn

from rerail.fit.ema import Ema


def test_the_average_follows_the_formula_and_is_gone_when_the_look_is_over() -> None:
    model = nn.Linear(2, 1, bias=False)
    nn.init.zeros_(model.weight)
    ema = Ema(model, 0.5)
    by_hand = 0.0
    for step in range(20):
        nn.init.constant_(model.weight, float(step))
        ema.update()
        decay = min(0.5, (1 + step) / (10 + step))
        by_hand = decay * by_hand + (1 - decay) * step
    with ema.swapped():
        assert model.weight[0].tolist() == pytest.approx([by_hand, by_hand])
    assert model.weight[0].tolist() == [19.0, 19.0]


def test_whole_numbers_are_copied_and_a_nan_is_not_hidden() -> None:
    model = nn.BatchNorm1d(1)
    ema = Ema(model, 0.9)
    model.num_batches_tracked += 7
    with torch.no_grad():
        model.weight.fill_(torch.nan)
    ema.update()
    assert int(ema.average["num_batches_tracked"]) == 7
    assert ema.average["weight"].isnan().all()


def test_a_saved_average_goes_on() -> None:
    model = nn.Linear(2, 1)
    one = Ema(model, 0.99)
    for _ in range(5):
        nn.init.normal_(model.weight)
        one.update()
    other = Ema(model, 0.99)
    other.load_state_dict(one.state_dict())
    assert other.steps == 5
    assert torch.equal(other.average["weight"], one.average["weight"])
