from __future__ import annotations

import math
from pathlib import Path

import pytest

from rerail.tell.compare.course import Course
from written_runs import course, falling, note, reading, run, write


def by_step(told: Course, signal: str = "loss/a") -> dict[int, float]:
    return {point.step: value for point, value in told.series[signal]}


def test_a_skipped_step_counts_as_it_was_run_the_last_time(tmp_path: Path) -> None:
    ticks = [(1, 0, 1.0), (2, 1, math.nan), (3, 1, 0.9), (4, 2, 0.8)]
    folder = write(tmp_path / "r", [reading(tick, step, loss__a=value) for tick, step, value in ticks])
    assert by_step(course(folder)) == {0: 1.0, 1: 0.9, 2: 0.8}


def test_what_lies_behind_a_rewind_is_no_part_of_the_course(tmp_path: Path) -> None:
    ticks = [(1, 0, 1.0), (2, 1, 2.0), (3, 2, 30.0), (4, 3, 400.0), (5, 1, 0.9), (6, 2, 0.8)]
    told = course(write(tmp_path / "r", [reading(tick, step, loss__a=value) for tick, step, value in ticks]))
    assert by_step(told) == {0: 1.0, 1: 0.9, 2: 0.8}
    assert told.points[-1].seconds == 5  # the wasted steps took their time
    assert len(told.readings) == 6


def test_a_metric_outlives_the_step_that_is_run_again(tmp_path: Path) -> None:
    folder = write(tmp_path / "r", [reading(1, 0, loss__a=1.0), reading(2, 1, eval__a=7.0), reading(2, 1, loss__a=0.5)])
    assert by_step(course(folder), "eval/a") == {1: 7.0}
    assert by_step(course(folder))[1] == 0.5


def test_a_pause_that_was_asked_for_is_no_time(tmp_path: Path) -> None:
    told = [reading(1, 0, at=2, loss__a=1.0), note("asked", tick=1, at=3, wish="pause")]
    told += [note("asked", tick=1, at=9000, wish="resume"), reading(2, 1, at=9001, loss__a=1.0)]
    assert course(write(tmp_path / "r", told)).end("time") == pytest.approx(2)


def test_pauses_between_sessions_are_no_time(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "r",
        [
            note("start", config={"steps": 2}, environment={}),
            reading(1, 0, at=2, loss__a=1.0),
            reading(2, 1, at=4, loss__a=1.0),
            note("end", tick=2, at=4),
            note("resume", tick=2, at=9000, config={"steps": 4}, environment={}, step=2),
            reading(3, 2, at=9003, loss__a=1.0),
        ],
    )
    told = course(folder)
    assert told.end("time") == pytest.approx(7)
    assert [one.config["steps"] for one in told.sessions] == [2, 4]
    assert told.config == {"steps": 2}


def test_a_torn_line_moves_no_clock(tmp_path: Path) -> None:
    folder = write(tmp_path / "r", [reading(1, 0, at=1, loss__a=1.0), reading(2, 1, at=3, loss__a=1.0)])
    journal = folder / "journal.jsonl"
    first, second = journal.read_text().splitlines()
    journal.write_text(f"{first}\n{first[:30]}\n{second}\n")
    assert course(folder).end("time") == pytest.approx(2)


def test_samples_by_what_was_read_then_by_the_settings(tmp_path: Path) -> None:
    rows = {0: 8.0, 20: 16.0}
    read = run(tmp_path / "read", lambda step: {"loss/a": 1.0, **({"batch/rows": rows[step]} if step in rows else {})})
    assert course(read).end("samples") == 20 * 8 + 19 * 16
    told = run(tmp_path / "told", falling(1.0), batch_size=4, accumulate=3)
    assert course(told).end("samples") == 39 * 12
    assert course(run(tmp_path / "size", falling(1.0), batch_size=4)).end("samples") == 39 * 4
    by_memory = run(tmp_path / "memory", falling(1.0), batch_size=0, accumulate=0)
    assert course(by_memory).end("samples") is None
    assert course(run(tmp_path / "unknown", falling(1.0))).end("samples") is None


def test_the_seed_is_found_by_its_usual_names(tmp_path: Path) -> None:
    assert course(run(tmp_path / "a", falling(1.0), seed=3)).seed == "3"
    assert course(run(tmp_path / "b", falling(1.0), random_state=4)).seed == "4"
    assert course(run(tmp_path / "c", falling(1.0))).seed is None
