from __future__ import annotations

import math
import random

import pytest

from rerail.core.detectors.spike import Spike
from rerail.core.reading import Reading

CALM = [1.0 + 0.02 * math.sin(tick) for tick in range(40)]
NOISE = random.Random(0)
FALLING = [3.0 * math.exp(-tick / 30) + NOISE.gauss(0, 0.05) for tick in range(200)]
HEAVY = [1.0 + abs(NOISE.gauss(0, 0.1)) ** 1.5 for _ in range(400)]
NEGATIVE = [-5.0 + NOISE.gauss(0, 0.1) for _ in range(100)]
TABLE = [
    ("calm", CALM, []),
    ("falling", FALLING, []),
    ("heavy-tailed", HEAVY, []),
    ("negative", NEGATIVE, []),
    ("negative, then up", [*NEGATIVE[:40], -1.0, -1.0, -1.0], ["loss.spike"]),
    ("one swing is not enough", [*CALM, 2.0, 1.0, 1.0, 2.0, 1.0], []),
    ("three in a row", [*CALM, 2.0, 2.1, 2.2], ["loss.spike"]),
    ("far at once", [*CALM, 1e4], ["loss.outlier"]),
    ("NaN is left to others", [*CALM, math.nan, math.nan, math.nan], []),
    ("NaN does not break a row", [*CALM, 2.0, math.nan, 2.0, 2.0], ["loss.spike"]),
    ("a slow rise is no spike", [1.0 + tick * 0.01 for tick in range(100)], []),
    ("before the warm-up nothing is judged", [1.0, 50.0, 1.0, 80.0], []),
    ("a loss near zero multiplies easily", [*([1.0] * 12), *([0.001, 0.002] * 30), 0.02, 0.02, 0.02], []),
    ("switched on after having been zero", [*([0.0] * 40), *([0.5, 0.6] * 30)], []),
    ("a level that lasts is adopted", [*CALM, *([2.0] * 60)], ["loss.spike"] * 9),
]


def run(values: list[float], steps: list[int] | None = None) -> list[str]:
    detector = Spike()
    memory, codes = detector.init(), list[str]()
    for tick, value in enumerate(values):
        step = float(steps[tick] if steps else tick)
        reading = Reading(tick=tick, values={"loss/x": value, "step": step, "grad/norm": 1.0})
        memory, findings = detector.update(memory, reading)
        codes += [found.code for found in findings]
    return codes


@pytest.mark.parametrize(("name", "values", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_spikes(name: str, values: list[float], expected: list[str]) -> None:
    assert run(values) == expected, name


def test_values_of_undone_steps_no_longer_count() -> None:
    late = [0.1] * 40
    early = [5.0, 4.9, 4.8, 4.7]
    assert run(late + early) == ["loss.spike"]
    assert run(late + early, [*range(40), 0, 1, 2, 3]) == []


def test_outliers_stay_out_of_their_own_window() -> None:
    detector = Spike()
    memory = detector.init()
    for tick, value in enumerate([*CALM, 1e6]):
        memory, _ = detector.update(memory, Reading(tick=tick, values={"loss/x": value}))
    assert max(memory.tracks["loss/x"].accepted.values) < 2


def test_a_component_that_sets_in_later_is_no_spike() -> None:
    detector = Spike()
    memory, codes = detector.init(), list[str]()
    for tick in range(80):
        values = {"loss/mel": 1.0, "loss/total": 1.0} | ({"loss/extra": 5.0, "loss/total": 6.0} if tick >= 40 else {})
        memory, findings = detector.update(memory, Reading(tick=tick, values=values))
        codes += [found.code for found in findings]
    assert codes == []


def together(kl: list[float], rest: list[float]) -> list[str]:
    detector = Spike()
    memory, codes = detector.init(), list[str]()
    for tick, (one, other) in enumerate(zip(kl, rest, strict=True)):
        values = {"loss/kl": one, "loss/mel": other, "loss/total": one + other, "step": float(tick), "grad/norm": 1.0}
        memory, findings = detector.update(memory, Reading(tick=tick, values=values))
        codes += [f"{found.code} {found.signal}" for found in findings]
    return codes


def test_a_component_that_rises_while_the_total_falls_is_no_spike() -> None:
    kl = [0.1 + 0.001 * math.sin(tick) for tick in range(40)] + [0.5, 0.9, 1.2, 1.5, 2.0, 2.5]
    mel = [40.0 - 0.3 * tick for tick in range(46)]
    assert together(kl, mel) == []


def test_a_component_is_told_where_the_total_rises_with_it() -> None:
    kl = [1.0 + 0.01 * math.sin(tick) for tick in range(40)] + [3.0, 3.1, 3.2]
    assert together(kl, [2.0 + 0.02 * math.cos(tick) for tick in range(43)]) == ["loss.spike loss/kl"]


def test_an_outlier_needs_no_total() -> None:
    kl = [0.001 + 0.0001 * math.sin(tick) for tick in range(40)] + [9.0]
    assert together(kl, [40.0 - 0.3 * tick for tick in range(41)]) == ["loss.outlier loss/kl"]


def test_a_component_is_judged_as_the_update_feels_it() -> None:
    detector = Spike()
    memory, codes = detector.init(), list[str]()
    for tick, value in enumerate([*CALM, *([1000.0] * 20)]):
        knob = {"knob/loss/x": 0.001} if tick >= len(CALM) else {}
        reading = Reading(tick=tick, values={"loss/x": value, "step": float(tick), "grad/norm": 1.0, **knob})
        memory, findings = detector.update(memory, reading)
        codes += [found.code for found in findings]
    assert codes == []
