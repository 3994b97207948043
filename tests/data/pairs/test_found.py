from __future__ import annotations

from pathlib import Path

import small_pairs
from rerail.data.pairs import found


def test_endings_are_told_whatever_their_case_and_hidden_files_are_not_taken(tmp_path: Path) -> None:
    small_pairs.picture(tmp_path / "a/B.PNG")
    small_pairs.picture(tmp_path / "._c.png")
    (tmp_path / "notes.txt").touch()
    assert {stem: [one.name for one in paths] for stem, paths in found.images(tmp_path).items()} == {"a/B": ["B.PNG"]}


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    small_pairs.picture(tmp_path / "elsewhere/0.png")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/ana").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "own/ben").symlink_to("../elsewhere")
    (tmp_path / "elsewhere/up").symlink_to(tmp_path / "own")
    (tmp_path / "own/gone").symlink_to("nowhere")
    assert list(found.images(tmp_path / "own")) == ["ana/0", "ben/0"]


def test_a_name_is_one_however_its_accents_are_spelled(tmp_path: Path) -> None:
    small_pairs.picture(tmp_path / "Jose\u0301/0.png")
    small_pairs.recording(tmp_path / "Jos\u00e9/0.wav")
    assert list(found.images(tmp_path)) == list(found.recordings(tmp_path)) == ["Jos\u00e9/0"]


def test_the_fewer_repeat_until_all_are_used() -> None:
    images, sounds = [(name, Path(name)) for name in "ab"], [(name, Path(name)) for name in "12345"]
    assert [one.id for one in found.repeated("ana", images, sounds)] == ["a+1", "b+2", "a+3", "b+4", "a+5"]
    assert list(found.repeated("ana", [], sounds)) == []
