"""The fault bench in short: rerail on one workload, and what its rows add up to."""

from __future__ import annotations

from pathlib import Path

import pytest
from faultbench.cell import Cell, cells
from faultbench.controls import CONTROLS
from faultbench.damage import band
from faultbench.faults import FAULTS
from faultbench.page import page
from faultbench.play import CLEAN, OURS, Guarded, play_cell, play_clean, play_control, play_none
from faultbench.row import Row, append, read
from faultbench.score import score
from faultbench.workloads import WORKLOADS

WORKLOAD = next(one for one in WORKLOADS if one.name == "regression")
CURED = ("nan-rows", "log-of-zero", "high-rate", "wrong-epsilon", "nan-weight", "nan-moment", "passing-nan")
STOPPED = ("wrong-sign", "constant-loss")


def one_cell(fault: str) -> Cell:
    """The severest of a fault's cells, in its last phase."""
    return [one for one in cells([WORKLOAD], FAULTS) if one.fault.name == fault][-1]


def played(fault: str) -> tuple[Row, Row]:
    cell = one_cell(fault)
    none = play_none(cell, band(WORKLOAD).top)
    return none, play_cell(Guarded(), cell, none)


@pytest.mark.parametrize("fault", [one for one in CURED if any(c.fault.name == one for c in cells([WORKLOAD], FAULTS))])
def test_a_curable_fault_is_seen_named_and_repaired(fault: str) -> None:
    none, ours = played(fault)
    assert none.damaging
    assert ours.detected >= ours.begin
    assert ours.cause == ours.truth
    assert ours.healthy
    assert not ours.stopped
    assert ours.wasted <= 40
    assert none.broke < 0 or ours.in_time


@pytest.mark.parametrize("fault", STOPPED)
def test_an_incurable_fault_ends_in_an_honest_stop(fault: str) -> None:
    none, ours = played(fault)
    assert none.damaging
    assert ours.stopped
    assert ours.cause == ours.truth


@pytest.mark.parametrize("control", CONTROLS[:4], ids=[one.name for one in CONTROLS[:4]])
def test_a_healthy_control_is_left_alone(control: object) -> None:
    row = play_control(Guarded(), control, seed=0)  # type: ignore[arg-type]
    assert (row.interventions, row.stopped) == (0, False)


def test_rows_are_written_read_and_added_up(tmp_path: Path) -> None:
    none, ours = played("nan-rows")
    rows = [play_clean(WORKLOAD, 0), none, ours]
    append(tmp_path / "rows.csv", rows[:1])
    append(tmp_path / "rows.csv", rows[1:])
    again = read(tmp_path / "rows.csv")
    assert [one.tool for one in again] == [CLEAN, "none", OURS]
    assert again[2] == ours
    total = score(OURS, [one for one in again if one.tool == OURS])
    assert (total.detected, total.cause, total.repaired, total.stopped) == ((1, 1), (1, 1), (1, 1), (0, 0))
    text = page(again, [])
    assert "| rerail | 1/1 |" in text
    assert "0 of 1 runs" in text
