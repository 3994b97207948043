from __future__ import annotations

from pathlib import Path

import pytest

from rerail.data import ljspeech


def corpus(folder: Path, metadata: str, *wavs: str) -> Path:
    (folder / "wavs").mkdir()
    for name in wavs:
        (folder / "wavs" / name).write_bytes(b"sound")
    (folder / "metadata.csv").write_text(metadata, encoding="utf8")
    return folder


def test_two_and_three_columns_are_read_and_the_last_is_the_text(tmp_path: Path) -> None:
    clips = ljspeech.read(corpus(tmp_path, "one|Good day.\ntwo|No. 2|Number two\n", "one.wav", "two.flac"))
    assert [(clip.id, clip.text, clip.path.name) for clip in clips] == [
        ("one", "Good day.", "one.wav"),
        ("two", "Number two", "two.flac"),
    ]


def test_windows_line_ends_blank_lines_and_byte_order_marks_do_no_harm(tmp_path: Path) -> None:
    clips = ljspeech.read(corpus(tmp_path, "\ufeffone|Good day.\r\n\r\n", "one.wav"))
    assert [(clip.id, clip.text) for clip in clips] == [("one", "Good day.")]


def test_a_rare_separator_inside_a_text_does_not_split_the_line(tmp_path: Path) -> None:
    assert ljspeech.read(corpus(tmp_path, "one|Good\u2028day.\n", "one.wav"))[0].text == "Good\u2028day."


def test_everything_wrong_is_said_at_once_with_its_line(tmp_path: Path) -> None:
    lines = ["good|Fine.", "alone", "a|b|c|d", "good|Again.", "quiet|  ", "gone|Not there.", "nil|No bytes.", "|No id."]
    folder = corpus(tmp_path, "\n".join(lines), "good.wav", "quiet.wav")
    (folder / "wavs" / "nil.wav").touch()
    with pytest.raises(ValueError, match=r"metadata.csv: 7 problem\(s\)") as error:
        ljspeech.read(folder)
    message = str(error.value)
    assert "line 2: 1 column(s), expected id|text or id|text|normalised text; mend the line" in message
    assert "line 3: 4 column(s)" in message
    assert "line 4: id 'good' stands in line 1 already" in message
    assert "line 5: empty text" in message
    assert "line 6: gone.wav (or .flac) is missing in" in message
    assert "line 7: nil.wav is empty (0 bytes)" in message
    assert "line 8: empty id" in message
    assert "line 1:" not in message


def test_a_long_list_of_problems_is_cut_and_counted(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"50 problem\(s\)") as error:
        ljspeech.read(corpus(tmp_path, "\n".join(f"{number}|gone" for number in range(50))))
    assert len(str(error.value).splitlines()) == 22
    assert str(error.value).endswith("and 30 more")


def test_missing_metadata_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"metadata.csv: no such file; give a folder in LJSpeech layout"):
        ljspeech.read(tmp_path)


def test_metadata_without_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it has no lines"):
        ljspeech.read(corpus(tmp_path, "\n\n"))


def test_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    folder = corpus(tmp_path, "", "one.wav")
    (folder / "metadata.csv").write_bytes("one|Good day.\ntwo|Привет\n".encode("cp1251"))
    with pytest.raises(ValueError, match=r"metadata.csv: line 2 is not UTF-8; save the file with that encoding"):
        ljspeech.read(folder)


@pytest.mark.parametrize("name", ["../one", "/one", "a/../../one"])
def test_an_id_that_leads_out_of_the_corpus_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="leads out of wavs/; rename the recording"):
        ljspeech.read(corpus(tmp_path, f"{name}|Good day.", "one.wav"))


def test_columns_that_line_one_names_tell_speaker_and_language(tmp_path: Path) -> None:
    lines = "id|text|speaker|language\none|Good day.|ana|en\ntwo|Bonjour.||fr\n"
    folder = corpus(tmp_path, lines, "one.wav", "two.wav")
    clips = ljspeech.read(folder)
    assert [(one.text, one.speaker, one.language) for one in clips] == [
        ("Good day.", "ana", "en"),
        ("Bonjour.", "", "fr"),
    ]
    ljspeech.write(tmp_path / "again.csv", clips)
    assert (tmp_path / "again.csv").read_text() == lines
    assert ljspeech.read(tmp_path / "again.csv") == clips
    (tmp_path / "metadata.csv").write_text(lines + "one|two\n")
    with pytest.raises(ValueError, match=r"line 4: 2 column\(s\), expected the 4 of line 1"):
        ljspeech.read(folder)


def test_a_corpus_with_gaps_is_sifted_and_every_gap_named(tmp_path: Path) -> None:
    lines = ["good|Fine.", "alone", "good|Again.", "quiet|  ", "gone|Not there.", "|No id."]
    listing = ljspeech.sift(corpus(tmp_path, "\n".join(lines), "good.wav", "quiet.wav", "stray.flac"))
    assert [one.id for one in listing.clips] == ["good"]
    assert [(one.id, one.kind) for one in listing.left_out] == [
        ("alone", "text"),
        ("good", "text"),
        ("quiet", "text"),
        ("gone", "no audio"),
        ("line 6", "text"),
        ("stray", "no text"),
    ]
