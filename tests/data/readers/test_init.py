from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import small_corpora
from rerail.data.readers import layout_of, read


@pytest.mark.parametrize(
    ("name", "build", "count"),
    [
        ("ljspeech", small_corpora.lj, 20),
        ("festvox", lambda folder: small_corpora.festvox(folder / "voice"), 4),
        ("asterisk", small_corpora.asterisk, 5),
        ("sphinx", small_corpora.sphinx, 4),
        ("tuxpaint", small_corpora.tuxpaint, 1),
        ("vctk", small_corpora.vctk, 4),
        ("commonvoice", small_corpora.commonvoice, 4),
        ("piper", small_corpora.piper, 4),
        ("f5", small_corpora.f5, 4),
    ],
)
def test_the_layout_is_seen_from_the_folder(
    tmp_path: Path, name: str, build: Callable[[Path], object], count: int
) -> None:
    build(tmp_path)
    assert layout_of(tmp_path) == name
    assert len(read(tmp_path).clips) == count


def test_a_table_beside_recordings_is_a_part_of_a_corpus_and_any_other_file_a_list(tmp_path: Path) -> None:
    small_corpora.lj(tmp_path)
    lines = (tmp_path / "metadata.csv").read_text().splitlines()
    (tmp_path / "train.csv").write_text("\n".join(lines[:5]))
    assert len(read(tmp_path / "train.csv").clips) == 5
    (tmp_path / "list.txt").write_text(f"wavs/{small_corpora.CLIPS[0].id}.wav|Words.")
    assert [one.text for one in read(tmp_path / "list.txt").clips] == ["Words."]


def test_a_folder_in_no_known_layout_is_refused_with_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no corpus in a known layout \(metadata.csv, etc/txt.done.data"):
        read(tmp_path)
    with pytest.raises(ValueError, match="no such folder or list; give a corpus"):
        read(tmp_path / "gone")


def test_what_clips_do_not_say_is_filled_in(tmp_path: Path) -> None:
    small_corpora.lj(tmp_path, 2, speaker="ana")
    clips = read(tmp_path).within("en", "someone").clips
    assert {(one.language, one.speaker) for one in clips} == {("en", "ana")}


def test_a_layout_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no 'banana'; known: ljspeech, festvox"):
        read(tmp_path, "banana")
