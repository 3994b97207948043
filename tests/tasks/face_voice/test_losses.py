from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from rerail.tasks.face_voice.losses import LOSSES, Name, alike, chance, infonce, multi_positive, sigmoid, triplet
from rerail.tasks.face_voice.temperature import BOUNDS, Temperature

ONE, NONE = torch.tensor(1.0), torch.tensor(0.0)


def drawn(rows: int, seed: int) -> Tensor:
    return normalize(torch.randn(rows, 8, generator=torch.Generator().manual_seed(seed)), dim=1)


def test_equal_embeddings_give_chance_which_is_the_logarithm_of_the_rows() -> None:
    rows = torch.ones(16, 4) / 2
    assert float(infonce(rows, rows, torch.eye(16, dtype=torch.bool), 10 * ONE, NONE)) == pytest.approx(math.log(16))
    assert float(multi_positive(rows, rows, alike(torch.arange(16)), 10 * ONE, NONE)) == pytest.approx(math.log(16))


@pytest.mark.parametrize("name", ["infonce", "multi-positive", "triplet"])
@pytest.mark.parametrize("whose", [[0, 1, 2, 3], [0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 0, 1, 2]])
def test_the_level_of_chance_is_what_equal_embeddings_give(name: Name, whose: list[int]) -> None:
    same, rows = alike(torch.tensor(whose)), torch.ones(len(whose), 4) / 2
    level = chance(name, same)
    assert level is not None
    assert float(level) == pytest.approx(float(LOSSES[name](rows, rows, same, 10 * ONE, NONE)), abs=1e-5)


def test_guessing_among_eight_rows_of_four_identities_is_among_seven() -> None:
    level = chance("infonce", alike(torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])))
    assert level is not None
    assert float(level) == pytest.approx(math.log(7))
    assert chance("sigmoid", alike(torch.arange(4))) is None


def test_several_positives_are_one_where_each_identity_is_there_once() -> None:
    a, b, same = drawn(6, 0), drawn(6, 1), torch.eye(6, dtype=torch.bool)
    assert float(multi_positive(a, b, same, 5 * ONE, NONE)) == pytest.approx(float(infonce(a, b, same, 5 * ONE, NONE)))


def test_clips_of_one_identity_do_not_push_each_other_away() -> None:
    same = alike(torch.tensor([0, 0, 1]))
    near = normalize(torch.tensor([[1.0, 0.0], [1.0, 0.05], [0.0, 1.0]]), dim=1)
    assert float(infonce(near, near, same, 100 * ONE, NONE)) == pytest.approx(0.0, abs=1e-4)
    assert float(infonce(near, near, torch.eye(3, dtype=torch.bool), 100 * ONE, NONE)) > 0.1  # as negatives they do


def test_the_sigmoid_loss_is_its_formula() -> None:
    a, b = drawn(3, 0), drawn(3, 1)
    same, scale, bias = torch.eye(3, dtype=torch.bool), torch.tensor(10.0), torch.tensor(-10.0)
    by_hand = sum(
        math.log1p(math.exp(-(1 if i == j else -1) * (10 * float(a[i] @ b[j]) - 10)))
        for i in range(3)
        for j in range(3)
    )
    assert float(sigmoid(a, b, same, scale, bias)) == pytest.approx(by_hand / 3, rel=1e-4)


def test_the_triplet_loss_asks_for_a_margin_to_the_hardest() -> None:
    a = torch.eye(3)
    assert float(triplet(a, a, torch.eye(3, dtype=torch.bool), ONE, NONE)) == 0.0
    b = normalize(torch.tensor([[1.0, 0.0, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]]), dim=1)
    hardest = float(b[1, 0])
    expected = (max(0.0, 0.2 + hardest - 1.0) + max(0.0, 0.2 + hardest - float(b[1, 1]))) / 6
    assert float(triplet(a, b, torch.eye(3, dtype=torch.bool), ONE, NONE)) == pytest.approx(expected, abs=1e-6)
    assert float(triplet(a, b, torch.ones(3, 3, dtype=torch.bool), ONE, NONE)) == 0.0  # nobody to tell from


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_pulls_at_both_sides_and_hides_no_nan(name: str) -> None:
    loss = LOSSES[name]  # type: ignore[index]
    a, b = drawn(5, 0).requires_grad_(), drawn(5, 1).requires_grad_()
    same = alike(torch.tensor([0, 1, 2, 2, 3]))
    loss(a, b, same, 10 * ONE, NONE).backward()
    assert a.grad is not None
    assert b.grad is not None
    assert a.grad.abs().sum() > 0
    assert b.grad.abs().sum() > 0
    with torch.no_grad():
        bad = a.detach().clone()
        bad[0] = math.nan
        assert loss(bad, b, same, 10 * ONE, NONE).isnan()


@pytest.mark.parametrize(("start", "bound"), [(10.0, BOUNDS[1]), (0.001, BOUNDS[0])])
def test_a_temperature_at_its_bound_comes_back_where_the_loss_asks_for_it(start: float, bound: float) -> None:
    temperature = Temperature(start)
    assert float(temperature.value().detach()) == pytest.approx(bound)
    inwards = temperature.value() if start > 1 else -temperature.value()
    inwards.backward()
    assert temperature.log.grad is not None
    assert abs(float(temperature.log.grad)) > 0
    temperature.zero_grad()
    outwards = -temperature.value() if start > 1 else temperature.value()
    outwards.backward()
    assert float(temperature.log.grad) == 0.0


def test_a_temperature_within_its_bounds_is_learned() -> None:
    temperature = Temperature(0.1)
    assert float(temperature.value().detach()) == pytest.approx(0.1)
    (3.0 * temperature.value()).backward()
    assert float(temperature.log.grad or 0.0) == pytest.approx(0.3)
