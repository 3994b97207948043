from __future__ import annotations

from pathlib import Path

import pytest

import small_corpora
from rerail.audio import files
from rerail.data.readers import commonvoice


def test_speakers_languages_and_sound(tmp_path: Path) -> None:
    own = small_corpora.commonvoice(tmp_path)
    clips = commonvoice.read(tmp_path).clips
    assert [one.text for one in clips] == [one.text for one in own]
    assert len({one.speaker for one in clips}) == 2
    assert {len(one.speaker) for one in clips} == {16}
    assert {one.language for one in clips} == {"en"}
    assert len(files.read(clips[0].path, files.rate_of(clips[0].path))) > 8000


def test_quotes_are_text_and_a_clip_without_sound_is_named(tmp_path: Path) -> None:
    small_corpora.commonvoice(tmp_path)
    with (tmp_path / "validated.tsv").open("a") as table:
        table.write('x\tcommon_voice_en_0.mp3\t"Quoted, she said\t2\ten\nx\tgone.mp3\tWords.\t2\ten\n')
    listing = commonvoice.read(tmp_path)
    assert {(one.id, one.kind) for one in listing.left_out} == {("common_voice_en_0", "id twice"), ("gone", "no audio")}


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    small_corpora.commonvoice(tmp_path)
    (tmp_path / "validated.tsv").write_text("path\ttext\n")
    with pytest.raises(ValueError, match="no column client_id or sentence; give the table as it was downloaded"):
        commonvoice.read(tmp_path)
