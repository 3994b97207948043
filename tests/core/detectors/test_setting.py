from __future__ import annotations

import pytest

from judging import codes
from rerail.core.detectors import Setting
from rerail.core.reading import Reading
from rerail.core.settings import material

TABLE = [
    ("weight_decay/0", 0.01, 300.0, True),
    ("weight_decay/0", 0.0, 0.01, True),
    ("weight_decay/0", 0.01, 0.02, False),
    ("momentum/0", 0.9, 0.999, True),
    ("betas.0/1", 0.85, 0.95, False),  # as a one-cycle schedule does, over a window
    ("betas.1/0", 0.999, 0.0, True),
    ("eps/0", 1e-8, 0.0, True),
]


@pytest.mark.parametrize(("name", "then", "now", "told"), TABLE)
def test_a_setting_that_is_changed_by_far_is_told_once(name: str, then: float, now: float, *, told: bool) -> None:
    assert material(name, then, now) is told
    readings = [{f"setting/{name}": then}, {}, {f"setting/{name}": now}, {}]
    assert codes(Setting(), list(enumerate(readings, 1))) == ["optimizer.setting"] * told


def test_nothing_is_trusted_for_a_while_after_a_change() -> None:
    detector, memory, wary = Setting(watch=3), Setting().init(), []
    values = [{"setting/eps/0": 1e-8}, {"setting/eps/0": 0.0}, {}, {}, {}]
    for tick, one in enumerate(values, 1):
        memory, _ = detector.update(memory, Reading(tick=tick, values=one))
        wary.append(detector.wary(memory))
    assert wary == [False, True, True, True, False]


def test_a_change_that_lasts_is_told_once_more_with_both_values() -> None:
    values = [{"setting/eps/0": 1e-8}, {"setting/eps/0": 0.0}, *([{}] * 40)]
    detector, memory, found = Setting(), Setting().init(), []
    for tick, one in enumerate(values, 1):
        memory, findings = detector.update(memory, Reading(tick=tick, values=one))
        found += [(tick, each.code, each.evidence.get("before")) for each in findings]
    assert found == [(2, "optimizer.setting", 1e-8), (14, "optimizer.setting.lasting", 1e-8)]
