from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import pytest
import torch

from rerail.fit.room import Room
from rerail.parted import parted
from rerail.tell import journal
from toy import Toy, same, toy


def short_of(run: Toy, rows: int) -> None:
    """Have memory run out where a batch has more rows."""
    assert run.guard.recipe is not None
    inner = run.guard.recipe.losses

    def losses(batch: dict[str, Any]) -> Any:
        if len(batch["x"]) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return inner(batch)

    object.__setattr__(run.guard.recipe, "losses", losses)


def test_rows_are_parted_in_order_and_what_is_no_row_stays() -> None:
    batch = {"x": torch.arange(10).view(5, 2), "id": list("abcde"), "scale": torch.tensor(3.0), "width": 7}
    parts = list(parted(batch, 2))
    assert [one["id"] for one in parts] == [["a", "b"], ["c", "d", "e"]]
    assert [len(one["id"]) for one in parted(batch, 8)] == [1, 1, 1, 1, 1]
    assert torch.equal(torch.cat([one["x"] for one in parts]), batch["x"])
    assert all(float(one["scale"]) == 3.0 and one["width"] == 7 for one in parts)


def test_where_memory_runs_out_the_same_rows_make_the_same_number_of_steps(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run")
    short_of(run, 4)
    room, batches = Room(run.guard), iter(run.loader)
    for _ in range(5):
        room.step([next(batches)])
    assert room.parts == 4  # of 12 rows
    assert run.guard.steps == 5
    told = [one for one in journal.read(tmp_path / "run") if one.get("text", "").startswith("out of memory")]
    assert [one["data"]["parts"] for one in told] == [2, 4]
    assert "2 GiB" in told[0]["data"]["error"]


def test_a_row_that_does_not_fit_by_itself_is_told() -> None:
    run = toy()
    short_of(run, 0)
    before = [one.clone() for one in run.weights()]
    with pytest.raises(torch.OutOfMemoryError):
        Room(run.guard).step([next(iter(run.loader))])
    assert same(before, run.weights())


def test_a_batch_whose_rows_are_compared_is_not_made_smaller(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run")
    short_of(run, 6)
    room = Room(run.guard, "give --chunk 6")
    with pytest.raises(ValueError, match=r"out of memory: got a batch of 12 rows.*another objective; give --chunk 6"):
        room.step([next(iter(run.loader))])
    assert (room.parts, run.guard.steps) == (1, 0)


def test_parts_become_single_rows_before_it_gives_up(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run")
    run.model.eval()  # else its batch normalisation would refuse a single row
    short_of(run, 1)
    room = Room(run.guard)
    room.step([next(iter(run.loader))])  # 12 rows: 16 parts are twelve of a row each
    assert (room.parts, run.guard.steps) == (16, 1)


def test_what_a_failed_pass_has_made_is_free_before_the_next(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run")
    assert run.guard.recipe is not None
    inner, made, alive = run.guard.recipe.losses, list[Any](), list[bool]()

    def losses(batch: dict[str, Any]) -> Any:
        alive.extend(one() is not None for one in made)
        activations = torch.zeros(1000)
        made.append(weakref.ref(activations))
        if len(batch["x"]) > 6:
            raise torch.OutOfMemoryError("out of memory")
        return inner(batch)

    object.__setattr__(run.guard.recipe, "losses", losses)
    Room(run.guard).step([next(iter(run.loader))])
    assert alive
    assert not any(alive)
