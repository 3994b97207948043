from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import nn

from rerail.fit.best import Best


def model_of(value: float) -> nn.Linear:
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, value)
    return model


def test_patience_runs_out_after_so_many_looks_without_a_gain() -> None:
    best = Best(None, patience=2, least_gain=0.1)
    looks = [(1.0, False), (0.95, False), (0.8, False), (0.75, False), (0.71, True)]
    assert [best.look(value, step, model_of(value)) for step, (value, _) in enumerate(looks)] == [e for _, e in looks]
    assert (best.value, best.step) == (0.8, 2)
    model = model_of(9.0)
    best.restore(model)
    assert model.weight.tolist() == torch.tensor([[0.8]]).tolist()


def test_a_measurement_that_is_not_finite_is_no_gain() -> None:
    best = Best(None, patience=2)
    assert not best.look(math.nan, 1, model_of(1.0))
    assert best.look(math.nan, 2, model_of(1.0))
    assert not best.weights


def test_no_patience_never_ends() -> None:
    best = Best(None, patience=0)
    assert not any(best.look(1.0, step, model_of(1.0)) for step in range(100))


def test_a_resumed_run_has_the_best_weights_and_the_looks_that_were_waited(tmp_path: Path) -> None:
    first = Best.of(tmp_path, 3, 0.0)
    first.look(0.5, 10, model_of(0.5))
    first.look(0.6, 20, model_of(0.6))
    again = Best.of(tmp_path, 3, 0.0)
    assert (again.value, again.step, again.waited) == (0.5, 10, 1)
    assert float(again.weights["weight"]) == 0.5


def test_what_is_measured_again_after_a_kill_is_waited_for_once(tmp_path: Path) -> None:
    first = Best.of(tmp_path, 4, 0.0)
    for step, value in ((10, 0.5), (20, 0.6), (30, 0.7)):
        first.look(value, step, model_of(value))
    again = Best.of(tmp_path, 4, 0.0)  # from the checkpoint of step 10
    looks = [again.look(value, step, model_of(value)) for step, value in ((20, 0.6), (30, 0.7), (40, 0.8), (50, 0.9))]
    assert looks == [False, False, False, True]


def test_a_kill_between_the_weights_and_the_count_keeps_no_old_count(tmp_path: Path) -> None:
    first = Best.of(tmp_path, 3, 0.0)
    for step, value in ((10, 0.5), (20, 0.6), (30, 0.7)):
        first.look(value, step, model_of(value))
    old = (tmp_path / "best.json").read_text()
    first.look(0.4, 40, model_of(0.4))
    (tmp_path / "best.json").write_text(old)
    again = Best.of(tmp_path, 3, 0.0)
    assert (again.value, again.waited, again.seen) == (0.4, 0, 40)
    assert not again.look(0.45, 50, model_of(0.45))


def test_a_count_of_an_earlier_version_is_gone_on_from(tmp_path: Path) -> None:
    first = Best.of(tmp_path, 3, 0.0)
    for step, value in ((10, 0.5), (20, 0.6)):
        first.look(value, step, model_of(value))
    (tmp_path / "best.json").write_text('{"waited": 1}')
    again = Best.of(tmp_path, 3, 0.0)
    assert (again.waited, again.look(0.7, 30, model_of(0.7)), again.look(0.7, 40, model_of(0.7))) == (1, False, True)


def test_a_disk_that_takes_no_more_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    told: list[str] = []
    best = Best.of(tmp_path / "gone", 2, 0.0, told.append)
    assert not best.look(0.5, 1, model_of(0.5))
    assert told
    assert best.weights
