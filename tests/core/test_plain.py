from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerail.core import plain
from rerail.core.knobs import Knobs, Precision
from rerail.core.remedy import Dose, Episode, Ledger, Move, Remedy


@dataclass(frozen=True, kw_only=True)
class Inner:
    name: str
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outer:
    many: Mapping[str, Inner] = field(default_factory=dict)
    flag: bool = False


def test_records_survive_json() -> None:
    ledger = Ledger(
        episodes={"loss": Episode(answers=2, last=7)},
        doses=(Dose(since=7, remedy=Remedy(move=Move.SKIP, knobs=Knobs(lr_scale=0.1, precision=Precision.FP32))),),
    )
    assert plain.load(Ledger, json.loads(json.dumps(plain.dump(ledger), allow_nan=False))) == ledger


@given(st.lists(st.floats(), max_size=5))
def test_every_float_comes_back(numbers: list[float]) -> None:
    back = plain.load(
        Inner, json.loads(json.dumps(plain.dump(Inner(name="a", numbers=tuple(numbers))), allow_nan=False))
    )
    assert len(back.numbers) == len(numbers)
    for one, other in zip(back.numbers, numbers, strict=True):
        assert one == other or (math.isnan(one) and math.isnan(other))


def test_unknown_fields_and_wrong_types_are_named() -> None:
    with pytest.raises(ValueError, match=r"Outer\.many\.x: unknown colour; it has: name, numbers"):
        plain.load(Outer, {"many": {"x": {"name": "a", "colour": 1}}})
    with pytest.raises(ValueError, match=r"Inner\.name: expected str, got 3"):
        plain.load(Inner, {"name": 3})
    with pytest.raises(ValueError, match="expected the fields of Inner"):
        plain.load(Inner, [])
    with pytest.raises(TypeError, match="cannot write object"):
        plain.dump(object())
