from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from rerail.core.detectors import Steady
from rerail.core.reading import Reading


def told(loss: Callable[[int], float], steps: list[int]) -> list[int]:
    detector = Steady()
    memory, found = detector.init(), []
    for tick, step in enumerate(steps, 1):
        memory, findings = detector.update(
            memory, Reading(tick=tick, values={"step": float(step), "loss/mel": loss(tick)})
        )
        found += [tick for one in findings if one.code == "loss.stable"]
    return found


def noisy(level: float, spread: float) -> Callable[[int], float]:
    draw = random.Random(0)
    return lambda _: level + draw.gauss(0.0, spread)


STEPS = list(range(500))


@pytest.mark.parametrize(
    ("loss", "steps", "expected"),
    [
        (noisy(2.0, 0.1), STEPS, [200]),
        (noisy(2.0, 1.0), STEPS, []),
        (lambda tick: 5.0 - 0.008 * tick, STEPS, []),
        (lambda tick: 1.0 if tick > 100 else 1000.0, STEPS, [300]),  # the fall has left the window
        (noisy(2.0, 0.1), [*range(150), *range(140, 300)], []),  # undone half-way: not undisturbed for long enough
    ],
)
def test_a_loss_at_rest_is_told_once(loss: Callable[[int], float], steps: list[int], expected: list[int]) -> None:
    assert told(loss, steps) == expected


def test_a_loss_that_rests_under_a_turned_knob_is_not_told() -> None:
    detector = Steady()
    memory = detector.init()
    for tick in range(500):
        values = {"step": float(tick), "loss/mel": 2.0, "knob/lr_scale": 0.1}
        memory, found = detector.update(memory, Reading(tick=tick + 1, values=values))
        assert not found


@pytest.mark.parametrize("knob", ["knob/loss/attention", "knob/lr_standing"])
def test_a_loss_rests_under_a_knob_that_a_detector_owns_once_that_stands(knob: str) -> None:
    detector = Steady()
    memory, seen = detector.init(), list[int]()
    for tick in range(500):
        values = {"step": float(tick), "loss/mel": 2.0, knob: 0.3 if tick < 100 else 0.1}
        memory, found = detector.update(memory, Reading(tick=tick + 1, values=values))
        seen += [tick for _ in found]
    assert seen == [300]  # 200 steps after the one that was the first of the new level
