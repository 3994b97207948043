from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rerail.tell.report import media

if TYPE_CHECKING:
    from pathlib import Path

    from rerail.tell.fields import Record
    from rerail.tell.report.media import Embedded

ITEM = {"name": "a", "path": "artifacts/a.png", "media": "image/png", "caption": "A", "step": 5}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run" / "artifacts").mkdir(parents=True)
    (tmp_path / "run" / "artifacts" / "a.png").write_bytes(b"abc")
    (tmp_path / "run" / "artifacts" / "empty.wav").touch()
    (tmp_path / "run" / "ring").symlink_to("ring")
    (tmp_path / "secret.png").write_bytes(b"secret")
    return tmp_path / "run"


def only(record: Record, folder: Path) -> Embedded:
    """How the page carries one artifact."""
    (strip,) = media.strips([record], folder)
    (item,) = strip.items
    return item


def test_a_file_is_carried_in_the_page(folder: Path) -> None:
    item = only(ITEM, folder)
    assert item.source == "data:image/png;base64,YWJj"
    assert (item.kind, item.caption, item.step, item.problem) == ("image", "A", 5, "")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"path": "artifacts/gone.png"}, "missing"),
        ({"path": "artifacts"}, "missing"),
        ({"path": "../secret.png"}, "outside the run folder"),
        ({"path": "/etc/hostname"}, "outside the run folder"),
        ({"path": "a\0.png"}, "or nowhere"),
        ({"path": "\ud800.png"}, "or nowhere"),
        ({"path": "a" * 5000}, "or nowhere"),
        ({"path": "ring/a.png"}, "or nowhere"),
        ({"path": "artifacts/empty.wav", "media": "audio/wav"}, "empty"),
        ({"media": "text/html"}, "not shown: text/html"),
        ({"media": "image/png;charset=x,"}, "not shown"),
        ({"media": None}, "no media type"),
    ],
)
def test_what_cannot_be_shown_is_said(folder: Path, change: dict[str, str | None], problem: str) -> None:
    item = only(ITEM | change, folder)
    assert problem in item.problem
    assert item.source == ""


def test_a_huge_file_stays_outside(folder: Path) -> None:
    with (folder / "artifacts" / "a.png").open("wb") as file:
        file.truncate(20_000_000)
    item = only(ITEM, folder)
    assert item.problem == "not shown: 20 MB is too large for a page"


def clips(folder: Path, amount: int, size: int, name: str = "speech") -> list[Record]:
    """Sounds of so many bytes, kept at steps 0, 10, 20, ..."""
    paths = [f"artifacts/{name}-{place}.wav" for place in range(amount)]
    for path in paths:
        (folder / path).write_bytes(bytes(size))
    heard = {"name": name, "media": "audio/wav", "caption": "X"}
    return [heard | {"path": path, "step": 10 * place} for place, path in enumerate(paths)]


def test_what_is_too_much_is_thinned_evenly_with_the_first_and_the_newest(folder: Path) -> None:
    (strip,) = media.strips(clips(folder, 21, 200_000), folder)
    assert [item.step for item in strip.items] == [0, 40, 80, 120, 160, 200]
    assert strip.left_out == 15


def test_names_share_the_room_and_the_newest_is_always_there(folder: Path) -> None:
    records = clips(folder, 5, 200_000, "a") + clips(folder, 3, 900_000, "b")
    found = {strip.name: [item.step for item in strip.items] for strip in media.strips(records, folder)}
    assert found == {"a": [0, 20, 40], "b": [20]}


def test_many_small_pictures_of_one_name_are_thinned_too(folder: Path) -> None:
    (strip,) = media.strips([ITEM | {"step": step} for step in range(500)], folder)
    assert (len(strip.items), strip.left_out, strip.items[-1].step) == (100, 400, 499)


def test_the_newest_of_very_many_names_do_not_make_a_page_huge(folder: Path) -> None:
    records = [one for name in range(30) for one in clips(folder, 1, 290_000, f"n{name}")]
    items = [item for strip in media.strips(records, folder) for item in strip.items]
    assert sum(len(item.source) for item in items) < 2 * 1_200_000 * 4 / 3 + 10_000
    assert [item.problem for item in items].count("not shown: the page is full") == 22


def test_one_large_sound_is_shown_all_the_same(folder: Path) -> None:
    assert only(clips(folder, 1, 5_000_000)[0], folder).problem == ""
