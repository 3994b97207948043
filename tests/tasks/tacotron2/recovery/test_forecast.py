from __future__ import annotations

import math
import random

import pytest

from rerail.tasks.tacotron2.recovery.forecast import forecast


def curve(noise: float, steps: range, seed: int = 0) -> list[tuple[int, float]]:
    """Rises with the logarithm of the step: 0 at step 100, 0.5 at step 1000."""
    draw = random.Random(seed)
    return [(step, 0.5 * math.log10(step / 100) + draw.gauss(0, noise)) for step in steps]


def test_a_line_is_drawn_out_to_where_it_reaches_the_stage() -> None:
    found = forecast(curve(0.0, range(100, 900, 100)), least=0.5)
    assert found.step == pytest.approx(1000, rel=1e-6)
    assert found.low == pytest.approx(found.high)


def test_the_truth_lies_in_the_interval_about_as_often_as_said() -> None:
    inside = 0
    for seed in range(60):
        found = forecast(curve(0.03, range(100, 900, 100), seed), least=0.5)
        assert found.low <= found.step <= found.high
        inside += found.low <= 1000 <= found.high
    assert 40 <= inside <= 58  # 8 of 10 said: 48 of 60


def test_noise_makes_it_less_sure() -> None:
    quiet, loud = (forecast(curve(noise, range(100, 900, 100)), least=0.5) for noise in (0.01, 0.1))
    assert quiet.high - quiet.low < (loud.high - loud.low) / 2


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([(1, 0.1), (2, 0.2), (3, 0.3)], "takes 4 evaluations, and there are 3"),
        ([(step, math.nan) for step in range(9)], "there are 0"),
        ([(step, 0.2) for step in range(1, 9)], "does not rise"),
        ([(step, 0.3 - step / 100) for step in range(1, 9)], "does not rise"),
        ([(step, 0.1 + step / 1e5) for step in range(1, 9)], "too slowly"),
        ([(step, step / 10) for step in range(1, 9)], "there already"),
    ],
)
def test_where_the_curve_says_nothing_there_is_no_forecast(points: list[tuple[int, float]], why: str) -> None:
    found = forecast(points, least=0.7)
    assert why in found.why
    assert found.step == math.inf


def test_the_same_curve_has_the_same_forecast_and_a_wild_point_hardly_turns_it() -> None:
    points = curve(0.01, range(100, 900, 100))
    assert forecast(points, least=0.5) == forecast(points, least=0.5)
    wild = [*points[:3], (400, -3.0), *points[4:]]
    assert forecast(wild, least=0.5).step == pytest.approx(1000, rel=0.25)
