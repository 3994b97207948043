from __future__ import annotations

import pytest
import torch

from rerail.tasks.xtts.attention import Attention, sinusoids


@pytest.fixture
def attention() -> Attention:
    torch.manual_seed(0)
    return Attention(16, 4).double()


def test_a_causal_step_at_a_time_is_the_whole_sequence_at_once(attention: Attention) -> None:
    x = torch.randn(2, 7, 16, dtype=torch.float64)
    whole = attention.read(x, attention.hear(x), causal=True)
    past, steps = attention.hear(x[:, :1]), [attention.read(x[:, :1], attention.hear(x[:, :1]))]
    for step in range(1, 7):
        past = past.then(attention.hear(x[:, step : step + 1]))
        steps.append(attention.read(x[:, step : step + 1], past))
    assert torch.allclose(torch.cat(steps, 1), whole)


def test_weights_that_are_seen_are_those_that_are_used(attention: Attention) -> None:
    x, text = torch.randn(2, 5, 16, dtype=torch.float64), torch.randn(2, 6, 16, dtype=torch.float64)
    allowed = (torch.arange(6) < torch.tensor([[6], [4]]))[:, None, None]
    heard = attention.hear(text)
    read, weights = attention.seen(x, heard, allowed)
    assert torch.allclose(read, attention.read(x, heard, allowed))
    assert torch.allclose(weights.sum(3), torch.ones(2, 4, 5, dtype=torch.float64))
    assert not weights[1, :, :, 4:].any()


def test_a_place_is_nearest_to_itself() -> None:
    place = sinusoids(torch.arange(40.0), 32)
    assert (place @ place.T).argmax(1).tolist() == list(range(40))
    assert torch.allclose(sinusoids(torch.tensor(0.0), 4), torch.tensor([0.0, 0.0, 1.0, 1.0]))
