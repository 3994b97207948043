from __future__ import annotations

from itertools import pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st

from rerail.data.pairs.crop import crop


def test_without_a_generator_it_is_the_middle() -> None:
    assert crop(torch.arange(10), 4, None).tolist() == [3, 4, 5, 6]


def test_a_short_one_is_repeated_and_never_padded() -> None:
    assert crop(torch.tensor([1, 2, 3]), 7, None).tolist() == [1, 2, 3, 1, 2, 3, 1]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_any_length_gives_the_length_asked_for_in_order(length: int, samples: int, seed: int) -> None:
    cut = crop(torch.arange(length), samples, torch.Generator().manual_seed(seed))
    assert cut.shape == (samples,)
    assert all(after == (before + 1) % length for before, after in pairwise(cut))


def test_all_places_come() -> None:
    generator = torch.Generator().manual_seed(0)
    assert {int(crop(torch.arange(5), 3, generator)[0]) for _ in range(50)} == {0, 1, 2}
