"""Each figure by hand, and by scikit-learn's curve where there is one."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import pytest
import torch

from rerail.tasks.face_voice.metrics import auc, chance_rank, chance_recall, eer, eers, one_of, ranks, recall, won

SAME = torch.eye(4, dtype=torch.bool)


def drawn(rows: int, own: float, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, rows, generator=generator, dtype=torch.float64) + own * torch.eye(rows)


def test_ranks_count_who_is_nearer_and_who_is_as_near_comes_in_any_order() -> None:
    scores = torch.tensor([[0.9, 0.1, 0.2, 0.3], [0.5, 0.4, 0.3, 0.6], [0.1, 0.1, 0.1, 0.1], [0.0, 0.1, 0.2, 0.0]])
    found = ranks(scores, SAME)
    assert found.tolist() == [1.0, 3.0, 2.5, 3.5]
    assert recall(scores, SAME, 1).tolist() == pytest.approx([1.0, 0.0, 0.25, 0.0])
    assert recall(scores, SAME, 3).tolist() == pytest.approx([1.0, 1.0, 0.75, 0.5])


def test_the_first_of_several_own_ones_counts_and_who_has_none_has_no_rank() -> None:
    same = torch.tensor([[True, True, False], [False, False, False]])
    found = ranks(torch.tensor([[0.1, 0.8, 0.9], [0.1, 0.2, 0.3]]), same)
    assert found[0] == 2.0
    assert found[1].isnan()


def test_a_nan_is_not_ranked_last_but_told() -> None:
    scores = drawn(4, 1.0)
    scores[1, 2] = math.nan
    assert ranks(scores, SAME).isnan().tolist() == [False, True, False, False]
    assert math.isnan(auc(scores, SAME))
    assert math.isnan(eer(scores, SAME))
    assert one_of(scores, SAME, 2).isnan().tolist() == [False, True, False, False]


def test_guessing_comes_to_the_chance_levels() -> None:
    same = torch.zeros(12, 12, dtype=torch.bool)
    for start in range(0, 12, 3):
        same[start : start + 3, start : start + 3] = True  # three clips an identity
    generator = torch.Generator().manual_seed(0)
    guesses = [torch.rand(12, 12, generator=generator) for _ in range(400)]
    found = torch.cat([ranks(one, same) for one in guesses])
    for at in (1, 5):
        hits = torch.cat([recall(one, same, at) for one in guesses])
        assert float(hits.mean()) == pytest.approx(chance_recall(same, at), abs=0.02)
    assert float(found.mean()) == pytest.approx(chance_rank(same), abs=0.1)
    assert chance_recall(torch.eye(78, dtype=torch.bool), 10) == pytest.approx(10 / 78)


@pytest.mark.parametrize("each", [1, 3])
def test_where_all_are_alike_every_figure_is_at_chance(each: int) -> None:
    """A network whose embeddings are one point must not be told to be better than guessing."""
    whose = torch.arange(12) // each
    scores, same = torch.full((12, 12), 0.7, dtype=torch.float64), whose[:, None] == whose[None, :]
    assert float(ranks(scores, same).mean()) == pytest.approx(chance_rank(same))
    for at in (1, 5, 10):
        assert float(recall(scores, same, at).mean()) == pytest.approx(chance_recall(same, at))
    for many in (2, 9):
        assert float(one_of(scores, same, many).mean()) == pytest.approx(1 / many)


def test_in_a_gallery_that_is_smaller_everybody_is_found() -> None:
    assert chance_recall(SAME, 10) == 1.0
    assert recall(drawn(4, 0.0), SAME, 10).tolist() == [1.0] * 4


@pytest.mark.parametrize("many", [2, 3])
def test_matching_one_of_several_is_the_share_of_all_draws(many: int) -> None:
    scores = drawn(6, 0.5)
    scores[0, 3] = scores[0, 0]  # a tie
    same = torch.eye(6, dtype=torch.bool)
    by_hand = []
    for row in range(6):
        others = [one for one in range(6) if one != row]
        draws = list(combinations(others, many - 1))
        best = [all(scores[row, one] <= scores[row, row] for one in draw) for draw in draws]
        alike = [1 + sum(bool(scores[row, one] == scores[row, row]) for one in draw) for draw in draws]
        by_hand.append(sum(one / among for one, among in zip(best, alike, strict=True)) / len(draws))
    assert one_of(scores, same, many).tolist() == pytest.approx(by_hand)


def test_the_area_and_the_rate_are_those_of_the_curve() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="librosa brings scikit-learn")
    scores, same = drawn(40, 1.0), torch.eye(40, dtype=torch.bool)
    scores = (scores * 4).round() / 4  # with ties
    truth, flat = same.flatten().numpy(), scores.flatten().numpy()
    assert auc(scores, same) == pytest.approx(metrics.roc_auc_score(truth, flat))
    false, true, _ = metrics.roc_curve(truth, flat, drop_intermediate=False)
    apart = abs(false - (1 - true))
    assert eer(scores, same) == pytest.approx((false + 1 - true)[apart.argmin()] / 2, abs=0.02)
    for groups in (torch.arange(40), torch.arange(40) // 4):
        wins, pairs = won(scores, same, groups)
        assert float(wins.sum() / pairs.sum()) == pytest.approx(auc(scores, same))


def test_perfect_scores_and_turned_ones() -> None:
    scores = torch.eye(5, dtype=torch.float64)
    same = torch.eye(5, dtype=torch.bool)
    assert (auc(scores, same), eer(scores, same)) == (1.0, 0.0)
    assert (auc(-scores, same), eer(-scores, same)) == (0.0, 1.0)
    assert auc(torch.zeros(5, 5), same) == 0.5
    assert eer(torch.zeros(5, 5), same) == 0.5


def test_weights_say_how_often_a_row_is_there() -> None:
    scores, same = drawn(6, 0.8), torch.eye(6, dtype=torch.bool)
    twice = torch.tensor([0, 0, 1, 3, 4])  # the first row twice, two rows gone
    weights = torch.tensor([2.0, 1.0, 0.0, 1.0, 1.0, 0.0], dtype=torch.float64)
    labels = twice[:, None] == twice[None, :]
    assert eer(scores, same, weights[:, None] * weights) == pytest.approx(eer(scores[twice][:, twice], labels))


def test_scores_are_put_in_order_once_for_all_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, same = drawn(9, 0.8), torch.eye(9, dtype=torch.bool)
    weights = [torch.randint(0, 3, (9, 9), generator=torch.Generator().manual_seed(seed)) for seed in range(4)]
    expected, sorts, sort = [eer(scores, same, one) for one in weights], list[int](), torch.Tensor.argsort

    def counted(*given: Any, **more: Any) -> torch.Tensor:
        sorts.append(1)
        return sort(*given, **more)

    monkeypatch.setattr(torch.Tensor, "argsort", counted)
    assert list(eers(scores, same, weights)) == expected
    assert len(sorts) == 1


def test_groups_weighted_are_their_rows_weighted() -> None:
    scores, whose = drawn(8, 0.8), torch.tensor([0, 0, 1, 1, 1, 2, 2, 3])
    same, weights = whose[:, None] == whose, torch.tensor([2.0, 1.0, 0.0, 3.0], dtype=torch.float64)
    found = []
    for groups, weigh in ((torch.arange(8), weights[whose]), (whose, weights)):
        wins, pairs = won(scores, same, groups)
        found.append(float((weigh @ wins @ weigh) / (weigh @ pairs @ weigh)))
    assert found[0] == pytest.approx(found[1])
