from __future__ import annotations

from pathlib import Path

import small_corpora
from rerail.data.readers import piper, read


def test_several_speakers(tmp_path: Path) -> None:
    own = small_corpora.piper(tmp_path)
    clips = piper.read(tmp_path).clips
    assert [(one.id, one.text) for one in clips] == [(one.id, one.text) for one in own]
    assert [one.speaker for one in clips] == ["speaker-0", "speaker-1", "speaker-0", "speaker-1"]


def test_recordings_in_wavs_are_read_this_way_where_that_is_asked_for(tmp_path: Path) -> None:
    small_corpora.piper(tmp_path)
    (tmp_path / "wav").rename(tmp_path / "wavs")
    assert {one.speaker for one in read(tmp_path, "piper").clips} == {"speaker-0", "speaker-1"}
    assert {one.speaker for one in read(tmp_path).clips} == {""}  # as LJSpeech has it: the last column is the text


def test_lines_that_are_none_and_recordings_without_one_are_named(tmp_path: Path) -> None:
    own = small_corpora.piper(tmp_path)
    table = tmp_path / "metadata.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:3], "alone", "gone|ana|Words."]))
    named = {(one.id, one.kind) for one in piper.read(tmp_path).left_out}
    assert named == {("line 4", "text"), ("gone", "no audio"), (own[3].id, "no text")}
