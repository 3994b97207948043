from __future__ import annotations

import math

import pytest
import torch
from faultbench.rivals.plain import NONE
from faultbench.rivals.remedies import RIVALS, Spike

from faultbench.rivals import steps
from small_run import small, sound

HALVING, CHANCE = RIVALS
TABLE = [
    ("calm", [1.0] * 30, []),
    ("ten times the median", [*([1.0] * 10), 10.1, 10.0], [10]),
    ("too early", [*([1.0] * 5), 99.0], []),
    ("not finite, at once", [math.nan, math.inf], [0, 1]),
    ("bad losses stay out of the median", [*([1.0] * 10), *([50.0] * 30)], list(range(10, 40))),
]


@pytest.mark.parametrize(("name", "values", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_bad(name: str, values: list[float], expected: list[int]) -> None:
    rule = Spike()
    assert [tick for tick, loss in enumerate(values) if rule(loss, 1.0)] == expected, name


def test_a_gradient_that_is_not_finite_is_bad() -> None:
    assert Spike()(1.0, math.nan)


def test_going_back_undoes_what_came_since_the_snapshot() -> None:
    run = small(nan_at=[13])
    result = HALVING.play(run)
    assert (result.detections, result.wasted) == ((13,), 1 + 3)
    assert sound(run)


def test_after_going_back_the_rate_is_halved() -> None:
    back, short = small(steps=12, nan_at=[10]), small(steps=10)
    HALVING.play(back)
    NONE.play(short)
    steps.backward(short, back.batches[11])
    steps.commit(short, rate=0.5)
    assert torch.equal(back.model.state_dict()["weight"], short.model.state_dict()["weight"])


def test_chance_keeps_the_run_alive() -> None:
    run = small(steps=60, nan_at=range(20, 40, 2))
    result = CHANCE.play(run)
    assert result.detections == tuple(range(20, 40, 2))
    assert result.wasted >= 10
    assert sound(run)
