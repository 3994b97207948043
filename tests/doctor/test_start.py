from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

Look = Any
NAME = "loss at the start"


def test_a_guess_is_expected(look: Look) -> None:
    check = look(nn.Linear(8, 5), seconds=0)[NAME]
    assert check.passed
    assert check.seen["expected"] == pytest.approx(math.log(5))
    assert check.told.startswith("cross-entropy of 5 classes: 1.")


def test_weights_and_smoothing_do_not_count(look: Look) -> None:
    model = nn.Linear(8, 5)

    def weighted(given: Mapping[str, Tensor]) -> Tensor:
        return functional.cross_entropy(
            model(given["x"]), given["label"], weight=torch.full((5,), 9.0), label_smoothing=0.3, reduction="sum"
        )

    assert look(model, weighted, seconds=0)[NAME].passed


def test_a_model_that_is_sure_from_the_start_fails(look: Look) -> None:
    model = nn.Linear(8, 5)
    nn.init.normal_(model.weight, std=5.0)
    check = look(model, seconds=0)[NAME]
    assert check.passed is False
    assert check.seen["value"] > check.seen["expected"] + 1
    assert "initial weights smaller" in check.do


def test_labels_in_the_input_fail(look: Look) -> None:
    model = nn.Linear(8, 5)

    def leaking(given: Mapping[str, Tensor]) -> Tensor:
        return functional.cross_entropy(model(given["x"]) + 9 * functional.one_hot(given["label"], 5), given["label"])

    check = look(model, leaking, seconds=0)[NAME]
    assert check.passed is False
    assert "leak" in check.do


def contrastive(scale: float) -> Any:
    model = nn.Linear(8, 5)

    def losses(given: Mapping[str, Tensor]) -> Tensor:
        one = functional.normalize(model(given["x"]), dim=1)
        other = functional.normalize(model(given["x"].flip(0)), dim=1)
        return functional.cross_entropy(scale * one @ other.t(), torch.arange(len(one)))

    return model, losses


def test_a_contrastive_loss_is_near_the_logarithm_of_the_batch(look: Look) -> None:
    check = look(*contrastive(1.0), seconds=0)[NAME]
    assert check.passed
    assert check.seen["expected"] == pytest.approx(math.log(12))
    assert "contrastive, each of 12 rows" in check.told


def test_a_contrastive_loss_with_too_low_a_temperature_fails(look: Look) -> None:
    assert look(*contrastive(100.0), seconds=0)[NAME].passed is False


def test_yes_or_no(look: Look) -> None:
    model = nn.Linear(8, 5)

    def binary(given: Mapping[str, Tensor]) -> Tensor:
        return functional.binary_cross_entropy_with_logits(model(given["x"]), (given["x"][:, :5] > 0).float())

    check = look(model, binary, seconds=0)[NAME]
    assert check.passed
    assert check.seen["expected"] == pytest.approx(math.log(2))


def test_what_is_not_known_is_not_judged(look: Look) -> None:
    model = nn.Linear(8, 5)
    check = look(model, lambda given: model(given["x"]).square().mean(), seconds=0)[NAME]
    assert check.passed is None
    assert "no value is known" in check.told


def test_a_loss_that_is_not_finite_fails(look: Look) -> None:
    model = nn.Linear(8, 5)
    check = look(model, lambda given: model(given["x"]).log().mean(), seconds=0)[NAME]
    assert check.passed is False
    assert "loss/loss" in check.told
