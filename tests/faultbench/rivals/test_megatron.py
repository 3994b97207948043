from __future__ import annotations

import math

import pytest
import torch
from faultbench.rivals.megatron import RIVALS, Rejected, Rerunning, SpikyLoss

from small_run import small, sound

CALM = [1.0, 2.0, *([1.0] * 98)]
TABLE = [
    ("ten times the largest of the first hundred", [*CALM, 20.0, 19.9, 1.0], [100]),
    ("the hundred set the scale, whatever comes", [1.0, 500.0, *([1.0] * 98), 400.0], []),
    ("a negative loss by its size", [*CALM, -20.0], [100]),
    ("NaN is for the other check and no sample", [math.nan, *CALM, 20.0], [101]),
    ("not before a hundred", [*CALM[:99], 1e6], []),
]


@pytest.mark.parametrize(("name", "values", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_spiky(name: str, values: list[float], expected: list[int]) -> None:
    rule = SpikyLoss()
    assert [tick for tick, loss in enumerate(values) if rule(loss, 1.0)] == expected, name


@pytest.mark.parametrize(("scaled", "expected"), [(False, [1, 2]), (True, [])])
def test_what_is_not_finite_is_rejected(scaled: bool, expected: list[int]) -> None:  # noqa: FBT001
    rule = Rejected(SpikyLoss(), scaled=scaled)
    pairs = [(math.nan, 1.0), (math.inf, 1.0), (1.0, math.nan), (1.0, 1.0)]
    assert [tick for tick, (loss, norm) in enumerate(pairs) if rule(loss, norm)] == expected


def test_the_job_ends_before_the_update() -> None:
    run = small(nan_at=[10])
    result = Rerunning().play(run)
    assert (result.detections, result.stopped, result.wasted) == ((10,), True, 0)
    assert sound(run)


def test_a_rejected_step_is_run_again_from_the_same_random_state() -> None:
    run = small(nan_at=[10])
    drawn: list[float] = []
    run.model.register_forward_pre_hook(lambda *_: drawn.append(float(torch.rand(()))))
    Rerunning().play(run)
    assert len(drawn) == 12
    assert drawn[-1] == drawn[-2]


def test_a_healthy_run_is_a_plain_one() -> None:
    assert [rival.play(small()).detections for rival in RIVALS] == [(), ()]
