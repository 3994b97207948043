"""Runs that look alive and learn nothing, under the guard: told, with advice, and never touched."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rerail.core.remedy import Move
from rerail.core.replay import replay
from rerail.guard import Guard, Keep
from rerail.tell import journal, words


def rows(count: int) -> list[dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    made = []
    for _ in range(count):
        x = torch.randn(32, 8, generator=generator)
        made.append({"x": x, "label": (x[:, 0] > 0).long() + (x[:, 1] > 0).long()})
    return made


def trained(
    model: nn.Module, run: Path, count: int, change: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict
) -> tuple[Guard, list[dict[str, Any]], set[Move]]:
    held = [parameter for name, parameter in model.named_parameters() if not name.startswith("loose")]
    optimizer = torch.optim.Adam(held, lr=0.01)

    def losses(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"ce": nn.functional.cross_entropy(model(batch["x"]), batch["label"])}

    guard = Guard(model, optimizer, losses, run=run, keep=Keep(sensors_every=20))
    moves = {guard.step(change(batch)).verdict.move for batch in rows(count)}
    guard.close()
    return guard, list(journal.read(run)), moves


def found(records: list[dict[str, Any]]) -> set[str]:
    return {one["code"] for record in records if record["kind"] == "verdict" for one in record["findings"]}


def net(*, bias: float = 0.0) -> nn.Sequential:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
    with torch.no_grad():
        made[0].bias += bias
    return made


def test_a_run_that_learns_is_told_nothing(tmp_path: Path) -> None:
    guard, records, moves = trained(net(), tmp_path / "run", 300)
    assert found(records) == set()
    assert (guard.steps, moves) == (300, {Move.COMMIT})
    assert not any(one["kind"] == "advice" for one in records)


def test_dead_units_are_told_with_advice_and_the_run_goes_on(tmp_path: Path) -> None:
    guard, records, moves = trained(net(bias=-50.0), tmp_path / "run", 200)
    assert "units.dead" in found(records)
    assert (guard.steps, moves) == (200, {Move.COMMIT})
    (advice,) = [one for one in records if one["kind"] == "advice" and one["code"] == "units.dead"]
    assert (advice["before"], advice["after"]) == ("0.01", "0.00333")
    assert "Most units of 1 are zero for every row" in (tmp_path / "run" / "run.log").read_text(encoding="utf8")
    assert words.say(advice) in (tmp_path / "run" / "run.log").read_text(encoding="utf8")
    assert replay(guard.plan, records).then is None  # the journal alone gives the same verdicts


def test_a_layer_in_no_optimizer_is_told(tmp_path: Path) -> None:
    class Loose(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.loose = net(), nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.loose(self.body(x))
            return y

    guard, records, _ = trained(Loose(), tmp_path / "run", 150)
    assert found(records) == {"gradient.missing"}
    assert guard.steps == 150


def test_inputs_that_went_empty_rest_at_chance(tmp_path: Path) -> None:
    def empty(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"x": torch.zeros(32, 20), "label": batch["label"]}

    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 3))
    _, records, _ = trained(model, tmp_path / "run", 200, empty)
    assert {"input.constant", "input.twice"} <= found(records)


def test_the_wait_for_the_loader_is_measured() -> None:
    model = net()
    guard = Guard(model, torch.optim.SGD(model.parameters(), lr=0.1), lambda x: {"a": model(x).square().mean()})
    seen: list[float] = []
    read = guard._sensors.read
    guard._sensors.read = lambda *given: seen.append(given[2]["time/wait"]) or read(*given)  # type: ignore[method-assign]
    for _ in range(2):
        time.sleep(0.05)
        guard.step(torch.randn(16, 8))
    assert all(0.05 <= wait < 1.0 for wait in seen)


def test_an_outcome_of_advice_is_told_later(tmp_path: Path) -> None:
    _, records, _ = trained(net(bias=-50.0), tmp_path / "run", 1200)
    came = [one for one in records if one["kind"] == "advice" and "seen" in one and one["code"] == "units.dead"]
    assert came[0]["seen"] is False  # nobody took it
    assert came[0]["tick"] - came[0]["of"] == came[0]["expect"]["within"]
