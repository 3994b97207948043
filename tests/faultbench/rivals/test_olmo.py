from __future__ import annotations

import math

import pytest
from faultbench.rivals.olmo import SkipStep, deviations

CALM = [1.0 + 0.02 * math.sin(tick) for tick in range(80)]
TABLE = [
    ("calm", CALM, []),
    ("up", [*CALM, 2.0], [80]),
    ("down counts as well", [*CALM, 0.0], [80]),
    ("within six deviations", [*CALM, 1.07], []),
    ("too early", [*CALM[:62], 2.0], []),
    ("the first that can be skipped", [*CALM[:63], 2.0], [63]),
    ("NaN too early is taken", [*CALM[:30], math.nan, *CALM[:20]], []),
    ("NaN poisons the window", [*CALM, math.nan, 1.0, 1.0], [80, 81, 82]),
    ("a skipped spike widens the window", [*CALM, 2.0, 1.3], [80]),
]


@pytest.mark.parametrize(("name", "values", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_the_loss_decides(name: str, values: list[float], expected: list[int]) -> None:
    rule = SkipStep()
    found = [tick for tick, loss in enumerate(values) if rule(loss, CALM[tick % 80])]
    assert found == expected, name


@pytest.mark.parametrize(("name", "values", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_so_does_the_gradient(name: str, values: list[float], expected: list[int]) -> None:
    rule = SkipStep()
    found = [tick for tick, norm in enumerate(values) if rule(CALM[tick % 80], norm)]
    assert found == expected, name


def test_a_nan_leaves_the_window_after_128_steps() -> None:
    rule = SkipStep()
    values = [*CALM, math.nan, *(CALM * 2)]
    found = [tick for tick, loss in enumerate(values) if rule(loss, CALM[tick % 80])]
    assert found == list(range(80, 209))


def test_deviations() -> None:
    assert deviations([1.0, 3.0, 2.0, 5.0]) == pytest.approx(3.0)
    assert math.isnan(deviations([1.0, 1.0, 1.0]))
    assert deviations([1.0, 1.0, 2.0]) == math.inf
