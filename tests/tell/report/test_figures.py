from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest

from rerail.tell.report import curves, figures
from rerail.tell.report.figures import Axis, Mark

MARKS = [Mark(tick=2, move="SKIP", number=1), Mark(tick=3, move="REWIND", number=2)]


def drawn(values: list[float], key: str = "a", axis: Axis | None = None) -> str:
    curve = curves.thin(range(len(values)), values)
    return figures.draw(curve, key=key, axis=axis or Axis(span=(0, 10)), marks=MARKS)


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
def test_any_values_give_one_svg_without_a_warning(values: list[float]) -> None:
    svg = drawn(values)
    assert svg.startswith("<svg viewBox=")
    assert svg.endswith("</svg>")
    ET.fromstring(svg)  # noqa: S314 - our own drawing


def test_colours_are_variables_of_the_page_and_ids_do_not_clash() -> None:
    first, second = drawn([1.0, 2.0, math.nan], "a"), drawn([1.0, 2.0, math.nan], "b")
    assert "#fe01" not in first
    assert {"var(--line)", "var(--SKIP)", "var(--REWIND)", "var(--HALT)"} <= set(re.findall(r"var\([^)]*\)", first))
    ids = [set(re.findall(r'\bid="([^"]*)"', svg)) for svg in (first, second)]
    assert not ids[0] & ids[1]
    assert set(re.findall(r'(?:href="|url\()#([^")]*)', first)) <= ids[0]


def test_the_same_values_give_the_same_drawing() -> None:
    assert drawn([1.0, 2.0]) == drawn([1.0, 2.0])


def test_names_of_choices_are_text() -> None:
    svg = drawn([0.0, 1.0], axis=Axis(span=(0, 1), names=['<b id="x">$y$', "#fe0101"]))
    texts = [element.text for element in ET.fromstring(svg).iter("text")]  # noqa: S314
    assert {'<b id="x">$y$', "#fe0101"} <= set(texts)


def test_marks_outside_the_chart_are_left_out() -> None:
    assert "var(--SKIP)" not in drawn([1.0, 2.0], axis=Axis(span=(3, 10)))


def test_a_lost_value_stands_at_the_upper_edge() -> None:
    healthy, lost = drawn([1.0, 2.0, 1.0]), drawn([1.0, math.nan, 1.0])
    assert "var(--HALT)" not in healthy
    assert lost.count("var(--HALT)") >= 1
