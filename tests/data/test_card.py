from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import soundfile

import small_corpora
from rerail.data.card import Card, card
from rerail.data.facts import Facts
from rerail.data.prepare import PrepareConfig, prepare


def told(found: Card) -> dict[str, str]:
    return dict(line.removeprefix("- ").split(": ", 1) for line in found.lines() if line.startswith("- "))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    small_corpora.lj(tmp_path / "corpus", 20, speaker="ana", language="en")
    return tmp_path / "corpus"


def test_the_figures_are_those_of_the_recordings_and_texts(corpus: Path) -> None:
    page = told(card(corpus))
    minutes = sum(soundfile.info(path).duration for path in (corpus / "wavs").iterdir()) / 60
    assert page["clips"] == "20"
    assert 0.8 * minutes < float(page["minutes"]) <= minutes
    assert page["speakers"] == f"1: ana (20 clips, {page['minutes']} min)"
    assert page["languages"].startswith("1: en (20 clips")
    assert page["sampling rate"] == "16000 Hz (20)"
    counts = Counter("".join(one.text.lower() for one in small_corpora.CLIPS[:20]))
    assert f"e:{counts['e']} " in page["symbols"]
    assert f"n:{counts['n']} " in page["symbols"]
    assert "U+0020:" in page["symbols"]
    low, middle, high = map(float, page["seconds a clip (5, 50, 95 %)"].split(" / "))
    assert 1 < low < middle < high < 5
    assert page["licence"] == "not known"


def test_a_prepared_corpus_has_the_card_that_was_written_into_it(corpus: Path, tmp_path: Path) -> None:
    Facts(name="mine", licence="CC0").write(corpus)
    written = told(prepare(corpus, tmp_path / "out", PrepareConfig(), lambda *_: None))
    again = told(card(tmp_path / "out"))
    same = ("clips", "minutes", "symbols", "licence", "seconds a clip (5, 50, 95 %)", "seconds of a text", "texts")
    assert {key: again[key] for key in same} == {key: written[key] for key in same}
    assert written["clips"].startswith("20 (train 1")


def test_what_cannot_be_used_is_counted(corpus: Path) -> None:
    (corpus / "wavs/noise.wav").write_text("no sound")
    with (corpus / "metadata.csv").open("a") as table:
        table.write("noise|Words.|ana|en\ngone|Words.|ana|en\n")
    assert told(card(corpus))["left out"] == "2 (no audio 1, unreadable 1)"


def test_stress_marks_are_seen_and_do_not_count_as_symbols(tmp_path: Path) -> None:
    small_corpora.wav(small_corpora.CLIPS[0], tmp_path / "a_ru_b/wav/a.wav")
    (tmp_path / "a_ru_b/etc").mkdir()
    (tmp_path / "a_ru_b/etc/txt.done.data").write_text('( a "вол+ос" )\n', encoding="utf8")  # noqa: RUF001
    page = told(card(tmp_path))
    assert page["stress marks"].startswith("in 1 clips")
    assert "+" not in page["symbols"]
    assert page["symbols"].startswith("4, with counts: ")
