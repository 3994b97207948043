from __future__ import annotations

from pathlib import Path

import pytest

from rerail.tell.compare import data
from rerail.tell.compare.groups import Group
from written_runs import course, falling, run


@pytest.mark.parametrize(
    "name",
    ["data", "data.path", "validation", "held_out", "image_folder", "test_size", "split_seed", "val_data", "train_csv"],
)
def test_settings_that_choose_the_samples(name: str) -> None:
    assert data.is_data(name)


@pytest.mark.parametrize("name", ["batch_size", "data.batch_size", "size", "image_size", "lr", "cache", "num_workers"])
def test_settings_that_do_not(name: str) -> None:
    assert not data.is_data(name)


def test_the_ids_decide_where_all_runs_keep_them(tmp_path: Path) -> None:
    one, other = run(tmp_path / "one", falling(1.0), data="x"), run(tmp_path / "other", falling(1.0), data="y")
    same = [course(one, aside=["a", "b"]), course(other, aside=["b", "a"])]
    assert data.measured_unlike(same) == ""
    assert data.sure(same)
    apart = [course(one, aside=["a", "b"]), course(other, aside=["b", "c", "d"])]
    assert data.measured_unlike(apart) == "measured on other held-out samples: 2 and 3, 1 of them in all"


def test_else_the_settings_do(tmp_path: Path) -> None:
    one, other = run(tmp_path / "one", falling(1.0), data="x"), run(tmp_path / "other", falling(1.0), data="y")
    assert data.measured_unlike([course(one, aside=["a"]), course(other)]).endswith("as the settings tell: data")
    assert data.measured_unlike([course(one), course(one)]) == ""
    assert not data.sure([course(one)])


def test_only_what_differs_is_told(tmp_path: Path) -> None:
    rows = [4.0, 8.0]
    folders = [
        run(tmp_path / str(n), lambda _, n=n: {"loss/a": 1.0, "batch/rows": rows[n]})  # type: ignore[misc]
        for n in range(2)
    ]
    runs = [course(one, aside=["a", "b"]) for one in folders]
    made = [Group(label=label, about="", members=(one,)) for label, one in zip("AB", runs, strict=True)]
    assert [(one.name, one.values) for one in data.facts(made)] == [("rows a step", {"A": "4", "B": "8"})]
    kept = [Group(label="A", about="", members=(runs[0],)), Group(label="B", about="", members=(course(folders[1]),))]
    told = {one.name: one.values for one in data.facts(kept)}
    assert told["held-out samples"]["A"].startswith("2 (ids ")
    assert told["held-out samples"]["B"] == "ids not kept"
