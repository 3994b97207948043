from __future__ import annotations

import json
import math
import warnings
from typing import Any

import pytest
import vl_convert

from rerail.tell.report import curves, lines
from rerail.tell.report.lines import Axis, Mark

MARKS = [
    Mark(tick=2, move="SKIP", number=1, text="why"),
    Mark(tick=3, move="REWIND", number=2),
    Mark(tick=99, move="HALT", number=3),
]
SPAN = (0.0, 10.0)


def drawn(values: list[float], axis: Axis | None = None) -> dict[str, Any]:
    """What the page's script is given, as it reads it."""
    curve = curves.thin(range(len(values)), values)
    payload = lines.chart("a", "b", curve, axis or Axis(span=SPAN), MARKS).payload
    found: dict[str, Any] = json.loads(json.dumps(payload, allow_nan=False))
    return found


def compiled(chart: dict[str, Any]) -> dict[str, Any]:
    """The Vega specification; a warning of the compiler is an error."""
    sets = chart["data"] | {"events": lines.events(MARKS, SPAN)}
    rows = {
        name: [dict(zip(data, row, strict=True)) for row in zip(*data.values(), strict=True)]
        for name, data in sets.items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found: dict[str, Any] = vl_convert.vegalite_to_vega(chart["spec"] | {"datasets": rows})
    return found


def scale(values: list[float], axis: Axis | None = None) -> dict[str, Any]:
    found: dict[str, Any] = drawn(values, axis)["spec"]["layer"][-1]["encoding"]["y"]
    return found


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [math.nan],
        [math.inf, -math.inf, 2.0],
        [0.0, 0.0, 0.0],
        [1e-300, 1e300],
        [-3e38, 0.0, 1.0, 3e38],
        [1e-45, 1.0],
        [5e-324, 1.0, 2.0],
        [1.7e308, -1.7e308, 1.0],
    ],
)
def test_any_values_give_a_chart(values: list[float]) -> None:
    assert compiled(drawn(values))["marks"]


def test_gaps_lonely_points_and_lost_values_are_kept() -> None:
    data = drawn([1.0, math.nan, 2.0, math.inf])["data"]
    assert data["points"] == {"tick": [0, 1, 2, 3], "value": [1, None, 2, None]}
    assert data["alone"] == {"tick": [0, 2], "value": [1, 2]}
    assert data["lost"] == {"tick": [1, 3], "value": [None, None]}


@pytest.mark.parametrize(
    ("values", "kind"), [([1.0, 2.0], "linear"), ([0.01, 5.0], "log"), ([0.0, 1.0, 1e9, -1.0], "symlog")]
)
def test_the_scale_fits_the_values(values: list[float], kind: str) -> None:
    assert scale(values)["scale"]["type"] == kind


def test_a_symmetric_axis_has_labels_on_both_sides_of_zero() -> None:
    assert scale([0.0, 1.0, 1.0, 1.0, 1e9, -1e6])["axis"]["values"] == [-1e6, -1e3, -1.0, 0.0, 1.0, 1e3, 1e6, 1e9]


def test_values_that_are_all_the_same_stand_in_the_middle() -> None:
    assert scale([5.0, 5.0])["scale"]["domain"] == [4.5, 5.5]


def test_choices_are_named_and_in_order() -> None:
    chart = drawn([0.0, 1.0, 0.0], Axis(span=SPAN, stairs=True, names=["as_run", '<b id="x">$y$']))
    assert chart["data"]["points"]["value"] == ["as_run", '<b id="x">$y$', "as_run"]
    assert chart["spec"]["layer"][-1]["encoding"]["y"]["sort"] == ['<b id="x">$y$', "as_run"]


def test_over_steps_the_tick_is_still_told() -> None:
    chart = drawn([3.0, 2.0], Axis(steps={0: 10, 1: 20}, span=(10.0, 20.0)))
    assert chart["data"]["points"] == {"tick": [0, 1], "step": [10, 20], "value": [3, 2]}
    assert chart["hover"]["labels"] == [["step", "step"], ["tick", "tick"], ["value", "a"]]


def test_marks_outside_the_run_are_left_out_and_a_crowd_is_thinned() -> None:
    assert lines.events(MARKS, SPAN)["number"] == [1, 2]
    crowd = [Mark(tick=tick, move="SKIP", number=tick + 1) for tick in range(10_000)]
    kept = lines.events(crowd, (0.0, 10_000.0))["number"]
    assert len(kept) == 400
    assert kept[:2] == [1, 26]


def test_colour_is_never_alone() -> None:
    assert len({tuple(dash) for dash in lines.DASHES.values()}) == len(lines.DASHES)


def test_numbers_are_short() -> None:
    assert drawn([1 / 3, 2e-7 / 3, 4.0])["data"]["points"]["value"] == [0.33333, 6.6667e-08, 4]
