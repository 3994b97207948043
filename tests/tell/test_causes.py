from __future__ import annotations

from typing import Any

import pytest

from rerail.core import plain
from rerail.core.cause import Cause, Kind
from rerail.core.trial import Operation
from rerail.tell import causes

SQRT: dict[str, Any] = {
    "cause": "code",
    "component": "triplet",
    "operation": {
        "name": "div",
        "node": "SqrtBackward0",
        "module": "head",
        "line": "train.py:38: return square.sqrt()",
        "low": 0.0,
        "high": 4.7248,
        "dtype": "float32",
        "rows": [4],
        "origin": "operation",
    },
    "rows": [4],
    "samples": ["b31r04"],
    "step": -1,
    "why": ["these rows fail beside a healthy batch and on older weights too", "they could have been meant"],
    "exact": True,
    "explanation": {"why": "a square root has an infinite slope at 0", "fix": "add a small constant inside the root"},
}


def test_a_cause_in_a_line() -> None:
    assert causes.cause(SQRT) == (
        "a formula at its edge; component triplet; sample b31r04; first made by div in the backward pass "
        "(SqrtBackward0) at train.py:38: return square.sqrt(); these rows fail beside a healthy batch and on older "
        "weights too"
    )
    assert causes.named(SQRT) == "a formula at its edge (component triplet, sample b31r04)"


def test_what_is_known_is_listed_and_what_is_not_is_left_out() -> None:
    assert causes.facts(SQRT) == [
        ("Kind", "a formula at its edge"),
        ("Loss component", "triplet"),
        ("Operation", "div in the backward pass (SqrtBackward0)"),
        ("Source line", "train.py:38: return square.sqrt()"),
        ("Module", "head"),
        ("Range of its inputs", "0 to 4.72, result in float32"),
        ("Rows of the batch", "4"),
        ("Samples", "b31r04"),
    ]
    assert causes.facts({"cause": "step size", "step": 34}) == [
        ("Kind", "a step that is too large"),
        ("Bad since step", "34"),
    ]


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        ({"origin": "batch"}, "it came in with the batch"),
        ({"origin": "parameter", "module": "0.weight"}, "it came from the parameter 0.weight"),
        ({"origin": "operation", "name": "exp", "line": "a.py:1: x"}, "first made by exp at a.py:1: x"),
        ({}, ""),
    ],
)
def test_where_it_began(operation: dict[str, str], text: str) -> None:
    assert causes.made({"operation": operation}) == text
    assert causes.facts({"operation": {"origin": "batch", "module": "x"}})[-1][0] == "Where it began"


def test_how_it_is_mended() -> None:
    assert causes.explanation(SQRT) == "A square root has an infinite slope at 0."
    assert causes.fix(SQRT) == "Add a small constant inside the root."
    assert causes.fix({"cause": "data", "explanation": None}).startswith("Mend these samples")
    assert causes.fix({"cause": "unknown"}) == ""


def test_an_unknown_cause_says_its_reason_and_not_the_trials_again() -> None:
    record = {"cause": "unknown", "why": ["20 replays did not settle it", "not cured by: batch"]}
    assert causes.reasons(record) == ["20 replays did not settle it"]
    assert causes.cause(record) == "cause unknown; 20 replays did not settle it"


def test_a_replay_that_differs_is_said() -> None:
    assert causes.exact(SQRT).endswith("gave the very same numbers.")
    assert "stands on less" in causes.exact(SQRT | {"exact": False})
    assert "stands on less" in causes.exact(SQRT, [{"exact": None}, {"exact": False}])
    assert causes.exact({"cause": "transient", "exact": False}) == ""


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_words_and_a_way_out(kind: Kind) -> None:
    assert kind.value in causes.KINDS
    assert causes.fix({"cause": kind.value}) or kind is Kind.UNKNOWN
    made = Cause(kind=kind, operation=Operation(name="exp"), rows=(1, 2))
    told = causes.cause(plain.dump(made))
    assert told.startswith(f"{causes.KINDS[kind.value]}; rows 1, 2; first made by exp")


def test_hostile_names_stay_on_one_line() -> None:
    name = "a\nb\x1b[31m"
    record = {"cause": name, "component": name, "samples": [name], "why": [name], "operation": {"name": name}}
    assert causes.cause(record).isprintable()
    assert all(value.isprintable() for _, value in causes.facts(record))
