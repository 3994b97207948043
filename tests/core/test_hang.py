from __future__ import annotations

import math

import pytest

from rerail.core.hang import Hang, look_at, usual


@pytest.mark.parametrize(
    ("silent", "steps", "outlived", "hangs"),
    [
        (299.0, 1.0, 0.0, False),  # less than the least
        (301.0, 1.0, 0.0, True),
        (301.0, 30.0, 0.0, False),  # steps of half a minute: 20 of them are waited for
        (601.0, 30.0, 0.0, True),
        (1799.0, None, 0.0, False),  # no step yet: it compiles, or starts the loader
        (1801.0, None, 0.0, True),
        (500.0, 1.0, 400.0, False),  # a validation that took 400 s before
        (801.0, 1.0, 400.0, True),
        (math.inf, 1.0, 0.0, True),
    ],
)
def test_a_silence_is_a_hang_above_its_limit(silent: float, steps: float | None, outlived: float, hangs: bool) -> None:  # noqa: FBT001
    assert (silent > Hang().limit(steps, outlived)) is hangs


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], None),
        ([9.0, 9.0], None),
        ([40.0, 1.0, 1.0], 1.0),  # the first one compiled
        ([1.0] * 20 + [900.0, 900.0], 1.0),  # two validations
    ],
)
def test_the_usual_step_is_not_moved_by_slow_ones(steps: list[float], expected: float | None) -> None:
    assert usual(steps) == expected


@pytest.mark.parametrize(("least", "on"), [(300.0, True), (0.0, False), (math.inf, False)])
def test_zero_and_infinity_switch_it_off(least: float, on: bool) -> None:  # noqa: FBT001
    assert Hang(least=least).on is on


def test_the_advice_depends_on_the_place() -> None:
    assert "ranks" in look_at(inside=True)
    assert "num_workers=0" in look_at(inside=False)
