# ruff: noqa: RUF001 - Russian is the point here
from __future__ import annotations

from pathlib import Path

import small_corpora
from rerail.data.readers import festvox
from rerail.text.normalise import normalise


def test_clips_carry_their_texts_and_the_voice_that_the_folder_names(tmp_path: Path) -> None:
    made = small_corpora.festvox(tmp_path / "msu_ru_nsh_clunits")
    listing = festvox.read(tmp_path)
    assert [(one.id, one.text) for one in listing.clips] == [(one.id, one.text) for one in made]
    assert {(one.speaker, one.language) for one in listing.clips} == {("nsh", "ru")}
    assert listing.left_out == ()


def test_stress_marks_and_escaped_quotes_come_through(tmp_path: Path) -> None:
    voice = tmp_path / "cmu_us_slt_arctic"
    small_corpora.wav(small_corpora.CLIPS[0], voice / "wav/a.wav")
    (voice / "etc").mkdir()
    (voice / "etc/txt.done.data").write_text('( a "вол+ос \\"за\\" (ухо)" )\n', encoding="utf8")
    (clip,) = festvox.read(tmp_path).clips
    assert clip.text == 'вол+ос "за" (ухо)'
    assert (clip.language, clip.speaker) == ("en", "slt")
    assert normalise(clip.text, stress=True)[:6] == "вол+ос"
    assert normalise(clip.text)[:5] == "волос"


def test_whatever_is_left_out_is_named(tmp_path: Path) -> None:
    voice = tmp_path / "voice"
    small_corpora.festvox(voice)
    small_corpora.wav(small_corpora.CLIPS[9], voice / "wav/stray.wav")
    with (voice / "etc/txt.done.data").open("a") as texts:
        texts.write('( gone "Words." )\nnot a line\n')
    listing = festvox.read(tmp_path)
    assert len(listing.clips) == 4
    assert {(one.id, one.kind) for one in listing.left_out} == {
        ("gone", "no audio"),
        ("etc/txt.done.data line 6", "text"),
        ("stray", "no text"),
    }
