from __future__ import annotations

import math

import pytest

from rerail.core.damage import Damage
from rerail.tasks.tacotron2.recovery.decide import ABANDONED, Looked, Source, band, failure, judge, sources


def looked(step: int, *codes: str, mel: float = 1.0, read: float = 0.8, health: str = "healthy") -> Looked:
    metrics = {"mel": mel, "diagonality/forced": read, "diagonality/free": read}
    damages = tuple(Damage(code=code) for code in codes)
    return Looked(name=f"step-{step:08d}", step=step, health=health, damages=damages, metrics=metrics)


def found(*many: Looked, history: list[tuple[int, dict[str, float]]] | None = None) -> list[list[str]]:
    return [[damage.code for damage in one.damages] for one in judge(many, history or [])]


def test_what_was_better_before_is_damage() -> None:
    assert found(looked(100), looked(200, mel=1.4), looked(300, mel=1.6)) == [[], [], ["loss.worse"]]
    assert found(looked(100), looked(200, read=0.5), looked(300, read=0.1)) == [[], [], ["attention.lost"] * 2]
    assert found(looked(100, mel=math.nan)) == [["loss.nonfinite"]]


def test_a_curve_that_still_wavers_is_none() -> None:
    assert (
        found(looked(10, mel=1.9, read=0.0), looked(20, mel=2.6, read=0.1), looked(30, mel=2.1, read=0.04)) == [[]] * 3
    )


def test_the_runs_own_history_counts_up_to_the_checkpoint() -> None:
    history = [(100, {"mel": 0.5, "diagonality/forced": 0.9}), (300, {"mel": 0.1})]
    (codes,) = found(looked(200, read=0.1), history=history)
    assert codes == ["loss.worse", "attention.lost"]


def test_a_damaged_checkpoint_is_no_measure_for_later_ones() -> None:
    assert found(looked(100, "weights.far", mel=0.1), looked(200)) == [["weights.far"], []]


def steps(*many: Looked) -> list[tuple[int, bool]]:
    return [(one.looked.step, one.salvage) for one in sources(many)]


def test_the_newest_healthy_state_comes_first_and_then_the_one_before() -> None:
    assert steps(looked(100), looked(200), looked(300), looked(400, "weights.nonfinite")) == [
        (300, False),
        (200, False),
    ]


@pytest.mark.parametrize(("newest", "first"), [(350, 300), (900, 900)])
def test_a_sound_optimizer_is_worth_some_steps_but_not_many(newest: int, first: int) -> None:
    assert steps(looked(300), looked(newest, "optimizer.exploded"))[0] == (first, False)


def test_what_the_run_went_back_behind_is_taken_only_for_want_of_others() -> None:
    assert steps(looked(100), looked(200, health=ABANDONED)) == [(100, False)]
    assert steps(looked(100, "weights.far"), looked(200, health=ABANDONED)) == [(200, False)]


def test_without_a_healthy_state_the_newest_is_salvaged() -> None:
    assert steps(looked(100, "weights.far"), looked(200, "file.damaged")) == [(200, True), (100, True)]
    assert not Source(looked=looked(1), salvage=True).optimizer_sound


def test_a_state_from_before_an_alignment_is_healthy_and_a_collapsed_one_is_salvaged_only_without() -> None:
    assert steps(looked(100, read=0.0), looked(900, "attention.lost", read=0.0)) == [(100, False)]
    (only,) = sources([looked(900, "attention.lost", read=0.0)])
    assert only.salvage
    assert only.lost_attention


def test_the_band_is_what_the_error_wavers_by_beside_its_trend() -> None:
    falling = [(step, {"mel": 2.0 * 0.9**step}) for step in range(9)]
    wavering = [(step, {"mel": 2.0 * (1.1 if step % 2 else 1.0)}) for step in range(9)]
    assert band(falling) == 0.03
    assert band(wavering) == 0.2
    assert band(falling[:2]) == band([]) == 0.1


BEFORE = {"mel": 1.0, "diagonality/forced": 0.8, "diagonality/free": 0.1}


@pytest.mark.parametrize(
    ("after", "trouble", "why"),
    [
        ({**BEFORE, "mel": 1.04}, "", ""),
        ({**BEFORE, "mel": 1.2}, "", "rose from 1 to 1.2, by more than 5%"),
        ({**BEFORE, "mel": math.nan}, "", "not finite"),
        ({**BEFORE, "diagonality/forced": 0.3}, "", "diagonality/forced fell from 0.80 to 0.30"),
        ({**BEFORE, "diagonality/free": -0.1}, "", ""),
        ({}, "at step 4: loss", "at step 4: loss"),
    ],
)
def test_a_trial_passes_where_nothing_got_worse(after: dict[str, float], trouble: str, why: str) -> None:
    failed = failure(BEFORE, after, trouble, 0.05)
    assert (why in failed) if why else failed == ""
