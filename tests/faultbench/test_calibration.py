"""The calibration of the bench: healthy controls are recorded once, kept back or open, judged and told."""

from __future__ import annotations

from pathlib import Path

import pytest
from faultbench.calibration_page import page
from faultbench.controls import CONTROLS
from faultbench.controls_fresh import FRESH
from faultbench.recording import record, recordings

from faultbench import calibration
from rerail.core.detectors import DEFAULT
from rerail.core.rate import Rate
from rerail.core.thresholds import name_of
from rerail.tell.calibrated import interval
from rerail.tell.journal import NAME


def test_what_is_kept_back_is_whole_controls_and_seeds(tmp_path: Path) -> None:
    every = list(recordings(tmp_path, (0, 1), (2,)))
    assert len(every) == 3 * len((*CONTROLS, *FRESH))
    assert {one.control for one in every if one.seed == 0 and one.kept_back} == {one.name for one in FRESH}
    assert all(one.kept_back for one in every if one.seed == 2)
    assert len({one.folder for one in every}) == len(every)


def test_controls_are_recorded_judged_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("tiny-loss", "curriculum-jump")
    every = list(recordings(tmp_path, (0,), (1,), [one for one in CONTROLS if one.name in names]))
    for one in every:
        assert not one.there
        record(one)
        assert one.there
        assert [path.name for path in one.folder.iterdir()] == [NAME]
    assert len(list(tmp_path.iterdir())) == 4
    heard = calibration.hear(every)
    monkeypatch.setattr(calibration, "SHELF", calibration.Shelf(heard=heard))
    numbers = [n for n, one in enumerate(DEFAULT) if name_of(one) in ("spike", "units")]
    found = [calibration.judged(number) for number in numbers]
    spike = found[0]
    assert {one.run for one in spike.judged.alarms} == {"curriculum-jump/0"}
    assert spike.plan.still == ()
    assert spike.elsewhere is not None
    assert spike.silent == 1
    assert spike.elsewhere.alarms == ()
    text = page(heard, found, (0,), (1,))
    none = interval(Rate(count=0, ticks=402))  # a tick for each of 150 and 250 steps, and one at the end
    assert f"| open | 2 | 402 | 0 | {none} |" in text
    assert "missed by `loss.spike`" in text
    assert "| spike | sigmas | 6 |" in text
    assert f"| `units.dead` | units | 0 | {none} | 0 | {none} |" in text
    assert "- none" in text
