from __future__ import annotations

import math
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from rerail.fit.schedule import Name, factor

NAMES = get_args(Name)
MILLION = 10**6


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(
    steps=some.integers(1, MILLION),
    warmup=some.integers(0, 20_000),
    floor=some.sampled_from([0.0, 1e-3, 0.1, 1.0]),
    period=some.integers(0, MILLION),
    grows=some.sampled_from([1.0, 1.5, 2.0, 10.0, 0.5]),
    step=some.integers(0, MILLION),
)
def test_every_factor_is_finite_within_one_and_above_the_floor(
    name: Name, steps: int, warmup: int, floor: float, period: int, grows: float, step: int
) -> None:
    at = factor(name, steps=steps, warmup=warmup, floor=floor, period=period, period_grows=grows)(step)
    assert math.isfinite(at)
    assert 0.0 <= at <= 1.0 + 1e-9
    if step >= warmup or name == "one-cycle":
        assert at >= floor - 1e-9
    else:
        assert at > 0.0


@pytest.mark.parametrize("name", NAMES)
def test_a_million_steps_are_finite_and_positive(name: Name) -> None:
    at = factor(name, steps=MILLION, warmup=1500, floor=1e-3, period=10_000, period_grows=2.0)
    values = [at(step) for step in range(MILLION)]
    assert all(1e-3 - 1e-9 <= value <= 1.0 + 1e-9 for value in values[1500:])
    assert all(0.0 < value <= 1.0 for value in values[:1500])
    assert max(values) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("grows", "starts"), [(1.0, [0, 10, 20, 30]), (2.0, [0, 10, 30, 70, 150])])
def test_periods_never_shrink_unless_asked(grows: float, starts: list[int]) -> None:
    at = factor("restarts", steps=1000, warmup=0, floor=0.0, period=10, period_grows=grows)
    assert [step for step in range(starts[-1] + 1) if at(step) == pytest.approx(1.0)] == starts


def test_periods_that_are_asked_to_shrink_end_at_the_floor() -> None:
    at = factor("restarts", steps=1000, warmup=0, floor=0.01, period=10, period_grows=0.5)
    assert at(10) == pytest.approx(1.0)
    assert all(at(step) == pytest.approx(0.01) for step in range(21, 1000))


def test_noam_rises_to_its_peak_and_falls_by_the_root() -> None:
    at = factor("noam", steps=10**5, warmup=100, floor=0.0)
    assert at(100) == 1.0
    assert at(400) == pytest.approx(0.5)
    assert at(0) < at(50) < at(99) < 1.0


def test_one_cycle_peaks_after_its_rise_and_ends_at_the_floor() -> None:
    at = factor("one-cycle", steps=100, warmup=5, floor=0.1)
    assert at(0) < 0.2
    assert at(30) == pytest.approx(1.0)
    assert at(100) == pytest.approx(0.1)
