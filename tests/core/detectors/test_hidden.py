from __future__ import annotations

from rerail.core.detectors import Hidden
from rerail.core.reading import Reading


def codes(*counts: float | None) -> list[str]:
    detector, found = Hidden(), list[str]()
    memory = detector.init()
    for look, count in enumerate(counts):
        values = {"param/total": 1.0} | ({} if count is None else {"hidden/model.py:7": count})
        memory, now = detector.update(memory, Reading(tick=1 + 30 * look, values=values))
        found += [f"{one.code} {one.signal}" for one in now]
    return found


def test_a_line_that_replaces_nan_is_told_once_by_its_name() -> None:
    assert codes(3.0, 2.0, 5.0) == ["nan.hidden hidden/model.py:7"]


def test_one_that_replaces_nothing_or_once_is_left_alone() -> None:
    assert codes(0.0, 0.0, 0.0) == []
    assert codes(3.0, None, 3.0, 0.0) == []
