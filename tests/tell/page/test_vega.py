from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rerail.tell.page import vega

MADE = "globalThis.vegaEmbed = () => 1;" + "/* long */" * 100_000


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """How often the bundle was made."""
    found: list[str] = []

    def made() -> str:
        found.append("made")
        return MADE

    library = SimpleNamespace(__version__="9.9", javascript_bundle=made)
    monkeypatch.setattr(vega, "need", lambda *_, **__: library)
    monkeypatch.setenv("RERAIL_CACHE", str(tmp_path / "cache"))
    vega.bundle.cache_clear()
    yield found
    vega.bundle.cache_clear()


def again() -> str:
    vega.bundle.cache_clear()
    return vega.bundle()


def test_it_is_made_once_and_kept(calls: list[str], tmp_path: Path) -> None:
    assert MADE in again()
    assert again() == again()
    assert calls == ["made"]
    assert [one.name for one in (tmp_path / "cache").iterdir()] == ["vega-9.9.js"]


@pytest.mark.parametrize("damage", [b"", MADE[:5000].encode(), b"\xff\xfe"])
def test_what_a_crash_left_of_it_is_made_anew(calls: list[str], tmp_path: Path, damage: bytes) -> None:
    whole = again()
    (tmp_path / "cache" / "vega-9.9.js").write_bytes(damage)
    assert again() == whole
    assert again() == whole
    assert len(calls) == 2


@pytest.mark.parametrize("place", ["/dev/null", "/proc/none", "taken"])
def test_where_nothing_can_be_kept_it_is_made_each_time(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("RERAIL_CACHE", str(tmp_path / place))
    assert again() == again()
    assert len(calls) == 2


def test_a_user_without_a_home_has_pages(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: Any = None) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("RERAIL_CACHE")
    monkeypatch.setattr(Path, "home", nowhere)
    assert MADE in again()
    assert calls


def test_several_that_make_it_at_once_all_have_it_whole(calls: list[str], tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(vega._made())) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [one.name for one in (tmp_path / "cache").iterdir()] == ["vega-9.9.js"]
    assert calls
