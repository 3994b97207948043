from __future__ import annotations

from pathlib import Path

import pytest

from rerail.tell.compare import groups
from written_runs import ENVIRONMENT, compared, course, falling, run


def labels(*folders: Path) -> dict[str, list[str]]:
    return {one.label: [each.name for each in one.members] for one in compared(folders).groups}


def test_runs_that_differ_by_the_seed_alone_are_one_group(tmp_path: Path) -> None:
    made = [
        run(tmp_path / f"{lr}-{seed}", falling(1.0 + seed), lr=lr, seed=seed, cache=f"cache/{seed}", run=f"runs/{seed}")
        for lr in (0.1, 0.2)
        for seed in (0, 1)
    ]
    told = compared(made)
    assert [one.about for one in told.groups] == ["lr 0.1", "lr 0.2"]
    assert {one.label: len(one.members) for one in told.groups} == {"A": 2, "B": 2}
    assert {one.name: one.values for one in told.differs if one.kind == "setting"} == {
        "lr": {"A": "0.1", "B": "0.2"},
        "seed": {"A": "0, 1", "B": "0, 1"},
        "cache": {"A": "cache/0, cache/1", "B": "cache/0, cache/1"},
        "run": {"A": "runs/0, runs/1", "B": "runs/0, runs/1"},
    }


def test_other_code_is_another_group(tmp_path: Path) -> None:
    old = run(tmp_path / "old", falling(1.0), lr=1, seed=0)
    new = run(
        tmp_path / "new", falling(1.0), lr=1, seed=1, environment={**ENVIRONMENT, "rerail": "0.2.0", "threads": 8}
    )
    told = compared([old, new])
    assert [one.about for one in told.groups] == ["rerail 0.1.0", "rerail 0.2.0"]
    code = [one for one in told.differs if one.kind == "code"]
    assert [(one.name, one.values) for one in code] == [("rerail", {"A": "0.1.0", "B": "0.2.0"})]


def test_the_same_seed_twice_is_no_second_draw(tmp_path: Path) -> None:
    made = [run(tmp_path / name, falling(1.0 + n), lr=1, seed=n // 2) for n, name in enumerate("abc")]
    told = compared(made)
    (group,) = told.groups
    assert [one.name for one in group.members] == ["a", "c"]
    assert [one.name for one in group.repeats] == ["b"]
    assert any(one.startswith("b: the seed of another run of group A") for one in told.remarks)
    assert [standing.runs.keys() for standing in told.rows[0].groups] == [{"a": 0, "c": 0}.keys()]


def test_without_a_seed_only_the_very_same_numbers_are_a_repeat(tmp_path: Path) -> None:
    made = [run(tmp_path / name, falling(start), lr=1) for name, start in (("a", 1.0), ("b", 1.0), ("c", 1.1))]
    (group,) = compared(made).groups
    assert [one.name for one in group.members] == ["a", "c"]
    assert [one.name for one in group.repeats] == ["b"]


def test_runs_without_settings_are_not_taken_for_seeds_of_one_another(tmp_path: Path) -> None:
    made = [run(tmp_path / name, falling(start)) for name, start in (("a", 1.0), ("b", 2.0), ("copy", 2.0))]
    told = compared(made)
    assert labels(*made) == {"A": ["a"], "B": ["b"]}
    assert [one.name for one in told.groups[1].repeats] == ["copy"]
    assert any("no settings in the journal" in one for one in told.remarks)


def test_nested_settings_are_named_by_dots(tmp_path: Path) -> None:
    config = {"optimizer": {"name": "AdamW", "betas": [0.9, 0.99]}, "plain": None, "on": True, "empty": {}}
    told = course(run(tmp_path / "r", falling(1.0), **config))
    assert groups.flat(told.config) == {
        "optimizer.name": "AdamW",
        "optimizer.betas": "[0.9, 0.99]",
        "plain": "null",
        "on": "true",
        "empty": "{}",
    }


@pytest.mark.parametrize(
    "name", ["cache", "out_dir", "run", "paths.output_dir", "log_every", "checkpoint_path", "name"]
)
def test_places_make_no_group(name: str) -> None:
    assert groups.is_place(name)


@pytest.mark.parametrize("name", ["data", "lr", "warmup", "run_length", "cached", "checkpoint_loss"])
def test_settings_do(name: str) -> None:
    assert not groups.is_place(name)


def test_more_groups_than_letters(tmp_path: Path) -> None:
    made = [course(run(tmp_path / str(n), falling(1.0), steps=1, lr=n)) for n in range(28)]
    assert [one.label for one in groups.grouped(made, {})][24:] == ["Y", "Z", "AA", "AB"]


def test_runs_without_settings_that_have_nothing_in_common_are_no_copies(tmp_path: Path) -> None:
    mel, gate = (run(tmp_path / name, falling(1.0, signal=f"loss/{name}")) for name in ("mel", "gate"))
    assert labels(mel, gate) == {"A": ["mel"], "B": ["gate"]}


def test_a_whole_number_is_the_same_setting_however_it_is_written(tmp_path: Path) -> None:
    made = [run(tmp_path / str(n), falling(1.0 + n), seed=n, weight=one) for n, one in enumerate((1, 1.0))]
    assert labels(*made) == {"A": ["0", "1"]}
