from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from rerail.tell.compare import weights
from written_runs import course, run

PARTS = {"loss/mel": 2.0, "loss/mel_post": 3.0, "loss/gate": 0.5}


def summed(**factors: float) -> Callable[[int], Mapping[str, float]]:
    total = sum(value * factors.get(name[5:], 1.0) for name, value in PARTS.items())
    return lambda _: {**PARTS, "loss/total": total}


def unlike(
    folder: Path, *configs: Mapping[str, Any], values: Callable[[int], Mapping[str, float]] | None = None
) -> str:
    given = values or summed(gate=7.0)
    return weights.unlike([course(run(folder / str(n), given, **one)) for n, one in enumerate(configs)])


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ({"weight_mel": 1, "weight_gate": 7}, {"weight_mel": 1, "weight_gate": 7}, ""),
        ({"weight_mel": 1, "weight_gate": 7}, {"weight_mel": 1, "weight_gate": 6}, "weight_gate is 7 and 6"),
        ({"mel_weight": 1, "gate_weight": 7}, {"mel_weight": 2, "gate_weight": 7}, "mel_weight is 1 and 2"),
        ({"weights": {"gate": 7}}, {"weights": {"gate": 7}}, ""),
        ({"weights": {"gate": 7}}, {"weights": {}}, "weights.gate is 7 and not set"),
        ({"weight_decay": 1, "weight_mel": 1}, {"weight_decay": 2, "weight_mel": 1}, "weights of 0, 1 are not in the"),
        ({"lr": 1}, {"lr": 2}, "weights of 0, 1 are not in the settings"),
    ],
)
def test_weights_by_the_settings(tmp_path: Path, one: dict[str, Any], other: dict[str, Any], why: str) -> None:
    found = unlike(tmp_path, one, other)
    assert why in found
    assert bool(why) == bool(found)


def test_a_plain_sum_has_weights_of_one_without_a_word_in_the_settings(tmp_path: Path) -> None:
    assert unlike(tmp_path, {"lr": 1}, {"lr": 2}, values=summed()) == ""


def test_a_sum_of_other_parts_is_no_such_sum(tmp_path: Path) -> None:
    whole = course(run(tmp_path / "whole", summed()))
    less = course(run(tmp_path / "less", lambda _: {"loss/mel": 2.0, "loss/total": 2.0}))
    assert weights.unlike([whole, less]) == "not all of them have gate, mel_post"


def test_what_is_off_is_no_part(tmp_path: Path) -> None:
    told = course(run(tmp_path / "r", lambda _: {**PARTS, "off/gate": 1.0, "loss/total": 5.0}))
    assert weights.components(told) == {"mel", "mel_post"}
    assert weights.unlike([told, told]) == ""


def test_a_weight_that_the_guard_moved(tmp_path: Path) -> None:
    moved = course(
        run(tmp_path / "moved", lambda step: summed()(step) | {"knob/loss/gate": 10.0 if step > 20 else 1.0})
    )
    still = course(run(tmp_path / "still", lambda step: summed()(step) | {"knob/loss/gate": 1.0}))
    assert weights.unlike([still, moved]) == "the guard moved weights: gate in moved"
    assert weights.unlike([still, still]) == ""
