from __future__ import annotations

import math

import torch

from rerail.act.salvage import salvage


def test_rows_that_are_spoilt_are_replaced_and_the_rest_is_kept() -> None:
    model = {"weight": torch.ones(8, 3), "other": torch.full((2,), 5.0)}
    fresh = {"weight": torch.zeros(8, 3) + 0.1, "other": torch.zeros(2)}
    model["weight"][2, 1], model["weight"][5] = math.nan, 1e6
    kept, replaced = salvage(model, fresh, {"weight"})
    assert [(one.name, one.rows, one.of) for one in replaced] == [("weight", (2, 5), 8)]
    assert torch.equal(kept["weight"][[2, 5]], fresh["weight"][[2, 5]])
    assert torch.equal(kept["weight"][[0, 1, 3, 4, 6, 7]], torch.ones(6, 3))
    assert torch.equal(kept["other"], model["other"])
    assert math.isnan(model["weight"][2, 1])  # what was given stays as it was


def test_a_tensor_of_which_little_is_left_or_that_no_row_explains_is_replaced_whole() -> None:
    fresh = {"most": torch.zeros(4, 2), "all": torch.zeros(4, 2), "scalar": torch.tensor(1.0)}
    model = {name: one.clone() for name, one in fresh.items()}
    model["most"][:3] = math.inf
    model["all"] += 0.1
    model["scalar"].fill_(math.nan)
    kept, replaced = salvage(model, fresh, set(model))
    assert all(one.rows == () for one in replaced)
    assert all(torch.equal(kept[name], fresh[name]) for name in fresh)
