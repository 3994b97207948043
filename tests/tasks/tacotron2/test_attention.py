"""What the kinds of attention promise, beyond their equations (those are in test_published.py)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from scipy import stats
from torch import Tensor

from rerail.tasks.tacotron2.attention import Kind, Seen
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.dynamic import beta_binomial
from rerail.tasks.tacotron2.model import Tacotron2

SIZE = replace(SIZES["tiny"], attention_rnn=16)
MASK = torch.tensor([[True] * 8, [True] * 5 + [False] * 3])


def walked(kind: Kind, *, loud: float = 1.0, steps: int = 6) -> tuple[list[Seen], Any]:
    torch.manual_seed(0)
    attention: Any = Tacotron2(SIZE, 3, 8, 1, kind).decoder.attention_layer
    keys = attention.keys(torch.randn(2, 8, SIZE.memory) * loud, MASK)
    seen, all_ = attention.start(keys), []
    for query in torch.randn(steps, 2, 16) * loud:
        seen = attention(query, keys, seen)
        all_.append(seen)
    return all_, attention


@pytest.mark.parametrize("kind", ["location", "forward", "dynamic"])
def test_each_step_spreads_one_unit_over_the_true_symbols_and_the_total_adds_up(kind: Kind) -> None:
    seen, _ = walked(kind)
    for one in seen:
        assert torch.allclose(one.weights.sum(1), torch.ones(2))
        assert one.weights[1, 5:].abs().max() == 0.0
    assert torch.allclose(seen[-1].total, sum((one.weights for one in seen), torch.zeros(2, 8)), atol=1e-6)


@pytest.mark.parametrize(("kind", "a_step"), [("forward", 1), ("dynamic", 10)])
def test_onward_kinds_start_at_the_first_symbol_and_move_on_by_a_step_at_most(kind: Kind, a_step: int) -> None:
    seen, _ = walked(kind)
    for number, one in enumerate(seen[:2], 1):
        assert one.weights[0, number * a_step + 1 :].sum() < 1e-3


def test_forward_attention_stays_finite_where_the_energies_are_extreme() -> None:
    """The published product underflows to 0 / 0 where the softmax leaves nothing in reach."""
    torch.manual_seed(0)
    attention: Any = Tacotron2(SIZE, 3, 8, 1, "forward").decoder.attention_layer
    with torch.no_grad():
        attention.v.linear_layer.weight.mul_(1e4)
    keys = attention.keys(torch.randn(2, 8, SIZE.memory), MASK)
    seen = attention.start(keys)
    for query in torch.randn(30, 2, 16):
        seen = attention(query, keys, seen)
    seen.total[:, 3].sum().backward()
    gradients: list[Tensor] = [parameter.grad for parameter in attention.parameters()]
    assert torch.allclose(seen.weights.sum(1), torch.ones(2))
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


def test_the_prior_is_the_beta_binomial_distribution_and_moves_on_by_one_symbol() -> None:
    prior = beta_binomial(10, 0.1, 0.9)
    assert prior.tolist() == pytest.approx([stats.betabinom.pmf(k, 10, 0.1, 0.9) for k in range(11)], rel=1e-5)
    assert float(prior @ torch.arange(11.0)) == pytest.approx(1.0, rel=1e-5)
