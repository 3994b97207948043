"""Runs in which something goes wrong from a step on, with every number finite: named, mended or stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rerail.guard import Derailed, Guard
from rerail.tell import journal

torch.set_num_threads(1)
BEGIN = 80
Batch = dict[str, Any]
Change = Callable[[Batch], Batch]


def batches(change: Change, count: int = 160) -> Iterator[Batch]:
    generator = torch.Generator().manual_seed(0)
    for number in range(count):
        x = torch.randn(24, 6, generator=generator)
        batch = {"id": [f"{number}:{row}" for row in range(24)], "x": x, "y": x @ torch.arange(1.0, 7.0)}
        yield change(batch) if number >= BEGIN else batch


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.trunk, self.head = nn.Sequential(nn.Linear(6, 32), nn.ReLU()), nn.Linear(32, 1)
        self.cut = self.noisy = False

    def forward(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.trunk(x)
        hidden = nn.functional.dropout(hidden, 0.7) if self.noisy else hidden
        return self.head(hidden.detach() if self.cut else hidden).squeeze(-1)


class Run:
    def __init__(self, folder: Path, change: Change = dict, *, weight: float = 1.0, **flags: bool) -> None:
        self.model, self.folder, self.weight, self.flags = Net(), folder, weight, flags
        optimizer = torch.optim.Adam(self.model.parameters(), lr=0.02)
        self.guard = Guard(self.model, optimizer, self.losses, run=folder)
        self.stopped: Derailed | None = None
        try:
            for number, batch in enumerate(batches(change)):
                self.begun = number >= BEGIN
                for name in flags:
                    setattr(self.model, name, self.begun)
                self.guard.step(batch)
        except Derailed as error:
            self.stopped = error
        self.guard.close()
        self.records = list(journal.read(folder))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        error = (self.model(batch["x"]) - batch["y"]).square().mean()
        return {"mse": error * (self.weight if self.begun else 1.0)}

    @property
    def causes(self) -> list[str]:
        return [one["cause"] for one in self.records if one["kind"] == "cause"]

    @property
    def why(self) -> str:
        return " ".join(" ".join(one["why"]) for one in self.records if one["kind"] == "cause")

    def loss(self) -> float:
        x = torch.randn(400, 6, generator=torch.Generator().manual_seed(9))
        with torch.no_grad():
            return float((self.model(x) - x @ torch.arange(1.0, 7.0)).square().mean())


def test_targets_one_row_out_of_step_stop_the_run_and_are_named(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", lambda batch: {**batch, "y": batch["y"].roll(1)})
    assert run.stopped is not None
    assert set(run.causes) == {"code"}
    assert "each row has the y of the previous row" in str(run.stopped)
    assert run.guard.steps < BEGIN + 8


def test_targets_in_any_order_stop_the_run_as_bad_data(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(3)
    run = Run(tmp_path / "run", lambda batch: {**batch, "y": batch["y"][torch.randperm(24, generator=generator)]})
    assert run.stopped is not None
    assert set(run.causes) == {"data"}
    assert "rows have another row's y" in run.why


def test_inputs_of_another_domain_are_not_taken_for_wrong_targets(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", lambda batch: {**batch, "x": batch["x"] * 1.5 + 1.0})
    assert run.stopped is None
    assert set(run.causes) <= {"level"}
    assert not any(one["kind"] == "outcome" and "did" in one for one in run.records)


def test_a_branch_that_is_cut_off_is_named_at_once_and_ends_the_run_later(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", cut=True)
    assert run.stopped is not None
    assert run.causes == ["code", "code"]
    assert "2 parameter tensors that had a gradient have none" in run.why
    assert BEGIN + 40 <= run.guard.steps < BEGIN + 50


def test_dropout_that_sets_in_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", noisy=True)
    assert run.stopped is None
    assert set(run.causes) == {"code"}
    assert "dropout or noise was switched on" in run.why
    assert run.guard.steps == 160


def test_a_component_that_counts_a_thousand_times_is_felt_as_before(tmp_path: Path) -> None:
    clean, run = Run(tmp_path / "clean"), Run(tmp_path / "run", weight=1e4)
    assert run.stopped is None
    assert run.causes[0] == "code"
    assert clean.causes == []
    assert run.loss() < 5 * clean.loss()


@pytest.mark.parametrize("factor", [1e2, 1e3])
def test_rows_on_another_scale_are_left_out_before_they_are_computed(tmp_path: Path, factor: float) -> None:
    def some(batch: Batch) -> Batch:
        x = batch["x"].clone()
        x[::4] *= factor
        return {**batch, "x": x}

    run = Run(tmp_path / "run", some)
    did = [one["did"] for one in run.records if one["kind"] == "outcome" and "did" in one]
    assert run.stopped is None
    assert run.causes[0] == "data"
    assert sum(one["computed"] for one in did) <= 2
    assert all(one["rows"] == [0, 4, 8, 12, 16, 20] for one in did)
    assert run.loss() < 5 * Run(tmp_path / "clean").loss()


def test_a_scale_that_has_changed_for_all_rows_ends_the_run(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", lambda batch: {**batch, "x": 100.0 * batch["x"]})
    assert run.stopped is not None
    assert "no row of many batches" in str(run.stopped)
    assert run.guard.steps <= BEGIN + 3


def test_a_loader_that_stands_still_ends_the_run(tmp_path: Path) -> None:
    same = next(batches(dict, 1))
    run = Run(tmp_path / "run", lambda _: same)
    assert run.stopped is not None
    assert run.stopped.cause is not None
    assert run.stopped.cause.kind.value == "data"
    assert run.guard.steps == BEGIN + 50


def test_a_loss_that_is_annealed_to_nothing_is_no_branch_cut_off(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.ModuleDict({"body": nn.Linear(6, 16), "head": nn.Linear(16, 1), "aux": nn.Linear(16, 3)})

    def losses(batch: Batch) -> dict[str, Tensor]:
        hidden = model["body"](batch["x"]).tanh()
        weight = max(0.0, 1 - guard.steps / 60)
        aux = (model["aux"](hidden) - batch["x"][:, :3]).square().mean()
        return {"main": (model["head"](hidden).squeeze(-1) - batch["y"]).square().mean(), "aux": weight * aux}

    guard = Guard(model, torch.optim.Adam(model.parameters(), lr=0.003), losses, run=tmp_path / "run")
    for batch in batches(dict):
        guard.step(batch)
    guard.close()
    assert guard.steps == 160


def test_memory_that_runs_out_is_no_rows_fault(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Linear(6, 1)

    def losses(batch: Batch) -> Tensor:
        if len(batch["x"]) > 20 and guard.steps > 10:
            raise torch.OutOfMemoryError("too many rows")
        return (model(batch["x"]).squeeze(-1) - batch["y"]).square().mean()

    guard = Guard(model, torch.optim.SGD(model.parameters(), lr=0.01), losses, run=tmp_path / "run")
    with pytest.raises(torch.OutOfMemoryError):
        for batch in batches(dict):
            guard.step(batch)
    guard.close()
    assert not (tmp_path / "run" / "quarantine.jsonl").exists()


def test_ids_that_are_places_in_the_batch_are_no_loader_that_stands_still(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Linear(6, 1)

    def losses(batch: Batch) -> Tensor:
        return (model(batch["x"]).squeeze(-1) - batch["y"]).square().mean()

    guard = Guard(model, torch.optim.SGD(model.parameters(), lr=0.001), losses, run=tmp_path / "run")
    for number, batch in enumerate(batches(dict, 400)):
        rows = 5 if number < 40 and number % 2 else 24
        guard.step({"id": list(range(rows)), "x": batch["x"][:rows], "y": batch["y"][:rows]})
    guard.close()
    assert guard.steps == 400
