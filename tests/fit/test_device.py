from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from rerail.fit.device import kept_on

META = torch.device("meta")


class Asked:
    """Batches that are made as they are asked for."""

    def __init__(self) -> None:
        self.made = 0

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        for _ in range(3):
            self.made += 1
            yield {"x": torch.ones(2)}


def test_held_out_batches_that_are_made_as_they_are_asked_for_are_moved_one_at_a_time_and_as_often() -> None:
    asked = Asked()
    found = kept_on(asked, META)
    assert asked.made == 0
    assert next(iter(found))["x"].device == META
    assert asked.made == 1
    assert [batch["x"].device for batch in found] == [META] * 3
    assert len(list(found)) == 3


def test_a_list_of_them_is_moved_once() -> None:
    found = kept_on([{"x": torch.ones(2)}], META)
    (first,), (again,) = list(found), list(found)
    assert first["x"].device == META
    assert first["x"] is again["x"]
