from __future__ import annotations

import math
import random
from dataclasses import fields, replace
from typing import Any

import pytest

from rerail.core.advice import RULES
from rerail.core.calibrate import Healthy, alarms
from rerail.core.detectors import DEFAULT
from rerail.core.detectors.attention import Attention
from rerail.core.detectors.explosion import Explosion
from rerail.core.detectors.oscillation import Oscillation
from rerail.core.detectors.spike import Spike
from rerail.core.detectors.steps import Steps
from rerail.core.reading import Reading
from rerail.core.thresholds import FROM_ONE, KINDS, Threshold, name_of, thresholds

# What is remembered, and how often it is told again.
NO_THRESHOLDS = {"again", "window", "block", "most", "early", "few", "watch"}


def of(detector: Any, name: str) -> Threshold:
    return next(one for one in thresholds(detector) if one.name == name)


def test_the_table_has_every_detector_field_and_code() -> None:
    assert set(KINDS) == {name_of(one) for one in DEFAULT}
    own = {
        "alignment.guide",
        "device.unused",
        "embedding.apart",
        "encoder.frozen",
        "negatives.false",
        "rate.lowered",
        "stage.missed",
        "weight.kl",
        "weight.stop",
    }  # trainers' own detectors have no thresholds to calibrate
    assert {code for kind in KINDS.values() for code in kind.codes} == set(RULES) - own
    for detector in DEFAULT:
        kind = KINDS[name_of(detector)]
        own = {one.name for one in fields(detector)}
        named = {*kind.smaller, *kind.larger}
        assert not set(kind.smaller) & set(kind.larger)
        assert named <= own
        assert own - named <= NO_THRESHOLDS
    assert {f"{one.detector}.{one.name}" for detector in DEFAULT for one in thresholds(detector)} >= FROM_ONE


@pytest.mark.parametrize(
    ("detector", "name", "ratio", "value"),
    [
        (Spike(sigmas=6.0), "sigmas", 2.0, 3.0),
        (Spike(sigmas=6.0), "sigmas", 0.5, 12.0),
        (Spike(rise=1.6), "rise", 2.0, 1.3),  # a factor is measured from 1
        (Spike(persistence=3), "persistence", 1.4, 3),  # a count is rounded to the looser side
        (Spike(persistence=3), "persistence", 1.5, 2),
        (Spike(persistence=3), "persistence", 1000.0, 1),
        (Spike(persistence=3), "persistence", 0.8, 4),
        (Spike(warmup=10), "warmup", 1000.0, 2),  # a baseline of one value is none
        (Spike(adopt=30), "adopt", 2.0, 60),
        (Spike(adopt=30), "adopt", 0.7, 21),
        (Explosion(factor=10.0), "factor", 3.0, 4.0),
        (Attention(uniform=0.98), "uniform", 2.0, 0.96),  # a share of nearly all is measured from all
        (Attention(uniform=0.98), "uniform", 1000.0, 0.0),
        (Attention(sharp=0.8), "sharp", 1.5, 1.2),
        (Oscillation(opposed=-0.4), "opposed", 2.0, -0.2),
        (Steps(small=1e-6), "small", 10.0, 1e-5),
    ],
)
def test_how_strict_a_value_is(detector: Any, name: str, ratio: float, value: float) -> None:
    one = of(detector, name)
    assert one.at(ratio) == pytest.approx(value)
    if not one.whole and value > 0:
        assert one.ratio(value) == pytest.approx(ratio)


def test_a_plan_gets_round_numbers() -> None:
    assert of(Spike(), "sigmas").rounded(6.78912) == 6.79
    assert of(Spike(), "rise").rounded(1.723456) == 1.723
    assert of(Attention(), "uniform").rounded(0.98765432) == 0.9877
    assert of(Spike(), "persistence").rounded(4) == 4


def wild(seed: int, ticks: int = 400) -> Healthy:
    """Readings of every signal there is, each wandering over its own range, with bursts and still stretches."""
    draw = random.Random(seed)
    ranges = {
        **dict.fromkeys(("loss/mel", "loss/kl"), (1e-4, 30.0)),
        "grad/norm": (1e-3, 1e5),
        "input/largest/0": (0.1, 1e4),
        "time/step": (0.01, 1.0),
        "time/wait": (0.001, 0.5),
        "signal/temperature": (0.9, 1.1),
        "batch/same": (1.0, 30.0),
        "lr": (1e-4, 1e-2),
    }
    dear = {
        **dict.fromkeys(("grad/rms", "grad/rms/first", "grad/rms/last"), (1e-9, 1e-2)),
        **dict.fromkeys(("act/dead/a", "act/saturated/a", "input/constant/0", "input/twice"), (0.1, 1.0)),
        **dict.fromkeys(("attention/entropy/a", "attention/largest/a", "attention/diagonal/a"), (1e-3, 1.0)),
        **dict.fromkeys(("embedding/std/a", "embedding/rank/a", "gate/mean/a"), (1e-6, 1.0)),
        **dict.fromkeys(("input/mean/0", "input/std/0"), (0.01, 1000.0)),
        "act/rms/a": (1e-4, 1e4),
        "update/ratio": (1e-8, 1.0),
        "update/still": (1.0, 10.0),
        "optimizer/rms": (0.001, 20.0),
        "optimizer/largest": (1.0, 1e5),
        "label/entropy/1": (0.01, 2.3),
        "memory/host": (1e8, 1e10),
        "attention/stuck/a": (0.5, 1.0),
    }
    fixed = {"param/total": 8.0, "param/no_gradient": 1.0, "update/tensors": 10.0, "embedding/size/a": 64.0}
    fixed |= {"label/classes/1": 10.0, "batch/rows": 32.0, "input/low/0": -1.0, "input/high/0": 1.0}
    at = {name: draw.random() for name in (*ranges, *dear)}
    readings = []
    for tick in range(1, ticks + 1):
        names = ranges | dear if tick % 10 == 0 else ranges
        values = dict(fixed) if tick % 10 == 0 else {}
        for name, (low, high) in names.items():
            at[name] = min(1.0, max(0.0, at[name] + draw.gauss(0, 0.08))) if draw.random() < 0.6 else at[name]
            values[name] = low * (high / low) ** at[name]
        values["step"] = float(tick - 1)
        values["batch/same"] = math.floor(values["batch/same"]) if draw.random() < 0.5 else 0.0
        readings.append(Reading(tick=tick, values=values))
    return Healthy(name=str(seed), readings=tuple(readings))


RUNS = [wild(seed) for seed in range(3)]


def raised(detector: Any) -> int:
    return len({(one.run, one.code) for one in alarms(detector, RUNS)})


def test_a_stricter_value_raises_no_fewer_alarms() -> None:
    answering = list[str]()
    for detector in map(impatient, DEFAULT):
        for one in thresholds(detector):
            loose, strict = (raised(replace(detector, **{one.name: one.at(ratio)})) for ratio in (0.1, 10.0))
            assert loose <= strict, f"{one.detector}.{one.name}"
            answering += [f"{one.detector}.{one.name}"] if loose < strict else []
    assert len(answering) >= 60  # of the others these readings raise no alarm, or one at any value


def impatient(detector: Any) -> Any:
    """So few ticks are long enough for most detectors to speak."""
    short = {one.name: min(one.present, 3) for one in thresholds(detector) if one.name in ("readings", "fewest")}
    short |= {name: 20 for name in ("ticks", "flat", "part") if hasattr(detector, name)}
    return replace(detector, **short)
