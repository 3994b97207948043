from __future__ import annotations

from pathlib import Path

from written_runs import compared, falling, note, reading, run, write


def said(*folders: Path) -> str:
    return " ".join(compared(folders).remarks)


def test_single_runs_say_so(tmp_path: Path) -> None:
    made = [run(tmp_path / str(lr), falling(1.0), lr=lr, batch_size=2) for lr in (1, 2)]
    assert "One run a group: no interval and no test" in said(*made)
    assert "All runs take 2 samples a step: equal samples are equal steps." in said(*made)
    assert {row.at.axis for row in compared(made).rows} == {"steps", "time"}


def test_unknown_samples_are_told(tmp_path: Path) -> None:
    made = [run(tmp_path / "a", falling(1.0), lr=1, batch_size=2), run(tmp_path / "b", falling(1.0), lr=2)]
    assert "Samples a step are not known of b" in said(*made)
    assert {row.at.axis for row in compared(made).rows} == {"steps", "time"}


def test_a_run_that_began_elsewhere_or_changed_on_its_way(tmp_path: Path) -> None:
    plain = run(tmp_path / "plain", falling(1.0), lr=1)
    late = write(
        tmp_path / "late",
        [
            note("resume", config={"lr": 1}, environment={}, step=30),
            *(reading(tick, 30 + tick, loss__mel=1.0) for tick in range(9)),
            note("resume", config={"lr": 2}, environment={}, step=39, at=20),
        ],
    )
    assert "late: began at a later step than 0" in said(plain, late)
    assert "late: resumed with other settings; grouped by the first ones" in said(plain, late)


def test_held_out_samples_that_nobody_kept_the_ids_of(tmp_path: Path) -> None:
    made = [run(tmp_path / str(lr), falling(1.0, eval__a=1.0), lr=lr) for lr in (1, 2)]
    assert "Not all runs keep the ids" in said(*made)
    assert "ids" not in said(*(run(tmp_path / f"x{lr}", falling(1.0), lr=lr) for lr in (1, 2)))
