from __future__ import annotations

from pathlib import Path

import pytest

from rerail.audio.mel import MelSpec
from rerail.data.clip import Clip
from rerail.tasks.xtts.voices import Languages, Voices, references


def clip(name: str, speaker: str) -> Clip:
    return Clip(id=name, path=Path(name), text="a", speaker=speaker, language="en")


CLIPS = [clip(f"{speaker}-{number}", speaker) for speaker in "ab" for number in range(5)] + [clip("alone", "c")]


def test_a_reference_is_another_clip_of_the_same_speaker_where_there_is_one() -> None:
    found = references(CLIPS, CLIPS)
    assert [one.speaker for one in found] == [one.speaker for one in CLIPS]
    assert [one.id for one, other in zip(found, CLIPS, strict=True) if one.id == other.id] == ["alone"]
    assert len({one.id for one in found}) > 8  # not one clip for all
    assert found == references(CLIPS, list(reversed(CLIPS)))


def test_held_out_clips_are_spoken_in_voices_that_were_trained_on() -> None:
    aside, training = CLIPS[:2], CLIPS[2:]
    assert all(one in training for one in references(aside, training))


def test_a_language_that_is_not_known_is_refused_with_those_that_are() -> None:
    languages = Languages.of(["ru", "en", "en"])
    assert languages.table == ("en", "ru")
    with pytest.raises(ValueError, match=r"the model knows en, ru, got 'fr'; give one of these by --language"):
        languages.number("fr")
    with pytest.raises(ValueError, match="the run began with"):
        languages.load_state_dict({"languages": ["en"]})


def test_a_sentence_needs_a_voice() -> None:
    voices = Voices(Languages.of(["en"]), MelSpec())
    with pytest.raises(ValueError, match="--voice: this network speaks in the voice of a recording"):
        voices.of_sentence("en", None)
