from __future__ import annotations

import shutil
from pathlib import Path

import small_corpora
from rerail.data.readers import asterisk


def test_prompts_tones_signs_and_missing_lines_are_told_apart(tmp_path: Path) -> None:
    made = small_corpora.asterisk(tmp_path)
    listing = asterisk.read(tmp_path)
    texts = {one.id: one.text for one in listing.clips}
    assert texts == {**{one.id: one.text for one in made}, "letters_at": "at"}
    assert {(one.speaker, one.language) for one in listing.clips} == {("Allison", "en")}
    assert {(one.id, one.kind) for one in listing.left_out} == {
        ("beep", "tone"),
        ("gone", "no audio"),
        ("unnamed", "no text"),
    }


def test_texts_may_lie_beside_their_recordings(tmp_path: Path) -> None:
    small_corpora.wav(small_corpora.CLIPS[0], tmp_path / "digits/1.wav")
    (tmp_path / "core-sounds-fr.txt").write_text("digits/1: un\n", encoding="utf8")
    (clip,) = asterisk.read(tmp_path).clips
    assert (clip.id, clip.text, clip.language, clip.speaker) == ("digits_1", "un", "fr", "")


def test_ids_of_two_languages_do_not_meet(tmp_path: Path) -> None:
    small_corpora.asterisk(tmp_path / "en")
    shutil.copytree(tmp_path / "en/share/asterisk/sounds/en_US_f_Allison", tmp_path / "fr_CA_f_June")
    (tmp_path / "core-sounds-fr.txt").write_text("beep: un\n", encoding="utf8")
    clips = {one.id: one for one in asterisk.read(tmp_path).clips}
    assert clips["fr_beep"].speaker == "June"
    assert clips[f"en_{small_corpora.CLIPS[0].id}"].speaker == "Allison"
