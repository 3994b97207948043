from __future__ import annotations

from pathlib import Path

import pytest

import small_pairs
from rerail.data import pairs


def test_the_reader_is_chosen_by_what_is_given(tmp_path: Path) -> None:
    small_pairs.picture(tmp_path / "images/ana/v/1.png")
    small_pairs.recording(tmp_path / "wavs/ana/v/1.wav")
    (tmp_path / "pairs.csv").write_text("images/ana/v/1.png|wavs/ana/v/1.wav|bo\n")
    folders = (str(tmp_path / "images"), str(tmp_path / "wavs"))
    assert [one.identity for one in pairs.read(str(tmp_path), "", "", "").pairs] == ["bo"]
    assert [one.id for one in pairs.read("", *folders, "").pairs] == ["ana/v/1"]
    assert [one.id for one in pairs.read("", *folders, "voxceleb").pairs] == ["ana/v/1+ana/v/1"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("", "", "", ""), "pairs: none given; give pairs, or image_folder and audio_folder"),
        (("", "images", "", ""), "pairs: none given"),
        (("", "images", "wavs", "tape"), "layout: there is no 'tape'; known: folders, voxceleb"),
    ],
)
def test_what_cannot_be_read_is_told(given: tuple[str, str, str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pairs.read(*given)
