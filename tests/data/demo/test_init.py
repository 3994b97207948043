from __future__ import annotations

import re

import pytest

from rerail.audio import files
from rerail.audio.mel import MelSpec
from rerail.data import demo, ljspeech
from rerail.data.check import check
from rerail.data.clip import Clip
from rerail.data.split import split
from rerail.text.normalise import normalise


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return ljspeech.read(demo.folder())


def test_it_holds_64_clips_in_less_than_4_megabytes(clips: list[Clip]) -> None:
    assert len(clips) == 64
    assert {one.name for one in (demo.folder() / "wavs").iterdir()} == {clip.path.name for clip in clips}
    assert sum(one.stat().st_size for one in demo.folder().rglob("*") if one.is_file()) < 4_000_000


def test_every_clip_is_sound_speech_of_a_few_seconds_whose_length_fits_its_text(clips: list[Clip]) -> None:
    assert check(clips, MelSpec()) == ([], True)
    for clip in clips:
        assert 1.5 <= len(files.read(clip.path, 16000)) / 16000 <= 4


def test_no_text_holds_tones_or_digits_or_occurs_twice(clips: list[Clip]) -> None:
    assert all(re.fullmatch(r"[A-Za-z' ,.!?-]+", clip.text) for clip in clips)
    assert len({re.sub(r"[^a-z]", "", clip.text.lower()) for clip in clips}) == 64


def test_twelve_clips_can_be_held_out_whose_symbols_are_all_trained(clips: list[Clip]) -> None:
    training, held_out = split(clips, 12)
    assert (len(training), len(held_out)) == (52, 12)
    seen = {symbol for clip in training for symbol in normalise(clip.text)}
    assert {symbol for clip in held_out for symbol in normalise(clip.text)} <= seen


def test_most_letter_pairs_of_the_held_out_clips_are_trained(clips: list[Clip]) -> None:
    def pairs(some: list[Clip]) -> set[str]:
        texts = [normalise(clip.text) for clip in some]
        return {text[at : at + 2] for text in texts for at in range(len(text) - 1)}

    training, held_out = (pairs(some) for some in split(clips, 12))
    assert len(held_out - training) / len(held_out) < 0.06


def test_licence_and_credit_stand_beside_the_clips() -> None:
    licence = (demo.folder() / "LICENSE").read_text(encoding="utf8")
    assert "CC-BY-SA-3.0" in licence
    assert "CREATIVE COMMONS PUBLIC LICENSE" in licence
    credit = (demo.folder() / "CREDITS.md").read_text(encoding="utf8")
    for word in ("Allison Smith", "Asterisk", "ShareAlike 3.0", "Changed here", "build_demo_corpus.py"):
        assert word in credit
