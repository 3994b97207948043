from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from rerail.core import plain
from rerail.core.knobs import Precision
from rerail.core.trial import Age, Swap, Which
from rerail.tell import trials

OLDER = {"weights": Age.OLDER, "optimizer": Age.OLDER}


@pytest.mark.parametrize(
    ("swap", "text"),
    [
        (Swap(), "nothing changed"),
        (Swap(again=1), "nothing changed, a second time"),
        (Swap(traced=True), "watched operation by operation"),
        (Swap(batch=Which.OTHER), "the last healthy batch"),
        (Swap(rows=(0, 1, 2, 4)), "rows 0-2, 4 alone"),
        (Swap(rows=(6, 6)), "row 6 twice alone"),
        (
            Swap(batch=Which.BOTH, rows=(3,), **OLDER),
            "row 3 beside the last healthy batch, weights and optimizer of the last healthy snapshot",
        ),
        (Swap(weights=Age.OLDEST, optimizer=Age.OLDEST), "weights and optimizer of the oldest snapshot kept"),
        (
            Swap(weights=Age.OLDER, batch=Which.OTHER, commit=True),
            "the last healthy batch, weights of the last healthy snapshot, one update, then the batch again",
        ),
        (
            Swap(window=True, optimizer=Age.FRESH),
            "an optimizer without memory, every batch since the last healthy snapshot again",
        ),
        (Swap(window=True, lr_scale=0.1), "learning rate x0.1, every batch since the last healthy snapshot again"),
        (Swap(clip_norm=0.5), "gradient norm clipped at 0.5"),
        (Swap(without="mel"), "without the loss mel"),
        (Swap(precision=Precision.FP32), "autocast off"),
        (Swap(precision=Precision.WIDE), "single precision throughout"),
        (Swap(other_seed=True), "another seed"),
        (Swap(lr_most=0.01), "learning rate at most 0.01"),
        (Swap(held=(("weight_decay/0", 0.01),)), "weight_decay held at 0.01"),
        (Swap(precision=Precision.DOUBLE), "double precision"),
        (Swap(scaled=(("mel", 0.001),)), "the loss mel felt x0.001"),
        (Swap(rolled=(("text", -1),)), "each row with the text of row +1"),
        (Swap(window=True, recent=True), "every batch since the last healthy snapshot again, from the newest snapshot"),
    ],
)
def test_every_change_has_words(swap: Swap, text: str) -> None:
    assert trials.changed({"changed": plain.dump(swap.changes())}) == text


def test_a_new_kind_of_change_is_told_by_its_name() -> None:
    assert trials.changed({"changed": {"phase": "of the\nmoon"}}) == r"phase of the\nmoon"
    assert len(fields(Swap)) == 18, "a new field of Swap needs words in tell/trials.py, and a line above"


def test_a_line_says_what_it_gave() -> None:
    values: dict[str, Any] = {"loss/mel": 0.912, "grad/norm": "nan", "weight/norm": 5.0, "weight/norm/a": "inf"}
    record = {"changed": {}, "healthy": False, "values": values}
    assert trials.trial(record) == "nothing changed: fails (loss/mel 0.912, gradient norm nan, weight/norm/a inf)"
    raised = {"changed": {}, "healthy": False, "error": "ValueError: one\nrow", "values": {}}
    assert trials.trial(raised) == r"nothing changed: could not run: ValueError: one\nrow"
    assert trials.trial({"healthy": True}) == "nothing changed: healthy"


def test_many_numbers_are_counted() -> None:
    values = {f"loss/{n}": 1.0 for n in range(11)}
    assert trials.judged({"values": values}).endswith("loss/7 1 and 3 more")


def test_the_cost_is_added_up() -> None:
    assert trials.cost([{"cost": 1}, {"cost": 2}]) == "2 replays, 3 forward and backward passes"
    assert trials.cost([{"cost": 1}]) == "1 replay, 1 forward and backward pass"
