from __future__ import annotations

from math import inf, nan

import pytest

from rerail.core.detectors.nonfinite import NonFinite
from rerail.core.reading import Reading

TABLE = [
    ("all finite", {"loss/total": 1.0, "grad/norm": 2.0, "weight/norm": 3.0}, []),
    ("a component", {"loss/mel": nan, "loss/total": nan, "grad/norm": nan}, [("nonfinite.loss", "loss/mel")]),
    ("two components", {"loss/a": inf, "loss/b": nan}, [("nonfinite.loss", "loss/a"), ("nonfinite.loss", "loss/b")]),
    ("only the total", {"loss/mel": 1.0, "loss/total": inf}, [("nonfinite.loss", "loss/total")]),
    ("hidden by nan_to_num", {"loss/mel": 0.0, "grad/norm": nan}, [("nonfinite.gradient", "grad/norm")]),
    (
        "a parameter by name",
        {"loss/mel": 0.0, "grad/norm": nan, "grad/norm/decoder": nan, "grad/norm/decoder.weight": nan},
        [("nonfinite.gradient", "grad/norm/decoder")],
    ),
    ("weights before loss", {"weight/norm": nan, "loss/total": nan}, [("nonfinite.weights", "weight/norm")]),
    (
        "rows before all",
        {"input/nonfinite/3": 4.0, "weight/norm": 1.0, "loss/total": nan},
        [("nonfinite.input", "input/nonfinite")],
    ),
    (
        "an overflow of the scale",
        {"grad/norm": inf, "scale": 65536.0, "scale/backoffs": 0.0},
        [("scale.overflow", "scale")],
    ),
    (
        "too many overflows",
        {"grad/norm": inf, "scale": 65536.0, "scale/backoffs": 3.0},
        [("nonfinite.gradient", "grad/norm")],
    ),
    (
        "a scale that finds its place before the first step",
        {"grad/norm": inf, "scale": 4096.0, "scale/backoffs": 6.0, "step": 0.0},
        [("scale.overflow", "scale")],
    ),
    ("rows like those that did harm", {"input/unfit/2": 1.0, "grad/norm": 1.0}, [("input.unfit", "input/unfit")]),
    ("rows that raise an error", {"input/raised/7": 1.0}, [("input.raised", "input/raised")]),
    ("scaled, but the loss is bad", {"loss/x": nan, "grad/norm": nan, "scale": 8.0}, [("nonfinite.loss", "loss/x")]),
]


@pytest.mark.parametrize(("name", "values", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_names_what_stands_nearest_to_the_root(
    name: str, values: dict[str, float], expected: list[tuple[str, str]]
) -> None:
    detector = NonFinite()
    _, findings = detector.update(detector.init(), Reading(tick=1, values=values))
    assert [(found.code, found.signal) for found in findings] == expected, name
    assert all(found.evidence for found in findings)
