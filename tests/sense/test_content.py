from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rerail.sense.content import Content, content

ROWS = 6


def usual(seed: int) -> list[Tensor]:
    """Recordings, lengths, labels, a mask."""
    generator = torch.Generator().manual_seed(seed)
    waves = torch.randn(ROWS, 40, generator=generator)
    return [
        waves,
        torch.arange(3, 3 + ROWS),
        torch.randint(0, 5, (ROWS, 2), generator=generator),
        torch.tensor([[True, True, False, False]]).repeat(ROWS, 1),
    ]


KEPT = [usual(seed) for seed in range(1, 6)]


def looked_at(batch: list[Tensor]) -> Content:
    return content(batch, KEPT)


def test_an_ordinary_batch_has_nothing_odd() -> None:
    assert looked_at(usual(9)) == Content(unfit={}, far={})


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (0, math.nan, "40 of 40 numbers are not finite"),
        (0, -math.inf, "40 of 40 numbers are minus infinity"),
        (0, 0.0, "every number is 0, where no other row was constant"),
        (1, 0, "a value of 0, where no other row had less than 3"),
    ],
)
def test_a_row_that_could_not_have_been_meant_is_named(place: int, value: float, reason: str) -> None:
    batch = usual(9)
    batch[place][4] = value
    assert looked_at(batch) == Content(unfit={4: reason}, far={})


def test_a_loud_row_is_far_and_no_more() -> None:
    batch = usual(9)
    batch[0][2] *= 1000
    found = looked_at(batch)
    assert found.unfit == {}
    assert list(found.far) == [2]


def test_a_row_that_its_own_mask_calls_empty_is_no_silence() -> None:
    batch = usual(9)
    batch[0][3], batch[3][3] = 0.0, True
    assert looked_at(batch).unfit == {}


def test_the_same_row_twice_is_named_unless_that_is_usual() -> None:
    batch = usual(9)
    for one in batch:
        one[5] = one[1]
    assert sorted(looked_at(batch).unfit) == [1, 5]
    assert content(batch, [*KEPT, batch]).unfit == {}


def test_missing_values_that_every_batch_has_are_not_odd() -> None:
    def with_gaps(seed: int) -> list[Tensor]:
        batch = usual(seed)
        batch[0][::2, 3] = math.nan
        return batch

    assert content(with_gaps(9), [with_gaps(seed) for seed in range(5)]).unfit == {}


def test_without_a_history_only_what_is_not_finite_is_odd() -> None:
    batch = usual(9)
    batch[0][1], batch[1][2] = math.nan, 0
    assert list(content(batch, []).unfit) == [1]
    assert content([torch.zeros(3)], []) == Content(unfit={}, far={})
