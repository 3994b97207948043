from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from rerail.tasks.xtts.losses import Shape, divergence, losses, mel_loss, smoothed, stop_loss
from rerail.tasks.xtts.model import Xtts
from rerail.tasks.xtts.reference import Latent
from rerail.tasks.xtts.settings import XttsConfig

Batch = dict[str, Any]


def test_the_divergence_is_that_of_two_normal_distributions() -> None:
    mean, deviation = torch.tensor([[0.5, -1.0]]), torch.tensor([[0.7, 1.3]])
    one = torch.distributions.Normal(mean, deviation)
    other = torch.distributions.Normal(torch.zeros(2), torch.ones(2))
    by_torch = torch.distributions.kl_divergence(one, other).sum(1)
    assert torch.allclose(divergence(Latent(mean, 2 * deviation.log())), by_torch)
    assert divergence(Latent(torch.zeros(3, 4), torch.zeros(3, 4))).tolist() == [0.0, 0.0, 0.0]


def test_huber_is_l1_far_off_and_below_it_near_by() -> None:
    mel, length = torch.zeros(1, 2, 3), torch.tensor([2])
    far, near = torch.full((1, 2, 3), 100.0), torch.full((1, 2, 3), 0.1)
    assert float(mel_loss(far, mel, length, 0.6)) == pytest.approx(100.0 - 0.3)
    assert float(mel_loss(near, mel, length, 0.6)) == pytest.approx(0.5 * 0.01 / 0.6)
    assert float(mel_loss(near, mel, length, 0.0)) == pytest.approx(0.1)


def test_smoothing_moves_each_frame_towards_its_clips_mean_and_no_other() -> None:
    mel = torch.tensor([[[0.0], [2.0], [9.0]], [[4.0], [4.0], [4.0]]])
    moved = smoothed(mel, torch.tensor([2, 3]), 0.5)
    assert moved[0, :2, 0].tolist() == [0.5, 1.5]
    assert torch.equal(moved[1], mel[1])
    assert smoothed(mel, torch.tensor([2, 3]), 0.0) is mel


def test_a_stop_weighs_more_and_padding_nothing() -> None:
    logits, steps = torch.zeros(1, 4), torch.tensor([2])
    logits[0, 2:] = 99.0
    assert float(stop_loss(logits, steps, Shape(stop_positive=5.0))) == pytest.approx(3 * math.log(2))
    sure = torch.tensor([[-20.0, 20.0, 0.0, 0.0]])
    assert float(stop_loss(sure, steps, Shape())) == pytest.approx(0.0, abs=1e-6)
    assert float(stop_loss(sure, steps, Shape(smooth_stop=0.06))) > 0.1


def test_every_component_is_finite_and_reaches_the_network(tiny: Xtts, voiced: Batch) -> None:
    named = losses(tiny(voiced), voiced, Shape())
    assert set(named) == {"mel", "mel_post", "kl", "stop", "attention"}
    assert all(math.isfinite(float(value.detach())) for value in named.values())
    sum(named.values()).backward()
    without = [name for name, one in tiny.named_parameters() if one.grad is None or not one.grad.abs().sum() > 0]
    assert [name for name in without if not name.endswith(("conv.bias", "key.bias"))] == []  # which nothing feels


def test_capacity_and_warm_up_make_the_divergence_cost_less(tiny: Xtts, voiced: Batch) -> None:
    trained = tiny(voiced)
    whole = float(losses(trained, voiced, Shape())["kl"].detach())
    assert float(losses(trained, voiced, Shape(annealed=0.25))["kl"].detach()) == pytest.approx(0.25 * whole)
    assert float(losses(trained, voiced, Shape(capacity=1e6))["kl"].detach()) == 0.0


@pytest.mark.parametrize(
    ("step", "capacity", "annealed"), [(0, 0.02, 0.1), (49, 1.0, 1.0), (99, 2.0, 1.0), (10**6, 2.0, 1.0)]
)
def test_capacity_and_warm_up_rise_along_lines(step: int, capacity: float, annealed: float) -> None:
    shape = XttsConfig(kl_capacity=2.0, kl_capacity_steps=100, kl_warmup=10).shape(step)
    assert (shape.capacity, shape.annealed) == pytest.approx((capacity, annealed))
    assert XttsConfig(kl_capacity=2.0).shape(0).capacity == 2.0
