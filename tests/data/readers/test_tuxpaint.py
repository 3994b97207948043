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


def test_pictures_that_are_described_in_the_same_words_are_one_identity(tmp_path: Path) -> None:
    small_corpora.stamps(tmp_path)
    found = tuxpaint.pictures(tmp_path, tuxpaint.read(tmp_path))
    assert {one.id: (one.image.name, one.identity, one.language) for one in found.pairs} == {
        "town_boat_desc_es": ("boat.png", "town_boat+town_ship", "es"),
        "town_car_desc_es": ("car.png", "town_car", "es"),
        "town_ship_desc_es": ("ship.png", "town_boat+town_ship", "es"),
    }
    assert [(one.id, one.reason) for one in found.left_out] == [
        ("town_docks_desc_es", "there is no docks.png beside it")
    ]


def test_a_text_of_signs_alone_needs_no_translation(tmp_path: Path) -> None:
    small_corpora.tuxpaint(tmp_path)
    (tmp_path / "town/docks.txt").write_text("7\nfr.utf8=7\n")
    assert [one.text for one in tuxpaint.read(tmp_path).clips] == ["7"]
