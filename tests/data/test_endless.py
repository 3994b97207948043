from __future__ import annotations

from itertools import islice

import pytest
import torch

from rerail.data.endless import Endless, generator_of


def order(size: int = 2) -> Endless:
    return Endless(lambda epoch: [[10 * epoch + number] for number in range(3)], {"batch_size": size})


def test_each_batch_comes_with_its_place_and_a_position_leads_on() -> None:
    running = order()
    made = running.through(lambda batch, where: (batch[0], where))
    assert list(islice(made, 4)) == [(0, (0, 0)), (1, (0, 1)), (2, (0, 2)), (10, (1, 0))]
    resumed = order()
    resumed.load_state_dict(running.state_dict())
    assert next(resumed.through(lambda batch, _: batch[0])) == 11


def test_a_refused_position_changes_nothing() -> None:
    running = order()
    with pytest.raises(ValueError, match="this position is batch 3, an epoch has 3; give the same data and batch_size"):
        running.load_state_dict({"epoch": 5, "index": 3, "batch_size": 2})
    with pytest.raises(ValueError, match="batches of 4, the run has 2; give the same size"):
        running.load_state_dict({"epoch": 0, "index": 0, "batch_size": 4})
    assert next(running.through(lambda batch, _: batch[0])) == 0


def test_places_near_one_another_have_generators_of_their_own() -> None:
    draws = {
        float(torch.rand((), generator=generator_of(seed, epoch, index)))
        for seed in range(3)
        for epoch in range(3)
        for index in range(3)
    }
    assert len(draws) == 27
