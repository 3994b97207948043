from __future__ import annotations

import math
from typing import Any

import pytest

from rerail.guard import Plan
from rerail.rehearse import STRICT, rehearse, strict
from toy import Toy, toy


def nan_target(batch: dict[str, Any]) -> dict[str, Any]:
    batch["y"] = batch["y"] * 1e30
    return batch


def nan_row(batch: dict[str, Any]) -> dict[str, Any]:
    batch["x"][3] = math.nan
    return batch


def rehearsal(**settings: Any) -> Toy:
    return toy(plan=strict(None), keep=STRICT, **settings)


def test_healthy_steps_are_taken_all() -> None:
    made = rehearsal()
    done = rehearse(made.guard, iter(made.loader), steps=30)
    assert (done.steps, done.trouble) == (30, "")
    assert done.last < done.first


def test_it_ends_at_the_first_step_that_would_have_to_be_undone() -> None:
    made = rehearsal(faults={40: nan_target})
    done = rehearse(made.guard, iter(made.loader), steps=60)
    assert done.steps == 40
    assert done.trouble.startswith("at step 41: ")
    assert "loss" in done.trouble


def test_rows_that_are_bad_by_themselves_say_nothing_of_the_weights() -> None:
    made = rehearsal(faults={4: nan_row})
    assert rehearse(made.guard, iter(made.loader), steps=8).trouble == ""


def test_the_default_plan_is_made_strict_where_there_is_none() -> None:
    assert isinstance(strict(None), Plan)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_step_takes_its_micro_batches(accumulate: int) -> None:
    made = rehearsal()
    rehearse(made.guard, iter(made.loader), steps=4, accumulate=accumulate)
    assert made.loader.index == 4 * accumulate
