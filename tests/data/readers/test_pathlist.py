from __future__ import annotations

from pathlib import Path

import pytest

import small_corpora
from rerail.data.readers import pathlist


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    for number in (0, 1):
        small_corpora.wav(small_corpora.CLIPS[number], tmp_path / f"sound/{number}.wav")
    return tmp_path


def listed(folder: Path, content: str) -> Path:
    (folder / "list.txt").write_text(content, encoding="utf8")
    return folder / "list.txt"


def test_relative_and_absolute_paths_with_speaker_and_language(recordings: Path) -> None:
    elsewhere = recordings / "lists"
    elsewhere.mkdir()
    content = f"../sound/0.wav|Good day.\n{recordings}/sound/1.wav|Bonjour.|ana|fr\n"
    clips = pathlist.read(listed(elsewhere, content)).clips
    assert [(one.text, one.speaker, one.language) for one in clips] == [
        ("Good day.", "", ""),
        ("Bonjour.", "ana", "fr"),
    ]
    assert [one.path.is_file() for one in clips] == [True, True]
    assert clips[1].id.endswith("sound_1")
    assert not any("/" in one.id for one in clips)


@pytest.mark.parametrize(
    ("content", "speaker"),
    [
        ("audio_file|text\nsound/0.wav|Good day.\n", ""),
        ("path|speaker|text\nsound/0.wav|ana|Good day.\n", "ana"),
        ("sound/0.wav\tGood day.\tana\n", "ana"),
        ("\ufeffsound/0.wav|Good day.\r\n\r\n", ""),
    ],
    ids=["F5", "named", "tabs", "windows"],
)
def test_other_forms_of_a_list(recordings: Path, content: str, speaker: str) -> None:
    listing = pathlist.read(listed(recordings, content))
    assert [(one.id, one.text, one.speaker) for one in listing.clips] == [("sound_0", "Good day.", speaker)]
    assert listing.left_out == ()


def test_lines_that_are_no_clip_are_named(recordings: Path) -> None:
    content = "sound/0.wav|Fine.\nalone\nsound/gone.wav|Words.\nsound/0.wav|Again.\nsound/1.wav|\n"
    listing = pathlist.read(listed(recordings, content))
    assert [one.id for one in listing.clips] == ["sound_0"]
    assert [(one.id, one.kind) for one in listing.left_out] == [
        ("line 2", "text"),
        ("sound_gone", "no audio"),
        ("sound_0", "id twice"),
        ("sound_1", "no text"),
    ]


def test_a_list_whose_names_say_no_text_is_refused(recordings: Path) -> None:
    with pytest.raises(ValueError, match="no column text among path, speaker; name it in line 1"):
        pathlist.read(listed(recordings, "path|speaker\nsound/0.wav|ana\n"))
