from __future__ import annotations

import re
from dataclasses import fields

import pytest

from rerail.fit import FitConfig, problems
from rerail.tasks.xtts.config import SIZES
from rerail.tasks.xtts.levels import ABOVE, FAST, LEVELS
from rerail.tasks.xtts.settings import XttsConfig

OWNERS = {  # lr, mel, KL, stop, attention, clip, weight decay, schedule, warm-up
    "basic": (1e-5, 1.0, 0.5, 1.0, 0.3, 0.5, 1e-7, "noam", 3000),
    "enhanced": (
        0.0,
        2.5,
        1.8,
        1.0,
        0.3,
        0.8,
        5e-7,
        "cosine",
        200,
    ),  # but for its rate and its course, which were measured
    "plateau-breaker": (1.5e-5, 2.0, 1.2, 1.0, 0.3, 0.3, 5e-7, "cosine", 1500),
}
NAMES = (
    *("lr", "weight_mel", "weight_kl", "weight_stop", "weight_attention"),
    *("clip_norm", "weight_decay", "schedule", "warmup"),
)


@pytest.mark.parametrize("level", OWNERS)
def test_levels_are_as_their_owner_said(level: str) -> None:
    given = LEVELS.values(level)
    assert tuple(given[name] for name in NAMES) == OWNERS[level]
    plain = level == "basic"
    assert (given["smooth_mel"], given["smooth_stop"]) == ((0, 0) if plain else (0.025, 0.06))
    assert given["huber"] == (0.6 if level == "plateau-breaker" else 0.0)
    assert given["precision"] == ("fp32" if plain else "mixed")
    assert (given["evaluate_every"], given["epochs"]) == (1000, 500)
    assert (given["patience"], given["least_gain"]) == ((0, 0.0) if plain else (40, 5e-5))


def test_original_and_fast_convergence_are_too() -> None:
    original, fast = LEVELS.values("original"), ABOVE.values(FAST)
    assert (original["lr"], original["weight_mel"], original["weight_kl"], original["epochs"]) == (5e-5, 45.0, 1.0, 200)
    assert (original["weight_decay"], original["clip_norm"], original["warmup"]) == (1e-6, 1.0, 2000)
    assert (original["schedule"], original["accumulate"]) == ("noam", 16)
    assert (fast["lr"], fast["weight_mel"], fast["weight_kl"], fast["weight_stop"]) == (0.0, 22.0, 1.8, 1.5)
    assert (fast["batch_size"], fast["accumulate"], fast["num_workers"]) == (48, 2, 12)
    beside = {"weight_mel", "weight_stop", "batch_size", "accumulate", "num_workers"}
    assert {name: value for name, value in fast.items() if name not in beside} == {
        name: value for name, value in LEVELS.values("enhanced").items() if name not in beside
    }
    assert FAST not in LEVELS.names  # it stands above a level, and is none


def test_rates_never_fall_below_their_owners_floor() -> None:
    given = LEVELS.values("enhanced")
    assert SIZES["tiny"].rate * given["lr_floor"] == pytest.approx(1e-7)


def test_the_rate_of_a_size_falls_as_its_width_grows() -> None:
    assert [round(SIZES[name].rate, 5) for name in ("tiny", "small", "normal", "big")] == [2e-3, 1e-3, 5e-4, 3.3e-4]


@pytest.mark.parametrize("name", [*LEVELS.names, FAST])
def test_every_level_is_in_range_and_every_value_has_a_comment(name: str) -> None:
    presets = ABOVE if name == FAST else LEVELS
    given = presets.values(name)
    known = [FitConfig, XttsConfig]
    own = [{one.name for one in fields(kind)} & set(given) for kind in known]
    assert set.union(*own) == set(given)
    assert problems([kind(**{key: given[key] for key in names}) for kind, names in zip(known, own, strict=True)]) == []
    lines = [line for line in presets.path(name).read_text().splitlines() if not line.startswith("#")]
    assert all(re.match(r"\w+: \S+ +# \w", line) for line in lines)
