from __future__ import annotations

import math

import pytest
from faultbench.rivals.autotrainer import RIVALS, Flow, oscillates, problem, slow

from small_run import small, sound

(TRAINER,) = RIVALS
RISING = [0.1, 0.3, 0.5, 0.7, 0.8]
FLOWS = [
    ("healthy", 1.0, 1.0, 0.1, set()),
    ("vanishing", 5e-5, 1.0, 0.0, {"vanish"}),
    ("small, but not beside the last", 5e-5, 1e-3, 0.0, set()),
    ("beside the last, but not small", 5e-4, 1.0, 0.0, set()),
    ("exploding", 71.0, 1.0, 0.0, {"explode"}),
    ("not quite", 70.0, 1.0, 0.0, set()),
    ("dead", 1.0, 1.0, 0.7, {"relu"}),
    ("no gradient at all", 0.0, 0.0, 1.0, {"relu"}),
    ("none in the last", 1.0, 0.0, 0.5, {"explode"}),
]
CURVES = [
    ("rising", RISING, False, False),
    ("flat", [0.5, 0.5, 0.5], False, True),
    ("falling", [0.5, 0.4, 0.3], False, True),
    ("creeping", [0.5, 0.505, 0.51], False, True),
    ("swinging", [0.5, 0.9, 0.5, 0.9, 0.5], True, False),
    ("swinging by too little", [0.5, 0.52, 0.5, 0.52, 0.5], False, False),
    ("one swing in seven epochs", [0.1, 0.2, 0.1, 0.3, 0.4, 0.5, 0.6], False, False),
    ("none yet", [], False, True),
]
PROBLEMS = [
    ("good", RISING, {"explode"}, ""),
    ("too early", RISING[:2], {"explode"}, ""),
    ("poor, by the gradient", [0.1, 0.2, 0.3], {"explode", "vanish"}, "explode"),
    ("poor, for no reason", [0.1, 0.2, 0.3], set(), ""),
    ("poor and slow", [0.1, 0.1, 0.1], set(), "not_converge"),
    ("good and unstable", [0.5, 0.9, 0.5, 0.9, 0.5], set(), "unstable"),
    ("poor and unstable is not called so", [0.1, 0.5, 0.1, 0.5, 0.1], set(), ""),
]


@pytest.mark.parametrize(("name", "first", "last", "zeros", "expected"), FLOWS, ids=[row[0] for row in FLOWS])
def test_gradients(name: str, first: float, last: float, zeros: float, expected: set[str]) -> None:
    assert Flow(first=first, last=last, zeros=zeros).problems() == expected, name


@pytest.mark.parametrize(("name", "values", "swings", "crawls"), CURVES, ids=[row[0] for row in CURVES])
def test_curves(name: str, values: list[float], swings: bool, crawls: bool) -> None:  # noqa: FBT001
    assert (oscillates(values), slow(values)) == (swings, crawls), name


@pytest.mark.parametrize(("name", "values", "flows", "expected"), PROBLEMS, ids=[row[0] for row in PROBLEMS])
def test_problems(name: str, values: list[float], flows: set[str], expected: str) -> None:
    assert problem(values, flows, epochs=10) == expected, name


def test_nan_is_tried_with_clipping_twice_and_given_up() -> None:
    result = TRAINER.play(small(steps=40, nan_at=[12]))
    assert (result.detections, result.wasted, result.stopped) == ((19, 19, 19), 40, True)


def test_a_rate_too_low_is_raised_from_the_start() -> None:
    run = small(steps=60, lr=1e-5)
    result = TRAINER.play(run)
    assert result.detections
    assert not result.stopped
    assert sound(run)
    assert math.isclose(run.optimizer.param_groups[0]["lr"], 1e-5)
