from __future__ import annotations

import math
from pathlib import Path

import pytest

from rerail.tell.compare import reach
from rerail.tell.compare.levels import At
from written_runs import compared, course, falling, run

END = At(axis="steps", place=99)


def made(folder: Path, *rates: float) -> list[Path]:
    return [run(folder / f"r{rate}", falling(1.0, rate=rate), steps=100, lr=rate, batch_size=2) for rate in rates]


def test_the_default_is_what_the_worst_run_ends_with(tmp_path: Path) -> None:
    fast, slow = made(tmp_path, 0.1, 0.05)
    told = compared([fast, slow])
    (goal,) = told.goals
    assert goal.target.falls
    assert goal.target.value == pytest.approx(math.exp(-0.05 * 97), rel=0.02)
    first, second = (next(iter(one.values())) for one in goal.reached.values())
    assert first is not None
    assert second is not None
    assert (first.step, second.step) == (50 + 1, 99)  # half the way; the window ends a little later
    assert (first.samples, first.seconds) == (102, 52)


def test_a_run_that_leaves_again_has_not_come_to_stay(tmp_path: Path) -> None:
    folder = run(tmp_path / "r", lambda step: {"eval/a": 0.1 if step in (10, 11) or step >= 30 else 1.0}, steps=40)
    target = reach.given_target("eval/a", 0.5, [course(folder)])
    assert target.falls
    found = reach.goal(target, compared([folder, *made(tmp_path, 0.1)]).groups[:1], END, [])
    (point,) = found.reached["A"].values()
    assert point is not None
    assert point.step == 30


def test_a_run_that_never_comes_there_is_told_and_no_difference_is(tmp_path: Path) -> None:
    told = compared(made(tmp_path, 0.1, 0.001), reach={"loss/mel": 0.5})
    (goal,) = told.goals
    assert [*goal.reached["B"].values()] == [None]
    assert goal.contrasts == []


def test_a_diverged_run_is_no_worst_one(tmp_path: Path) -> None:
    lost = run(tmp_path / "lost", lambda step: {"loss/mel": math.nan if step > 50 else 1.0}, steps=100, lr=9)
    told = compared([lost, *made(tmp_path, 0.1)])
    (goal,) = told.goals
    assert goal.target.value == pytest.approx(math.exp(-9.7), rel=0.05)
    assert [*goal.reached["A"].values()] == [None]


def test_a_metric_that_rises_is_to_be_at_least_that(tmp_path: Path) -> None:
    ends = {"a": 0.9, "b": 0.7}
    folders = [
        run(tmp_path / name, lambda step, end=end: {"eval/r": end * step / 99}, steps=100, lr=end)  # type: ignore[misc]
        for name, end in ends.items()
    ]
    (goal,) = compared(folders).goals
    assert not goal.target.falls
    assert goal.target.value == pytest.approx(0.7)
    steps = [point.step for group in goal.reached.values() for point in group.values() if point]
    assert steps == [77, 99]


def test_a_metric_that_goes_both_ways_or_stands_has_no_default(tmp_path: Path) -> None:
    up = run(tmp_path / "up", lambda step: {"eval/a": float(step), "eval/still": 1.0}, lr=1)
    down = run(tmp_path / "down", lambda step: {"eval/a": -float(step), "eval/still": 1.0}, lr=2)
    assert compared([up, down]).goals == []
    asked = compared([up, down], reach={"eval/a": 5.0}).goals
    assert [one.target.signal for one in asked] == ["eval/a"]


def test_what_is_not_alike_has_no_goal(tmp_path: Path) -> None:
    folders = [run(tmp_path / str(n), falling(1.0), huber=n) for n in (0.0, 0.6)]
    assert compared(folders).goals == []
    assert compared(folders, reach={"loss/mel": 0.5}).goals == []


def test_a_loss_is_come_to_from_above_wherever_it_begins(tmp_path: Path) -> None:
    told = compared(made(tmp_path, 0.1, 0.05), reach={"loss/mel": 5.0})
    (goal,) = told.goals
    assert goal.target.falls
    assert [point.step for one in goal.reached.values() for point in one.values() if point] == [0, 0]
