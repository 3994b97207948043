from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from rerail.doctor.disk import disk, mount, space, speed


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_the_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    checks = disk(tmp_path / "runs" / "first")
    assert [check.name for check in checks] == ["disk space", "disk speed", "disk kind"]
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**40, 2**40, 2**20))
    assert space(tmp_path).passed is False
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**40, 0, 2**40))
    assert space(tmp_path).passed


def test_a_slow_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerail.doctor.disk.SIZE", 2**22)
    monkeypatch.setattr(os, "fsync", lambda _: time.sleep(0.5))
    check = speed(tmp_path)
    assert check.passed is False
    assert "sync alone 0.5" in check.told


def test_a_file_server_with_another_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    check = speed(tmp_path)
    assert check.passed is False
    assert "s off" in check.told or check.seen["rate"] < 10 * 2**20


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    check = speed(tmp_path / "none")
    assert check.passed is False
    assert "No such file" in check.told


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/data /data nfs4 rw 0 0
/dev/sdb1 /data/me/big\\040disk xfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "told", "passed"),
    [
        ("/srv/runs", "ext4", True),
        ("/data/me/runs", "nfs4, a network mount", None),
        ("/data/me/big disk/runs", "xfs", True),
    ],
)
def test_the_kind_of_mount(folder: str, told: str, passed: bool | None) -> None:  # noqa: FBT001
    check = mount(Path(folder), MOUNTS)
    assert (check.told, check.passed) == (told, passed)


def test_a_system_that_does_not_tell() -> None:
    assert mount(Path("/srv"), "").passed is None
