from __future__ import annotations

import pytest

from rerail.tell.notices import values


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (12_000, "3 h 20 min"),
        (47 * 3600, "47 h 0 min"),
        (50 * 3600, "2 d 2 h"),
    ],
)
def test_a_duration_in_units_that_every_language_reads(seconds: float, text: str) -> None:
    assert values.duration(seconds) == text


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e18, float("inf"), float("nan")])
def test_a_moment_that_no_calendar_has_is_none(seconds: float) -> None:
    assert values.moment(seconds) == ""
    assert values.moment(1_790_000_000) == "2026-09-21 14:13 UTC"


def test_held_out_metrics_tell_quality_first_and_teacher_forced_last() -> None:
    metrics = {"eval/a/forced": 1.0, "eval/b/free": 2.0, "eval/quality": 70.0}
    assert values.held_out(metrics) == "eval/quality 70, eval/b/free 2, eval/a/forced 1"
    assert values.held_out({f"eval/{number}": 1.0 for number in range(20)}).endswith("eval/7 1, +12")


def test_the_most_cautious_of_each_knob_is_told() -> None:
    given = [
        {"knobs": {"lr_scale": 0.1, "clip_norm": "inf", "settings": {"betas.1/0": 0.95}}, "hold": 20},
        {"knobs": {"lr_scale": 0.01, "precision": "wide", "weights": {"mel": 2.0}}, "hold": 10**9},
    ]
    turned = {name: value for name, value in values.knobs(given).items() if value}
    assert turned == {"lr_scale": "0.01", "precision": "WIDE", "weights": "mel x2", "settings": "betas.1/0 0.95"}
