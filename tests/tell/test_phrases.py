from __future__ import annotations

from typing import Any

import pytest

from rerail.tell import phrases


@pytest.mark.parametrize(
    ("code", "signal", "evidence", "text"),
    [
        ("nonfinite.loss", "loss/energy", {"loss/energy": "inf"}, "loss/energy is not finite (inf)"),
        ("nonfinite.gradient", "grad/norm", {"value": "nan"}, "the gradient is not finite (nan)"),
        ("nonfinite.gradient", "grad/norm/decoder", {}, "the gradient of decoder is not finite"),
        ("nonfinite.weights", "weight/norm/a/b", {}, "the weights of a/b are not finite"),
        (
            "loss.spike",
            "loss/mel",
            {"median": 1.02345, "loss/mel": 61.23, "z": 41.3},
            "loss/mel jumped far above its usual range (61.2, median 1.02, z 41.3)",
        ),
        (
            "gradient.explosion",
            "grad/norm",
            {"value": 41234.0},
            "the gradient grew far above its usual range (41200)",
        ),
        ("units.dead", "act/dead/encoder.1", {}, "most units of encoder.1 are zero for every row"),
        ("focus.lost", "focus", {"focus": 0.1}, "focus.lost was found in focus (0.1)"),
    ],
)
def test_findings(code: str, signal: str, evidence: dict[str, Any], text: str) -> None:
    assert phrases.finding({"code": code, "signal": signal, "evidence": evidence}) == text


def test_a_finding_without_anything_still_speaks() -> None:
    assert phrases.finding({}) == "unnamed finding was found in the run"


def test_every_code_has_a_meaning_and_an_unknown_one_none() -> None:
    codes = ["nonfinite.loss", "nonfinite.gradient", "nonfinite.weights", "loss.spike", "gradient.explosion"]
    assert all(phrases.meaning(code).endswith(".") for code in codes)
    assert phrases.meaning("new.code") == ""


SKIPPED = "the update was skipped; the weights are still those of step 6"
NEUTRAL = {"lr_scale": 1.0, "clip_norm": "inf", "precision": "as_run", "weights": {}}


@pytest.mark.parametrize(
    ("knobs", "text"),
    [
        ({}, ""),
        ({"lr_scale": 0.1}, "learning rate x0.1"),
        ({"clip_norm": 0.5, "precision": "float32"}, "gradient norm clipped at 0.5, computed in float32"),
        ({"weights": {"attention": 2.0}}, "weight of attention x2"),
        ({"dropout": 0.3}, "dropout 0.3"),
        ({"precision": "AS_RUN"}, ""),
        ({"precision": "FP32"}, "autocast off"),
        ({"precision": "WIDE"}, "computed in single precision throughout"),
    ],
)
def test_only_knobs_away_from_neutral_are_named(knobs: dict[str, Any], text: str) -> None:
    assert phrases.knobs(NEUTRAL | knobs) == text


def test_a_remedy_tells_move_dose_and_ramp() -> None:
    record = {"move": "SKIP", "knobs": NEUTRAL | {"lr_scale": 0.1}, "hold": 40, "ramp": 40}
    assert phrases.remedy(record) == "skip the update; learning rate x0.1 for 40 ticks, then back over 40"
    assert phrases.remedy({"move": "HALT", "knobs": NEUTRAL, "hold": 0, "ramp": 0}) == "stop the run"
    assert phrases.remedy({"move": "DANCE"}) == "DANCE"


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"move": "SKIP", "rows": [3], "quarantine": True}, "leave out row 3 and put its sample in quarantine"),
        (
            {"move": "SKIP", "rows": [3, 5], "quarantine": True},
            "leave out rows 3, 5 and put their samples in quarantine",
        ),
        ({"move": "SKIP", "rows": [3, 4, 5]}, "leave out rows 3-5"),
        ({"move": "SKIP", "again": True}, "try the same batch again"),
        (
            {"move": "SKIP", "again": True, "knobs": {"precision": "FP32"}, "hold": 1000},
            "try the same batch again; autocast off for 1000 ticks",
        ),
        ({"move": "REWIND", "reset": True}, "go back to the last healthy snapshot and empty the optimizer's memory"),
        (
            {"move": "REWIND", "knobs": {"lr_scale": 0.5}, "hold": 20, "ramp": 20},
            "go back to the last healthy snapshot; learning rate x0.5 for 20 ticks, then back over 20",
        ),
    ],
)
def test_a_proved_remedy_tells_what_it_does(record: dict[str, Any], text: str) -> None:
    assert phrases.remedy({"proved": True} | record) == text


@pytest.mark.parametrize(
    ("did", "text"),
    [
        (
            {"move": "SKIP", "step_before": 6, "step_after": 6, "ids": ["a", "b"], "dropped": ["b"], "rows": [1]},
            f"{SKIPPED}; batch of a, b; b left out, the rest of the batch tried again",
        ),
        (
            {"move": "SKIP", "step_before": 6, "step_after": 6, "ids": ["a"], "dropped": ["a"], "rows": [0]},
            f"{SKIPPED}; batch of a; a left out",
        ),
        (
            {"move": "SKIP", "step_before": 6, "step_after": 6, "ids": [], "dropped": [], "rows": [1, 2]},
            f"{SKIPPED}; rows 1, 2 left out, the rest of the batch tried again",
        ),
        (
            {"move": "SKIP", "step_before": 6, "step_after": 6, "ids": [], "retried": True},
            f"{SKIPPED}; the same batch tried again",
        ),
        (
            {"move": "SKIP", "step_before": 61, "step_after": 61, "ids": ["a", "b"]},
            "the update was skipped; the weights are still those of step 61; batch of a, b",
        ),
        (
            {"move": "REWIND", "step_before": 134, "step_after": 120, "ids": [], "again": 14},
            "went back from step 134 to step 120; 14 batches trained again",
        ),
        ({"move": "HALT", "step_before": 9, "step_after": 9}, "the run was stopped at step 9"),
        ({"move": "COMMIT", "step_before": 9, "step_after": 10}, "the update was applied (step 10)"),
        ({"move": "LEAP", "step_before": 9, "step_after": 12}, "step 9 became step 12"),
    ],
)
def test_what_was_done(did: dict[str, Any], text: str) -> None:
    assert phrases.done(did) == text


def test_what_came_of_it() -> None:
    outcome = {"after": 40, "before": {"loss/mel": 1.0234}, "now": {"loss/mel": 0.9812, "gate": "inf"}}
    numbers = "(loss/mel 1.02 before, 0.981 now, gate unknown before, inf now)"
    assert phrases.effect(outcome | {"recovered": True}) == f"recovered after 40 ticks {numbers}"
    assert phrases.effect({"after": 1, "recovered": False}) == "not recovered after 1 tick"
    speed = {"after": 20, "before": {"time/step": 0.3}, "now": {"time/step": 0.4}, "recovered": True}
    assert phrases.effect(speed) == "recovered after 20 ticks (seconds a step 0.3 before, 0.4 now)"


@pytest.mark.parametrize(("size", "text"), [(12, "12 bytes"), (12_300, "12.3 kB"), (2e6, "2 MB"), (7.04e9, "7.04 GB")])
def test_sizes(size: float, text: str) -> None:
    assert phrases.weighed(size) == text


def test_the_numbers_of_many_parameters_are_counted_past_the_first() -> None:
    bad = {f"grad/norm/{n}": "nan" for n in range(40)}
    found = {"code": "nonfinite.gradient", "signal": "grad/norm/0", "evidence": bad}
    assert phrases.finding(found).endswith("(nan, grad/norm/1 nan, grad/norm/2 nan, grad/norm/3 nan and 36 more)")
