from __future__ import annotations

from pathlib import Path

import pytest

import small_pairs
from rerail.data.pairs import folders


def lay(folder: Path, images: str, sounds: str) -> tuple[Path, Path]:
    for name in images.split():
        small_pairs.picture(folder / "images" / name)
    for name in sounds.split():
        small_pairs.recording(folder / "sounds" / name)
    return folder / "images", folder / "sounds"


def test_files_of_one_name_make_pairs_and_each_without_a_partner_is_named(tmp_path: Path) -> None:
    found = folders.read(*lay(tmp_path, "a.png ana/1.jpg lone.png", "a.wav ana/1.flac ana/2.wav"))
    assert [(one.id, one.identity) for one in found.pairs] == [("a", "a"), ("ana/1", "ana")]
    reasons = {one.id: (one.kind, one.reason) for one in found.left_out}
    assert reasons == {
        "ana/2": ("no picture", "2.wav has no picture ana/2.*; add it"),
        "lone": ("no audio", "lone.png has no recording lone.*; add it"),
    }


def test_two_files_of_one_name_are_both_named(tmp_path: Path) -> None:
    found = folders.read(*lay(tmp_path, "a.png a.jpg b.png c.png", "a.wav b.wav c.wav c.flac"))
    assert [one.id for one in found.pairs] == ["b"]
    assert [one.reason for one in found.left_out] == [
        "a.jpg and a.png have one name; rename or remove one",
        "c.flac and c.wav have one name; rename or remove one",
    ]


def test_folders_of_persons_are_paired_within_each_and_all_is_used(tmp_path: Path) -> None:
    found = folders.read(
        *lay(tmp_path, "ana/x.png ana/y.png bo/x.png stray.png", "ana/1.wav ana/2.wav ana/3.wav bo/1.wav zoe/1.wav")
    )
    assert [one.id for one in found.pairs] == ["ana/x+ana/1", "ana/y+ana/2", "ana/x+ana/3", "bo/x+bo/1"]
    assert [one.identity for one in found.pairs] == ["ana", "ana", "ana", "bo"]
    assert [(one.id, one.kind) for one in found.left_out] == [("stray", "no person"), ("zoe/1", "no picture")]


def test_nothing_to_pair_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no picture could be paired with a recording \(a: a\.png has no recording"):
        folders.read(*lay(tmp_path, "a.png", "b.wav"))
    with pytest.raises(ValueError, match="gone: no such folder"):
        folders.read(tmp_path / "images", tmp_path / "gone")
