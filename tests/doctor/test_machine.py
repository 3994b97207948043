from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from rerail.doctor import machine
from rerail.doctor.check import skipped


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_this_machine_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "notifications", lambda: (skipped("notifications", "nobody to tell"),))
    checks = {check.name: check for check in machine.machine()}
    assert torch.__version__ in checks["versions"].told
    assert checks["arithmetic"].passed
    assert checks["notifications"].passed is None
    assert {"threads", "accelerator", "clock", "open files", "shared memory", "extra: audio"} <= set(checks)
    assert all(check.do for check in checks.values() if check.passed is False)


@pytest.mark.parametrize(("used", "passed"), [(2, True), (4, True), (16, False)])
def test_threads(used: int, passed: bool) -> None:  # noqa: FBT001
    check = machine.threads(used, 4)
    assert check.passed is passed
    assert ("OMP_NUM_THREADS=4" in check.do) is not passed


def test_a_clock_that_was_never_set() -> None:
    check = machine.clock(3600.0)
    assert check.passed is False
    assert check.told == "1970-01-01 01:00:00 UTC"
    assert machine.clock(1.9e9).passed


@pytest.mark.parametrize(("limit", "passed"), [(256, False), (65536, True), (None, None)])
def test_open_files(limit: int | None, passed: bool | None) -> None:  # noqa: FBT001
    check = machine.open_files(limit)
    assert check.passed is passed
    assert (check.do == "ulimit -n 4096") is (passed is False)


@pytest.mark.parametrize(("free", "passed"), [(64 * 2**20, False), (2**30, True)])
def test_shared_memory(free: int, passed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2 * free, free, free))
    check = machine.shared_memory(tmp_path)
    assert check.passed is passed
    assert ("--shm-size" in check.do) is not passed
    assert machine.shared_memory(tmp_path / "none").passed is None


def test_a_product_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    right: Any = torch.Tensor.__matmul__

    def wrong(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = right(one, other)
        if out.dtype is torch.float32:
            out[3, 4] = float("nan")
        return out

    assert machine.arithmetic().passed
    monkeypatch.setattr(torch.Tensor, "__matmul__", wrong)
    check = machine.arithmetic()
    assert check.passed is False
    assert "wrong on cpu" in check.told


def test_an_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    found: Any = importlib.util.find_spec
    monkeypatch.setattr(machine, "find_spec", lambda name: None if name == "soxr" else found(name))
    checks = {check.name: check for check in machine.extras()}
    assert checks["extra: audio"].passed is None
    assert checks["extra: audio"].told == "not installed: soxr"
    assert 'pip install "rerail[audio]"' in checks["extra: audio"].do
    assert checks["extra: text"].passed
