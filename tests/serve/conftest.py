"""What the tests of the live page share."""

from __future__ import annotations

from pathlib import Path

import pytest

import live_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with one run, `first`, that goes on."""
    live_run.begin(tmp_path / "runs" / "first").close()
    return tmp_path / "runs"
