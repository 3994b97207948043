from __future__ import annotations

from pathlib import Path

import small_corpora
from rerail.data.readers import sphinx


def test_sentence_marks_are_dropped_and_the_folder_names_the_speaker(tmp_path: Path) -> None:
    made = small_corpora.sphinx(tmp_path)
    clips = sphinx.read(tmp_path).clips
    assert [(one.id, one.text) for one in clips] == [(f"one_{one.id}", one.text.lower()) for one in made]
    assert {one.speaker for one in clips} == {"one"}


def test_whatever_is_left_out_is_named(tmp_path: Path) -> None:
    small_corpora.sphinx(tmp_path)
    small_corpora.wav(small_corpora.CLIPS[9], tmp_path / "one/stray.wav")
    with (tmp_path / "one/one.transcription").open("a") as texts:
        texts.write("<s> hello </s> (gone)\nno id here\n")
    left = {(one.id, one.kind) for one in sphinx.read(tmp_path).left_out}
    assert left == {("one_gone", "no audio"), ("one_stray", "no text"), ("one.transcription line 6", "text")}
