from __future__ import annotations

import math
from pathlib import Path

import pytest

from rerail.tell.compare import charts
from written_runs import compared, falling, run


def test_a_line_is_the_mean_of_the_seeds_as_far_as_all_go(tmp_path: Path) -> None:
    made = [
        run(
            tmp_path / str(seed),
            lambda step, up=seed: {"eval/a": step + 2.0 * up},
            steps=30 + 10 * seed,
            seed=seed,
            lr=1,
        )  # type: ignore[misc]
        for seed in (0, 1)
    ]
    (group,) = compared(made).groups
    points = charts.line(group, "eval/a", "steps")
    assert points[0] == (0, 1, 0, 2)
    assert points[-1] == (29, 30, 29, 31)
    assert charts.line(group, "eval/b", "steps") == []


def test_runs_that_were_measured_at_other_times_share_a_line(tmp_path: Path) -> None:
    made = [
        run(
            tmp_path / str(seed), lambda _, value=seed: {"eval/a": float(value)}, steps=4, seconds=pace, seed=seed, lr=1
        )  # type: ignore[misc]
        for seed, pace in ((0, 1.0), (1, 1.5))
    ]
    (group,) = compared(made).groups
    assert [place for place, *_ in charts.line(group, "eval/a", "time")] == [1.5, 2, 3, 4]


def test_long_lines_are_thinned_to_their_end(tmp_path: Path) -> None:
    made = [run(tmp_path / str(lr), falling(1.0, rate=1e-3), steps=1000, lr=lr) for lr in (1, 2)]
    points = charts.line(compared(made).groups[0], "loss/mel", "steps")
    assert 100 < len(points) <= 201
    assert points[-1][0] == 999


def test_where_a_run_is_not_finite_the_line_has_no_point(tmp_path: Path) -> None:
    made = [run(tmp_path / str(lr), lambda step: {"loss/a": math.nan if step > 5 else 1.0}, lr=lr) for lr in (1, 2)]
    points = charts.line(compared(made).groups[0], "loss/a", "steps")
    assert [place for place, mean, *_ in points if math.isfinite(mean)] == [0, 1, 2, 3, 4, 5]


def test_each_group_has_a_colour_of_the_page(tmp_path: Path) -> None:
    made = [run(tmp_path / str(lr), falling(float(lr)), lr=lr) for lr in (1, 2, 3)]
    first = charts.sections(compared(made))[0]
    assert first.title == "Over optimizer steps"
    (chart,) = first.charts
    assert chart.description.startswith("A ends at 0.0")
    layers = chart.spec["layer"]
    assert isinstance(layers, list)
    scale = layers[1]["encoding"]["color"]["scale"]
    assert (scale["domain"], scale["range"]) == (
        ["A", "B", "C"],
        ["var(--group-0)", "var(--group-1)", "var(--group-2)"],
    )
    assert set(chart.data["points"]["group"]) == {"A", "B", "C"}


@pytest.mark.parametrize("huber", [0.0, 0.6])
def test_what_is_not_alike_is_not_drawn_side_by_side(tmp_path: Path, huber: float) -> None:
    values = {"huber": 0.0}, {"huber": huber, "lr": 2}
    made = [run(tmp_path / str(n), falling(1.0, loss__stop=1.0), **one) for n, one in enumerate(values)]
    drawn = {one.title for one in charts.sections(compared(made))[0].charts}
    assert drawn == ({"loss/stop"} if huber else {"loss/mel", "loss/stop"})


def test_a_line_that_ends_in_what_is_not_finite_says_so(tmp_path: Path) -> None:
    made = [
        run(tmp_path / "a", lambda step: {"eval/a": math.nan if step > 20 else 1.0}, seed=0, lr=1),
        run(tmp_path / "b", lambda _: {"eval/a": 2.0}, seed=0, lr=2),
    ]
    (section, *_) = charts.sections(compared(made))
    (chart,) = section.charts
    assert chart.description == "A ends at nan, B ends at 2."
    means = [
        value
        for group, value in zip(*(chart.data["points"][name] for name in ("group", "mean")), strict=True)
        if group == "A"
    ]
    assert means[:21] == [1.0] * 21
    assert set(means[21:]) == {None}
