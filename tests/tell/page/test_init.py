from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from rerail.tell import page

if TYPE_CHECKING:
    from pathlib import Path


def test_a_failure_leaves_the_old_page_and_no_draft(tmp_path: Path, monkeypatch: Any) -> None:
    target = page.replace(tmp_path / "a.html", "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        page.replace(target, "new")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.html", "old")]


def test_a_page_without_scripts_runs_none() -> None:
    assert "script-src 'none'" in page.policy(())


def test_every_script_is_named_by_its_hash() -> None:
    assert re.search(r"script-src 'sha256-[\w+/]{43}=' 'sha256-[\w+/]{43}=';", page.policy(("a()", "b()")))
