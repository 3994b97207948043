from __future__ import annotations

from collections import UserDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
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


class Attributes(UserDict[str, Any]):
    """A mapping whose items are attributes too, as some tokenizers give."""

    def __getattr__(self, name: str) -> Any:
        if name == "data":
            raise AttributeError(name)
        return self.data[name]


@dataclass
class Both:
    x: torch.Tensor
    id: list[str]


IDS = ["a", "b", "c", "d"]


def test_ids_say_how_many_rows_there_are_and_time_may_come_first() -> None:
    batch = {"id": IDS, "x": torch.arange(40).reshape(5, 4, 2).float(), "y": torch.arange(4)}
    assert rows.count(batch) == 4
    picked = rows.select(batch, [1, 3])
    assert torch.equal(picked["x"], batch["x"][:, [1, 3]])
    assert picked["y"].tolist() == [1, 3]
    assert [tuple(one.shape) for one in rows.by_row(batch)] == [(4, 5, 2), (4,)]


def test_a_list_may_hold_a_tensor_a_row() -> None:
    clips = [torch.full((length,), float(length)) for length in (3, 5, 2, 4)]
    batch = {"id": IDS, "x": clips}
    picked = rows.select(batch, [2])
    assert [one.tolist() for one in picked["x"]] == [[2.0, 2.0]]
    (padded,) = rows.by_row(batch)
    assert padded.shape == (4, 5)
    assert padded.min(1).values.tolist() == padded.max(1).values.tolist() == [3.0, 5.0, 2.0, 4.0]


def test_arrays_and_numpy_ids_lose_the_same_rows() -> None:
    batch = {"id": np.arange(4), "x": torch.arange(4.0), "y": np.arange(8.0).reshape(4, 2)}
    picked = rows.select(batch, [0, 2])
    assert (rows.ids(picked), picked["x"].tolist(), picked["y"].tolist()) == (["0", "2"], [0, 2], [[0, 1], [4, 5]])
    assert len(rows.tensors(batch)) == 2  # ids are no content


def test_a_batch_keeps_its_kind() -> None:
    batch = Attributes(id=IDS, x=torch.arange(4.0))
    picked = rows.select(batch, [1])
    assert isinstance(picked, Attributes)
    assert picked.x.tolist() == [1.0]
    assert batch.x.tolist() == [0.0, 1.0, 2.0, 3.0]
    both = rows.select(Both(torch.arange(4.0), IDS), [3])
    assert (both.x.tolist(), both.id) == ([3.0], ["d"])


@pytest.mark.parametrize(
    "batch",
    [
        {"x": torch.zeros(4, 3), "edges": torch.zeros(2, 9, dtype=torch.int64)},
        {"id": IDS, "x": torch.zeros(4, 3), "letters": torch.arange(11), "lengths": torch.tensor([2, 4, 3, 2])},
        {"x": torch.nn.utils.rnn.pack_sequence([torch.zeros(3), torch.zeros(2)])},
        {},
        "nothing",
    ],
    ids=["graph", "texts end to end", "packed", "empty", "text"],
)
def test_what_cannot_be_taken_apart_has_no_rows(batch: object) -> None:
    assert rows.count(batch) == 0
    assert rows.by_row(batch) == []


def test_sparse_and_nested_tensors_have_no_rows() -> None:
    batch = {"x": torch.zeros(4, 3), "graph": torch.eye(4).to_sparse(), "clips": torch.zeros(4)}
    assert rows.count(batch) == 4
    assert len(rows.by_row(batch)) == 2


def test_columns_are_the_parts_with_rows_and_what_goes_with_them() -> None:
    batch = {
        "id": ["a", "b", "c"],
        "mel": torch.zeros(3, 5),
        "mel_length": torch.tensor([5, 4, 3]),
        "text": torch.zeros(3, 7, dtype=torch.int64),
        "text_length": torch.tensor([7, 6, 5]),
        "rate": 16000,
    }
    assert rows.columns(batch) == ["mel", "text"]
    assert rows.columns((torch.zeros(3, 2), torch.zeros(3))) == ["0", "1"]
    assert rows.columns(torch.zeros(3, 2)) == []


def test_a_column_that_is_rolled_takes_what_goes_with_it_and_nothing_else() -> None:
    batch = {"id": ["a", "b", "c"], "text": torch.tensor([[1], [2], [3]]), "text_length": torch.tensor([1, 2, 3])}
    batch["mel"] = torch.tensor([[10.0], [20.0], [30.0]])
    moved = rows.roll(batch, "text", 1)
    assert moved["text"].flatten().tolist() == [3, 1, 2]
    assert moved["text_length"].tolist() == [3, 1, 2]
    assert moved["mel"] is batch["mel"]
    assert moved["id"] == ["a", "b", "c"]
    assert batch["text"].flatten().tolist() == [1, 2, 3]
    assert rows.roll(rows.roll(batch, "text", 1), "text", -1)["text"].equal(batch["text"])


def test_pairs_and_named_tuples_are_rolled_too() -> None:
    x, y = torch.arange(3.0), torch.arange(3)
    moved = rows.roll((x, y), "1", -1)
    assert moved[0] is x
    assert moved[1].tolist() == [1, 2, 0]
    assert rows.roll([x, y], "1", -1)[1].tolist() == [1, 2, 0]
