from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rerail.tell.report import media

if TYPE_CHECKING:
    from pathlib import Path

ITEM = {"name": "a", "path": "artifacts/a.png", "media": "image/png", "caption": "A", "step": 5}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run" / "artifacts").mkdir(parents=True)
    (tmp_path / "run" / "artifacts" / "a.png").write_bytes(b"abc")
    (tmp_path / "run" / "artifacts" / "empty.wav").touch()
    (tmp_path / "secret.png").write_bytes(b"secret")
    return tmp_path / "run"


def test_a_file_is_carried_in_the_page(folder: Path) -> None:
    (item,) = media.embed([ITEM], folder)
    assert item.source == "data:image/png;base64,YWJj"
    assert (item.kind, item.caption, item.step, item.problem) == ("image", "A", 5, "")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"path": "artifacts/gone.png"}, "missing"),
        ({"path": "artifacts"}, "missing"),
        ({"path": "../secret.png"}, "outside the run folder"),
        ({"path": "artifacts/empty.wav", "media": "audio/wav"}, "empty"),
        ({"media": "text/html"}, "not shown: text/html"),
        ({"media": "image/png;charset=x,"}, "not shown"),
        ({"media": None}, "no media type"),
    ],
)
def test_what_cannot_be_shown_is_said(folder: Path, change: dict[str, str | None], problem: str) -> None:
    (item,) = media.embed([ITEM | change], folder)
    assert problem in item.problem
    assert item.source == ""


def test_a_huge_file_stays_outside(folder: Path) -> None:
    with (folder / "artifacts" / "a.png").open("wb") as file:
        file.truncate(20_000_000)
    (item,) = media.embed([ITEM], folder)
    assert item.problem == "not shown: 20 MB is too large for a page"
