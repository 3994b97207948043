from __future__ import annotations

from pathlib import Path

import small_corpora
from rerail.data.readers import tuxpaint


def test_each_recording_gets_the_text_of_its_language_and_the_rest_is_named(tmp_path: Path) -> None:
    small_corpora.tuxpaint(tmp_path)
    listing = tuxpaint.read(tmp_path)
    (clip,) = listing.clips
    assert (clip.id, clip.text, clip.language, clip.speaker) == ("town_docks_desc_es", "Los muelles.", "es", "es")
    assert {(one.id, one.kind) for one in listing.left_out} == {
        ("town_docks_desc_fr", "text"),  # still the English text
        ("town_docks_desc_xx", "no text"),
        ("town_ship_desc_es", "no text"),
    }


def test_a_text_of_signs_alone_needs_no_translation(tmp_path: Path) -> None:
    small_corpora.tuxpaint(tmp_path)
    (tmp_path / "town/docks.txt").write_text("7\nfr.utf8=7\n")
    assert [one.text for one in tuxpaint.read(tmp_path).clips] == ["7"]
