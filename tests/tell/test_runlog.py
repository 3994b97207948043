from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from rerail.tell.runlog import RunLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., dict[str, Any]]

KNOBS = {"lr_scale": 0.1, "clip_norm": "inf", "precision": "as_run", "weights": {}}


def test_events_at_once_and_readings_every_few_ticks(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "logs" / "run.log"
    with RunLog(path, every=10) as log:
        for tick in range(1, 31):
            log(make("reading", tick, values={"step": tick, "loss/total": 1.5}))
            if tick == 15:
                log(make("note", tick, text="half way"))
                assert path.read_text().endswith("half way\n")
    lines = path.read_text().splitlines()
    assert len(lines) == 5  # the first reading too, so that a short run has one
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d  tick 10, step 10: loss/total 1.5", lines[1])


def test_knobs_in_force_are_told(make: Make, tmp_path: Path) -> None:
    with RunLog(tmp_path / "run.log", every=1) as log:
        log(make("verdict", 1, move="COMMIT", knobs=KNOBS, findings=[]))
        log(make("reading", 1, values={"step": 1, "loss/total": "nan"}))
    assert "loss/total nan; in force: learning rate x0.1" in (tmp_path / "run.log").read_text()


def test_a_resumed_run_appends_and_held_out_metrics_always_have_a_line(make: Make, tmp_path: Path) -> None:
    for tick in (3, 7):
        with RunLog(tmp_path / "run.log", every=100) as log:
            log(make("reading", tick, values={"step": tick, "eval/mel": 0.5}))
    assert (tmp_path / "run.log").read_text().count("eval/mel 0.5") == 2


def test_hostile_names_cannot_forge_a_line(make: Make, tmp_path: Path) -> None:
    name = "x\ntick 9: all is well\x1b[2J\r\u2028"
    with RunLog(tmp_path / "run.log", every=1) as log:
        log(make("reading", 1, values={"step": 1, f"loss/{name}": 1.0}))
        log(make("artifact", 1, name=name, path=name, caption=name))
    text = (tmp_path / "run.log").read_text("utf-8")
    assert len(text.splitlines()) == 2
    assert all(line.isprintable() for line in text.split("\n"))


def test_a_whole_run_can_be_told(realistic_run: Path, tmp_path: Path) -> None:
    with RunLog(tmp_path / "run.log") as log:
        for line in (realistic_run / "journal.jsonl").read_text().splitlines():
            log(json.loads(line))
    text = (tmp_path / "run.log").read_text()
    assert "loss/energy is not finite (inf)" in text
    assert text.endswith("Run finished, at step 400.\n")


def test_a_silly_interval_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got 0"):
        RunLog(tmp_path / "run.log", every=0)
    assert not (tmp_path / "run.log").exists()
