from __future__ import annotations

from typing import NamedTuple

import pytest
import torch

from rerail.act import rows
from rerail.act.window import Entry, Window


class Pair(NamedTuple):
    x: object
    y: object


X = torch.arange(6).reshape(3, 2)

BATCHES = [
    ("tensor", X),
    ("mapping", {"x": X, "id": ["a", "b", "c"], "name": "all", "scale": torch.tensor(2.0)}),
    ("tuple", (X, X[:, 0])),
    ("named tuple", Pair(X, {"z": X})),
    ("list of tensors", [X, X]),
]


@pytest.mark.parametrize(("name", "batch"), BATCHES, ids=[one[0] for one in BATCHES])
def test_every_tensor_loses_the_same_rows(name: str, batch: object) -> None:
    picked = rows.select(batch, [2, 0])
    assert type(picked) is type(batch), name
    assert rows.count(picked) == 2
    kept = [tensor for tensor in rows.tensors(picked) if tensor.dim() == 2]
    assert kept
    assert all(torch.equal(tensor, X[[2, 0]]) for tensor in kept)


def test_ids_follow_their_rows_and_other_things_stay() -> None:
    picked = rows.select(BATCHES[1][1], [1])
    assert picked["id"] == ["b"]
    assert picked["name"] == "all"
    assert float(picked["scale"]) == 2.0
    assert rows.ids({"id": torch.tensor([7, 8])}) == ["7", "8"]
    assert rows.ids(X) == []


def test_an_entry_counts_rows_through_its_micro_batches() -> None:
    first, second = {"id": ["a", "b"], "x": X[:2]}, {"id": ["c", "d", "e"], "x": X}
    left = Entry(batches=[first, second]).without({1, 2})
    assert left.ids() == ["a", "d", "e"]
    assert Entry(batches=[first, second]).without({0, 1}).ids() == ["c", "d", "e"]
    assert Entry(batches=[first]).without_ids({"a", "b"}).batches == []


def test_a_window_forgets_the_oldest_when_bytes_run_out() -> None:
    window = Window(capacity=100)
    for step in range(1, 6):
        window.add(step, Entry(batches=[torch.zeros(1, 10)], position={"step": step}))
    assert [entry.position for entry in window.take()] == [{"step": 4}, {"step": 5}]
    assert window.take() == []


def test_a_window_forgets_what_a_healthy_snapshot_holds() -> None:
    window = Window(capacity=10**6)
    for step in range(1, 6):
        window.add(step, Entry(batches=[torch.zeros(1)], position={"step": step}))
    window.forget(3)
    assert [entry.position for entry in window.take()] == [{"step": 4}, {"step": 5}]
