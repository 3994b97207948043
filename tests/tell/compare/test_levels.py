from __future__ import annotations

import math
from pathlib import Path

import pytest

from rerail.tell.compare import levels
from rerail.tell.compare.levels import At
from written_runs import compared, course, falling, reading, run, write

STEPS = At(axis="steps", place=100)


def test_a_loss_is_the_median_of_the_last_part_of_the_way(tmp_path: Path) -> None:
    told = course(run(tmp_path / "r", lambda step: {"loss/a": 500.0 if step == 99 else float(step)}, steps=120))
    assert levels.standing(told, "loss/a", STEPS) == (98, 100)  # of 96, 97, 98, 100 and 500
    assert levels.standing(told, "loss/other", STEPS) is None


def test_a_metric_is_the_newest_by_then(tmp_path: Path) -> None:
    def values(step: int) -> dict[str, float]:
        return {"loss/a": 1.0, **({"eval/a": step / 10} if step % 40 == 0 else {})}

    told = course(run(tmp_path / "r", values, steps=130))
    assert levels.standing(told, "eval/a", STEPS) == (8.0, 80)
    assert levels.standing(told, "eval/a", At(axis="time", place=100)) == (8.0, 81)


def test_a_run_that_ends_in_nan_stands_at_nan(tmp_path: Path) -> None:
    told = course(run(tmp_path / "r", lambda step: {"loss/a": math.nan if step > 90 else 1.0}, steps=101))
    value, _ = levels.standing(told, "loss/a", STEPS) or (0.0, 0.0)
    assert math.isnan(value)


def test_runs_are_compared_where_the_shortest_ends(tmp_path: Path) -> None:
    made = [
        run(tmp_path / "short", falling(1.0), steps=31, batch_size=8, lr=1, seconds=4),
        run(tmp_path / "long", falling(1.0), steps=101, batch_size=2, lr=2),
    ]
    told = compared(made)
    assert [row.at for row in told.rows] == [
        At(axis="steps", place=30),
        At(axis="samples", place=200),
        At(axis="time", place=101),
    ]
    by_axis = {row.at.axis: [next(iter(one.runs.values())) for one in row.groups] for row in told.rows}
    assert by_axis["steps"] == pytest.approx([math.exp(-3)] * 2, rel=0.1)
    assert by_axis["samples"] == pytest.approx([math.exp(-2.5), math.exp(-10)], rel=0.4)  # of 25 and 100 steps
    assert by_axis["time"] == pytest.approx([math.exp(-2.4), math.exp(-9.9)], rel=0.4)


def test_a_metric_that_was_measured_elsewhere_is_not_compared(tmp_path: Path) -> None:
    def every(steps: int, name: str) -> Path:
        measured = {"eval/a": 1.0}
        return run(tmp_path / name, lambda n: {"loss/a": 1.0, **({} if n % steps else measured)}, steps=101, lr=steps)

    found = {(one.signal, one.at.axis): one for one in compared([every(20, "often"), every(60, "seldom")]).contrasts}
    assert found["eval/a", "steps"].why == "last read at 60 and 100, which is too far apart"
    assert found["eval/a", "steps"].difference is None
    assert found["loss/a", "steps"].why == ""


def test_what_not_all_have_read_is_not_compared(tmp_path: Path) -> None:
    made = [
        run(tmp_path / "a", falling(1.0), lr=1, seed=0),
        run(tmp_path / "b", falling(1.0, eval__a=1.0), lr=1, seed=1),
        run(tmp_path / "c", falling(1.0, eval__a=2.0), lr=2, seed=0),
    ]
    told = compared(made, only=["eval/a"])
    assert {one.why for one in told.contrasts} == {"not read by all of them"}
    assert told.rows[0].groups[0].mean is None
    assert told.rows[0].groups[0].runs == {"a": None, "b": 1.0}


def test_groups_of_seeds_have_intervals_and_a_test(tmp_path: Path) -> None:
    def made(lr: int, ends: list[float]) -> list[Path]:
        return [
            write(
                tmp_path / f"{lr}-{seed}",
                [
                    {
                        "v": 1,
                        "kind": "note",
                        "tick": 0,
                        "time": 1,
                        "text": "start",
                        "data": {"config": {"lr": lr, "seed": seed}},
                    },
                    reading(1, 0, loss__a=9.0),
                    reading(2, 1, loss__a=end),
                ],
            )
            for seed, end in enumerate(ends)
        ]

    told = compared([*made(1, [1.0, 2.0, 3.0]), *made(2, [4.0, 6.0, 8.0])])
    (contrast,) = [one for one in told.contrasts if one.at.axis == "steps"]
    assert contrast.difference is not None
    assert (contrast.difference.mean, contrast.difference.p) == (4.0, pytest.approx(0.1))
    first, second = (one.mean for one in told.rows[0].groups)
    assert first is not None
    assert second is not None
    assert (first.mean, second.mean) == (2.0, 6.0)
    assert (first.low, first.high) == pytest.approx((-0.48414, 4.48414), abs=1e-4)
