from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

from rerail.tell.compare.parting import Parting, parting
from written_runs import compared, course, run

Values = Callable[[int], Mapping[str, float]]


def plain(step: int) -> Mapping[str, float]:
    return {"loss/total": 2.0 + step, "loss/a": 2.0 + step, "grad/norm": 1.0, "time/step": 0.1}


def pair(folder: Path, other: Values, one: Values = plain) -> Parting:
    return parting(course(run(folder / "one", one)), course(run(folder / "other", other)))


def test_equal_runs_never_part_whatever_their_clocks_say(tmp_path: Path) -> None:
    found = pair(tmp_path, lambda step: {**plain(step), "time/step": 9.9 + step, "memory/host": 1e9})
    assert found.same
    assert (found.exactly, found.losses, found.compared) == (None, None, 40)


def test_the_last_bit_parts_them_and_a_loss_only_later(tmp_path: Path) -> None:
    def other(step: int) -> Mapping[str, float]:
        grown = math.nextafter(1.0, 2.0) if step >= 5 else 1.0
        return {**plain(step), "grad/norm": grown, "loss/a": (2.0 + step) * (1 + 1e-4 * max(0, step - 10))}

    found = pair(tmp_path, other)
    assert found.exactly is not None
    assert found.losses is not None
    assert (found.exactly.tick, found.exactly.step, found.exactly.signal) == (6, 5, "grad/norm")
    assert (found.exactly.first, found.exactly.second) == (1.0, math.nextafter(1.0, 2.0))
    assert (found.losses.tick, found.losses.signal) == (22, "loss/a")  # 1.1e-3 more, at step 21


def test_what_lies_before_the_rest_of_the_step_is_named(tmp_path: Path) -> None:
    found = pair(tmp_path, lambda step: {key: value + 1 for key, value in plain(step).items()})
    assert found.exactly is not None
    assert found.exactly.signal == "loss/a"  # not the total, which follows from it
    assert found.exactly.signals == 3
    data = pair(
        tmp_path / "data",
        lambda step: {**plain(step + 1), "input/mean/0": 0.2},
        lambda step: {**plain(step), "input/mean/0": 0.1},
    )
    assert data.exactly is not None
    assert data.exactly.signal == "input/mean/0"


def test_nan_is_nan_and_no_other_number(tmp_path: Path) -> None:
    lost: Values = lambda step: {**plain(step), "loss/a": math.nan if step == 3 else 1.0}  # noqa: E731
    assert pair(tmp_path, lost, lost).same
    found = pair(tmp_path / "one", lambda step: {**plain(step), "loss/a": 1.0}, lost)
    assert found.losses is not None
    assert found.losses.tick == 4


def test_totals_of_other_weights_part_no_losses(tmp_path: Path) -> None:
    found = pair(tmp_path, lambda step: {**plain(step), "loss/total": 99.0})
    assert found.exactly is not None
    assert found.exactly.signal == "loss/total"
    assert found.losses is None


def test_signals_that_only_one_of_them_read_are_no_difference(tmp_path: Path) -> None:
    assert pair(tmp_path, lambda step: {**plain(step), "act/rms/a": 1.0}).same


def test_each_run_is_held_against_one_of_its_seed(tmp_path: Path) -> None:
    made = [run(tmp_path / f"{lr}{seed}", plain, lr=lr, seed=seed) for lr in "ab" for seed in (0, 1)]
    assert [(one.second, one.first) for one in compared(made).partings] == [("a1", "a0"), ("b0", "a0"), ("b1", "a1")]


def test_runs_that_have_no_number_in_common_are_not_the_same(tmp_path: Path) -> None:
    found = pair(tmp_path, lambda _: {"loss/b": 1.0}, lambda _: {"loss/a": 1.0})
    assert (found.compared, found.same) == (0, False)
