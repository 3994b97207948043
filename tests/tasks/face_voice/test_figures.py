from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import normalize

from rerail.tasks.face_voice.figures import Figure, figures


def embeddings(noise: float, *, persons: int = 30, clips: int = 3, seed: int = 0) -> list[Figure]:
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(persons, 16, generator=generator).repeat_interleave(clips, 0)
    pictures, voices = (
        normalize(centres + noise * torch.randn(len(centres), 16, generator=generator), dim=1) for _ in range(2)
    )
    whose = [f"person {one // clips}" for one in range(len(centres))]
    return figures(pictures, voices, whose, whose)


def test_every_figure_has_chance_and_an_interval_around_it() -> None:
    found = embeddings(1.0)
    assert {one.name for one in found} >= {"AUC", "EER", "recall@1, picture to voice", "mean rank, voice to picture"}
    assert all(one.low <= one.value <= one.high for one in found)
    assert all(one.above_chance for one in found)
    levels = {one.name: one.chance for one in found}
    assert levels["AUC"] == levels["EER"] == 0.5
    assert levels["recall@1, picture to voice"] == pytest.approx(1 / 30)
    assert levels["right of 10, picture to voice"] == pytest.approx(0.1)


def test_noise_is_at_chance() -> None:
    beyond = [one for seed in range(5) for one in embeddings(1e6, seed=seed) if one.name == "AUC" and one.above_chance]
    assert len(beyond) <= 1


def test_intervals_hold_what_other_persons_would_give_about_as_often_as_they_say() -> None:
    truth = sum(next(one.value for one in embeddings(1.6, seed=seed) if one.name == "AUC") for seed in range(100, 112))
    truth /= 12
    held = [
        one.low <= truth <= one.high for seed in range(8) for one in embeddings(1.6, seed=seed) if one.name == "AUC"
    ]
    assert sum(held) >= 6  # of 8, at 95 %


def test_one_identity_cannot_be_matched() -> None:
    with pytest.raises(ValueError, match="at least 2 identities, got 1"):
        embeddings(1.0, persons=1)


@pytest.mark.parametrize("persons", [2, 3])
def test_a_few_identities_have_figures_too(persons: int) -> None:
    """Among draws with replacement some are of one identity alone, which has no strangers."""
    found = {one.name: one for one in embeddings(0.5, persons=persons, clips=4)}
    assert found["AUC"].value > 0.5 > found["EER"].value
    assert all(one.low <= one.value <= one.high for one in found.values())


def test_embeddings_that_are_not_finite_have_no_figures() -> None:
    lost = torch.full((6, 4), math.nan)
    found = figures(lost, lost, ["a", "b"] * 3, ["a", "b"] * 3)
    assert all(math.isnan(one.value) and math.isnan(one.low) and not one.above_chance for one in found)


def test_a_gallery_may_have_other_rows_than_there_are_queries() -> None:
    pictures, voices = torch.eye(3), torch.eye(3)[[0, 0, 1, 2, 2, 2]]
    found = {one.name: one for one in figures(pictures, voices, ["a", "b", "c"], ["a", "a", "b", "c", "c", "c"])}
    assert found["recall@1, voice to picture"].chance == pytest.approx(1 / 3)
    assert found["mean rank, picture to voice"].value == found["AUC"].value == 1.0
