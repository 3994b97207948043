from __future__ import annotations

import math

from rerail.core.calibrate import Alarm, Judged, Margin
from rerail.core.detectors.explosion import Explosion
from rerail.core.detectors.units import Units
from rerail.core.rate import Rate
from rerail.core.thresholds import thresholds
from rerail.tell import calibrated

FACTOR, DEAD = (
    next(one for one in thresholds(detector) if one.name == name)
    for detector, name in ((Explosion(), "factor"), (Units(), "dead"))
)
ALARM = Alarm(run="runs/a", tick=7, code="gradient.explosion")
NOISY = Judged(
    detector=Explosion(),
    ticks=10_000,
    alarms=(ALARM,),
    margins=(Margin(threshold=FACTOR, quiet=40.0, ratio=9 / 39, code="gradient.explosion"),),
)
QUIET = Judged(detector=Units(), ticks=10_000, alarms=(), margins=(Margin(threshold=DEAD, quiet=None, ratio=math.inf),))


def test_a_detector_has_its_rate_and_its_nearest_threshold() -> None:
    noisy, quiet = calibrated.detectors([NOISY, QUIET])
    assert noisy == ("explosion", "1", "1 (0.0253 to 5.57)", "factor 10", "40", "0.231")
    assert quiet == ("units", "0", "0 (0 to 3.69)", "-", "-", "-")


def test_every_threshold_has_a_row() -> None:
    assert calibrated.thresholds([NOISY, QUIET]) == [
        ("explosion", "factor", "10", "40", "0.231", "gradient.explosion"),
        ("units", "dead", "0.6", "-", "-", ""),
    ]


def test_a_change_that_leaves_little_of_a_detector_says_so() -> None:
    (some,) = calibrated.changes([NOISY], {"explosion": {"factor": 50.0}})
    (much,) = calibrated.changes([NOISY], {"explosion": {"factor": 500.0}})
    assert some == ("explosion", "factor", "10", "50", "")
    assert much[-1].startswith("all but off")


def test_what_silence_is_worth() -> None:
    told = calibrated.watched(["runs/a", "runs/b"], 20_000, 0)
    assert told == (
        "2 healthy runs, 20000 ticks: runs/a, runs/b.\nNo alarm in so many ticks means at most 1.84 in 10,000 (95 %)."
    )
    assert "around 2 ticks" in calibrated.watched(["runs/a"], 20_000, 2)


def test_what_is_left_names_run_and_tick() -> None:
    assert calibrated.remaining([ALARM]).startswith(
        "No threshold silences 1 alarm: gradient.explosion at tick 7 of runs/a."
    )


def test_an_interval_has_three_digits() -> None:
    assert calibrated.interval(Rate(count=2, ticks=30_000)) == "0.667 (0.0807 to 2.41)"
