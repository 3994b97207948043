from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Any

import pytest

from rerail.core.calibrate import (
    FURTHEST,
    Healthy,
    Judged,
    Margin,
    alarms,
    boundary,
    healthy,
    judge,
    loosened,
    plan_data,
)
from rerail.core.detectors.explosion import Explosion
from rerail.core.detectors.idle import Idle
from rerail.core.detectors.nonfinite import NonFinite
from rerail.core.detectors.spike import Spike
from rerail.core.detectors.steps import Steps
from rerail.core.detectors.units import Units
from rerail.core.plans import default_plan, plan_of
from rerail.core.reading import Reading


def run(values: list[dict[str, float]], name: str = "a", proved: tuple[int, ...] = ()) -> Healthy:
    readings = tuple(Reading(tick=tick, values={"step": tick - 1.0, **one}) for tick, one in enumerate(values, 1))
    return Healthy(name=name, readings=readings, proved=proved)


def gradients(ticks: int = 300, top: float = 1.0, seed: int = 0) -> list[dict[str, float]]:
    """A norm within 5 % of 1, but `top` three times in a row at tick 201."""
    draw = random.Random(seed)
    norms = [1 + 0.05 * draw.uniform(-1, 1) for _ in range(ticks)]
    norms[200:203] = [top] * 3
    return [{"grad/norm": one} for one in norms]


def dear(name: str, values: list[float]) -> list[dict[str, float]]:
    """A reading of the dear sensors at every 50th tick."""
    made: list[dict[str, float]] = [{} for _ in range(50 * len(values))]
    made[49::50] = [{"param/total": 1.0, name: value} for value in values]
    return made


def margin(judged: Judged, name: str, code: str = "") -> Margin:
    return next(one for one in judged.margins if one.threshold.name == name and one.code == code)


def test_the_quiet_value_is_the_largest_that_healthy_runs_reach() -> None:
    judged = judge(Units(), [run(dear("act/dead/a", [0.1, 0.2, 0.31, 0.32, 0.33, 0.2])), run([], "b")])
    found = margin(judged, "dead")
    assert judged.alarms == ()
    assert found.quiet == pytest.approx(0.31, rel=0.02)  # the third look is the one that tells
    assert found.quiet is not None
    assert found.quiet > 0.31
    assert found.ratio == pytest.approx(0.6 / 0.31, rel=0.02)


def test_a_factor_is_swept_from_one_and_a_count_in_whole_steps() -> None:
    judged = judge(Explosion(sigmas=0.01), [run(gradients(top=6.0))])
    factor = margin(judged, "factor")
    assert factor.quiet == pytest.approx(6.0, rel=0.05)
    assert factor.ratio == pytest.approx(9.0 / (factor.quiet - 1))  # type: ignore[operator]
    close = judge(Explosion(sigmas=0.01, factor=5.0, persistence=4), [run(gradients(top=6.0))])
    assert (margin(close, "persistence").quiet, margin(close, "persistence").ratio) == (4, 1.0)


def test_what_these_runs_say_nothing_about_has_no_margin() -> None:
    judged = judge(Steps(), [run(gradients())])
    assert all((one.quiet, one.ratio) == (None, math.inf) for one in judged.margins)
    assert loosened(judged, [run(gradients())]).changes == {}


def test_an_alarm_gives_the_nearest_looser_value_and_the_plan_goes_past_it() -> None:
    runs = [run(gradients(top=40.0)), run(gradients(seed=1), "b")]
    judged = judge(Explosion(), runs)
    assert [(one.run, one.tick, one.code) for one in judged.alarms] == [("a", 203, "gradient.explosion")]
    found = margin(judged, "factor", "gradient.explosion")
    assert found.quiet == pytest.approx(40.0, rel=0.05)
    assert found.ratio < 1
    plan = loosened(judged, runs)
    assert plan.still == ()
    assert set(plan.changes) == {"factor"}  # sigmas would have to move further, and waiting is no cure
    assert plan.changes["factor"] == pytest.approx(1 + 1.25 * 39, rel=0.05)
    assert margin(judge(plan.detector, runs), "factor").ratio == pytest.approx(1.25, rel=0.03)


def test_a_thin_margin_is_widened_though_nothing_was_raised() -> None:
    runs = [run(dear("act/dead/a", [0.5] * 6))]
    plan = loosened(judge(Units(dead=0.55), runs), runs, margin=1.5)
    assert plan.changes == {"dead": pytest.approx(0.75, rel=0.03)}
    assert loosened(judge(Units(dead=0.8), runs), runs, margin=1.5).changes == {}


def test_a_proved_outlier_does_not_shift_the_threshold_it_was_judged_by() -> None:
    detector = Explosion(sigmas=1.0)
    clean = judge(detector, [run(gradients(top=4.0))])
    outlier = gradients(top=4.0)
    outlier[100] = {"grad/norm": 1e5}
    judged = judge(detector, [run(outlier, proved=(101,))])
    assert judged.alarms == ()
    assert margin(clean, "factor").quiet == pytest.approx(4.0, rel=0.1)
    assert margin(judged, "factor").quiet == pytest.approx(margin(clean, "factor").quiet, rel=0.03)
    counted = judge(detector, [run(outlier)])
    assert [one.tick for one in counted.alarms] == [101]
    assert loosened(counted, [run(outlier)]).changes["at_once"] > 1e5


def test_an_outlier_stays_out_of_the_window_it_is_judged_by() -> None:
    draw = random.Random(2)
    losses = [{"loss/mse": 1 + 0.1 * draw.gauss(0, 1)} for _ in range(200)]
    poisoned = [dict(one) for one in losses]
    for tick in range(60, 200, 40):
        poisoned[tick]["loss/mse"] = 50.0  # single ones: suspects, and no alarm
    clean, other = (judge(Spike(rise=1.001), [run(one)]) for one in (losses, poisoned))
    assert clean.alarms == other.alarms == ()
    assert margin(other, "sigmas").quiet == pytest.approx(margin(clean, "sigmas").quiet, rel=0.25)


def test_what_no_threshold_silences_is_handed_back() -> None:
    values = gradients()
    values[5] = {"grad/norm": math.nan, "loss/mse": math.nan}
    runs = [run(values)]
    judged = judge(NonFinite(), runs)
    assert [one.code for one in judged.alarms] == ["nonfinite.loss"]
    plan = loosened(judged, runs)
    assert plan.changes == {}
    assert plan.still == judged.alarms


def test_an_overflow_of_the_loss_scale_is_no_alarm() -> None:
    values = gradients()
    values[5] = {"grad/norm": math.inf, "scale": 65536.0, "scale/backoffs": 0.0}
    judged = judge(NonFinite(), [run(values)])
    assert judged.alarms == ()
    assert "scale.overflow" not in judged.rates()


def test_rates_name_every_code_that_the_detector_has() -> None:
    judged = judge(Idle(), [run([{"grad/norm": 0.0, "loss/total": 1.0}] * 12)])
    rates = judged.rates()
    assert {code: rate.count for code, rate in rates.items()} == {"gradient.zero": 2, "gradient.stopped": 0}
    assert rates["gradient.stopped"].high == pytest.approx(1e4 * 3.689 / 12, rel=1e-3)


def test_several_findings_of_one_code_at_a_tick_are_one_alarm() -> None:
    values = [{"loss/a": 1.0, "loss/b": 1.0}] * 20 + [{"loss/a": 1e4, "loss/b": 1e4}]
    assert [(one.tick, one.code) for one in alarms(Spike(), [run(values)])] == [(21, "loss.outlier")]


def test_the_sweep_finds_the_edge_and_asks_seldom() -> None:
    asked = list[float]()

    def holds(value: float) -> bool:
        asked.append(value)
        return value < 7.3

    found = boundary(holds, lambda ratio: ratio)
    assert found is not None
    assert found[0] < 7.3 <= found[1] < 1.01 * found[0]
    assert len(asked) < 15
    assert boundary(lambda _: True, lambda ratio: ratio) is None
    assert boundary(lambda value: value < FURTHEST, lambda ratio: ratio) is not None


def records(*causes: Mapping[str, Any]) -> list[dict[str, Any]]:
    readings = [{"kind": "reading", "tick": tick, "values": {"loss/a": "nan"}} for tick in (1, 2)]
    return [*readings, *({"kind": "cause", **one} for one in causes), {"kind": "note", "tick": 2}]


def test_a_journal_gives_readings_and_the_rows_proved_bad() -> None:
    made = healthy(
        "a",
        records(
            {"tick": 50, "cause": "data", "replays": 4},
            {"tick": 60, "cause": "step size", "replays": 9},  # a healthy run's step was not too large
            {"tick": 70, "cause": "data", "replays": 0},  # named, not proved
        ),
    )
    assert [one.tick for one in made.readings] == [1, 2]
    assert math.isnan(made.readings[0].values["loss/a"])
    assert made.proved == (50,)
    assert [tick for tick in (10, 25, 50, 75, 90) if made.excuses(tick)] == [25, 50, 75]
    assert healthy("a", records({"tick": 50, "cause": "data", "replays": 4}), count_proved=True).proved == ()


def test_a_plan_holds_only_what_differs_from_the_default() -> None:
    given = {"detectors": {"spike": {"sigmas": 9, "rise": 2.0}}, "ladders": {"loss.spike": None}}
    data = plan_data(given, {"spike": {"rise": 1.6}, "units": {"dead": 0.7}})
    assert data == {
        "ladders": {"loss.spike": None},
        "detectors": {"spike": {"sigmas": 9}, "units": {"dead": 0.7}},
    }
    assert plan_of(data).ladder("loss.spike") is None
    assert plan_of(plan_data({}, {})) == default_plan()
