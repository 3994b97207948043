from __future__ import annotations

from pathlib import Path

import small_corpora
from rerail.data.readers import vctk


def test_speakers_texts_and_the_first_microphone(tmp_path: Path) -> None:
    own = small_corpora.vctk(tmp_path)
    listing = vctk.read(tmp_path)
    assert sorted(one.text for one in listing.clips) == sorted(one.text for one in own)
    assert {one.speaker for one in listing.clips} == {"p225", "p226"}
    assert all(one.path.name.endswith("_mic1.flac") and one.language == "en" for one in listing.clips)
    assert listing.left_out == ()


def test_a_text_without_sound_and_one_that_is_not_utf8_are_named(tmp_path: Path) -> None:
    small_corpora.vctk(tmp_path)
    (tmp_path / "txt/p225/p225_900.txt").write_text("Nobody said this.")
    (tmp_path / "txt/p225/p225_901.txt").write_bytes(b"caf\xe9")
    (tmp_path / "wav48_silence_trimmed/p226/p226_001_mic1.flac").rename(tmp_path / "wav48_silence_trimmed/p226/x.flac")
    named = {(one.id, one.kind) for one in vctk.read(tmp_path).left_out}
    assert {("p225_900", "no audio"), ("p225_901", "text"), ("p226_x", "no text")} <= named
