from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerail.tell import compare
from written_runs import compared, falling, note, run, write


@settings(max_examples=20, deadline=None)
@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=12),
    copies=st.integers(2, 4),
    config=st.dictionaries(st.sampled_from(["lr", "seed", "weight_a"]), st.integers(0, 3)),
)
def test_identical_runs_never_part_and_are_never_ranked(
    values: list[float], copies: int, config: dict[str, int]
) -> None:
    with TemporaryDirectory() as place:
        made = [
            run(
                Path(place) / str(n),
                lambda step: {"loss/a": values[step], "eval/b": values[step]},
                steps=len(values),
                **config,
            )
            for n in range(copies)
        ]
        told = compared(made)
    assert all(one.same and one.losses is None for one in told.partings)
    (group,) = told.groups
    assert len(group.members) == 1
    assert len(group.repeats) == copies - 1
    assert told.contrasts == []
    assert [one for one in told.differs if one.kind != "data"] == []


def test_everything_wrong_with_the_folders_is_named_at_once(tmp_path: Path) -> None:
    good = run(tmp_path / "good", falling(1.0))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="3 problem") as caught:
        compare.read([good, tmp_path / "good" / ".." / "good", tmp_path / "empty", tmp_path / "gone\x1b[31m"])
    said = str(caught.value)
    assert "good is named more than once; name it once" in said
    assert "empty is no run folder: it has no journal.jsonl" in said
    assert "gone\\x1b[31m is no run folder" in said


def test_a_run_alone_is_no_comparison(tmp_path: Path) -> None:
    assert compare.folder_problems([run(tmp_path / "a", falling(1.0))]) == [
        "a comparison needs two runs or more, got 1; name another"
    ]


def test_runs_without_readings_are_named(tmp_path: Path) -> None:
    empty = [write(tmp_path / name, [note("start", config={}, environment={})]) for name in "ab"]
    with pytest.raises(ValueError, match=r"2 run\(s\) without readings\n  a has no loss .*\n  b has"):
        compare.read([*empty, run(tmp_path / "good", falling(1.0))])


def test_runs_of_one_name_are_told_apart_by_their_place(tmp_path: Path) -> None:
    made = [run(tmp_path / place / "run", falling(1.0), lr=place) for place in ("a", "b")]
    assert [one.name for one in compare.read(made)] == [str(one) for one in made]


def test_a_whole_comparison(tmp_path: Path) -> None:
    made = [
        run(tmp_path / f"{lr}-{seed}", falling(2.0 + seed / 10, rate=lr), lr=lr, seed=seed)
        for lr in (0.05, 0.1)
        for seed in range(4)
    ]
    told = compared(made)
    steps = [one for one in told.contrasts if one.at.axis == "steps"]
    assert [(one.first, one.second, one.signal) for one in steps] == [("A", "B", "loss/mel")]
    assert steps[0].difference is not None
    assert steps[0].difference.shown
    assert steps[0].difference.mean == pytest.approx(2.15 * (math.exp(-3.9) - math.exp(-1.95)), rel=0.05)
    assert len(told.partings) == len(made) - 1
