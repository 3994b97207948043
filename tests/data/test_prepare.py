from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import small_corpora
from rerail.audio import files
from rerail.audio.trim import trim
from rerail.data import ljspeech
from rerail.data.card import Card
from rerail.data.facts import Facts
from rerail.data.labels import read as read_labels
from rerail.data.prepare import PrepareConfig, prepare

NAMES = ("train", "validation", "test")


def prepared(place: Path, target: Path, **settings: object) -> Card:
    return prepare(place, target, PrepareConfig(**settings), lambda *_: None)  # type: ignore[arg-type]


def left_out(folder: Path) -> dict[str, tuple[str, str]]:
    rows = [line.split("\t") for line in (folder / "left-out.tsv").read_text().splitlines()[1:]]
    return {name: (kind, reason) for name, kind, reason in rows}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    small_corpora.lj(folder, 24, speaker="ana", language="en")
    return folder


def write(
    corpus: Path, name: str, samples: np.ndarray, text: str | None = "some other words", rate: int = 16000
) -> None:
    soundfile.write(corpus / f"wavs/{name}.wav", samples, rate, subtype="FLOAT")
    if text is not None:
        with (corpus / "metadata.csv").open("a", encoding="utf8") as table:
            table.write(f"{name}|{text}|ana|en\n")


def test_a_sound_corpus_loses_nothing_but_its_silence(corpus: Path, tmp_path: Path) -> None:
    card = prepared(corpus, tmp_path / "out", resample=True)
    clips = ljspeech.read(tmp_path / "out")
    assert [(one.id, one.text, one.speaker, one.language) for one in clips] == [
        (one.id, one.text, "ana", "en") for one in small_corpora.CLIPS[:24]
    ]
    for clip in clips[:5]:
        original = next(one for one in small_corpora.CLIPS if one.id == clip.id)
        assert np.array_equal(files.read(clip.path, 16000), trim(files.read(original.path, 16000)))  # bit by bit
    assert left_out(tmp_path / "out") == {}
    assert card.left_out == {}


def test_the_sides_are_tables_of_their_own_that_make_up_the_whole(corpus: Path, tmp_path: Path) -> None:
    card = prepared(corpus, tmp_path / "out")
    sides = {name: ljspeech.read(tmp_path / f"out/{name}.csv") for name in NAMES}
    assert (
        {name: len(side) for name, side in sides.items()}
        == dict(card.sides)
        == {"train": 20, "validation": 2, "test": 2}
    )
    assert sorted(one.id for side in sides.values() for one in side) == sorted(one.id for one in ljspeech.read(corpus))


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    small_corpora.lj(corpus, 16)
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        prepared(corpus, tmp_path / name, seed=seed)
    trees = {
        name: {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in "abc"
    }
    assert trees["a"] == trees["b"]
    assert trees["a"][Path("test.csv")] != trees["c"][Path("test.csv")]


def test_everything_odd_is_left_out_with_its_reason(corpus: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 16000 * 25).astype(np.float32)
    write(corpus, "nan", np.where(np.arange(32000) == 9, np.nan, noise[:32000]))
    write(corpus, "quiet", noise[:32000] * 1e-5)
    write(corpus, "loud", np.clip(noise[:32000] * 30, -1, 1))
    write(corpus, "short", noise[:1600])
    write(corpus, "long", noise)
    write(corpus, "slow", noise[:16000], rate=8000)
    write(corpus, "wordless", noise[:32000], text="...")
    write(corpus, "untold", noise[:32000], text=None)
    write(corpus, "wrong", noise[16000 : 16000 * 9], text="ok then")
    (corpus / "wavs/garbage.wav").write_text("no sound")
    with (corpus / "metadata.csv").open("a") as table:
        table.write("garbage|some words|ana|en\ngone|some words|ana|en\n")
    card = prepared(corpus, tmp_path / "out")
    found = left_out(tmp_path / "out")
    assert {name: kind for name, (kind, _) in found.items()} == {
        "nan": "not finite",
        "quiet": "silent",
        "loud": "clipped",
        "short": "length",
        "long": "length",
        "slow": "rate",
        "wordless": "text",
        "untold": "no text",
        "wrong": "misfit",
        "garbage": "unreadable",
        "gone": "no audio",
    }
    assert "8.00 s for 7 characters, expected" in found["wrong"][1]
    assert "sampled at 8000 Hz, expected 16000" in found["slow"][1]
    assert sum(card.left_out.values()) == 11
    kept = {one.id for one in ljspeech.read(tmp_path / "out")}
    assert kept == {one.id for one in small_corpora.CLIPS[:24]}
    assert {path.stem for path in (tmp_path / "out/wavs").iterdir()} == kept  # no recording without a line


def test_oddities_that_one_wants_stay(corpus: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 16000 * 8).astype(np.float32)
    write(corpus, "loud", np.clip(noise[:32000] * 30, -1, 1), text="some words in a sentence of two seconds")
    write(corpus, "wrong", noise, text="ok then")
    prepared(corpus, tmp_path / "out", keep="clipped, misfit")
    assert left_out(tmp_path / "out") == {}
    with pytest.raises(ValueError, match="keep: unknown loud; known: clipped, length"):
        prepared(corpus, tmp_path / "other", keep="loud")


def test_a_voice_that_is_mostly_left_out_is_said(corpus: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)
    for number in range(3):
        write(corpus, f"loud{number}", np.clip(noise * (30 + number), -1, 1))
    table = corpus / "metadata.csv"
    table.write_text(table.read_text().replace("other words|ana", "other words|ben"))
    prepared(corpus, tmp_path / "out")
    assert "- mostly left out: ben (3 of 3 clips: 3 for clipped)\n" in (tmp_path / "out/card.md").read_text()


def test_one_recording_twice_is_used_once_and_not_at_all_under_two_texts(corpus: Path, tmp_path: Path) -> None:
    first, second = small_corpora.CLIPS[:2]
    for name, clip, text in (("again", first, first.text), ("other", second, "Quite another text.")):
        small_corpora.wav(clip, corpus / f"wavs/{name}.wav")
        with (corpus / "metadata.csv").open("a") as table:
            table.write(f"{name}|{text}|ana|en\n")
    prepared(corpus, tmp_path / "out")
    found = left_out(tmp_path / "out")
    assert set(found) == {"again", "other", second.id}
    assert f"the same recording as {first.id}" in found["again"][1]
    assert "one recording under 2 texts" in found["other"][1]


def test_labels_move_with_the_cut(tmp_path: Path) -> None:
    small_corpora.festvox(tmp_path / "voice", 6)
    prepared(tmp_path / "voice", tmp_path / "out")
    for clip in ljspeech.read(tmp_path / "out"):
        seconds = len(files.read(clip.path, 16000)) / 16000
        ends = [one.end for one in read_labels(tmp_path / f"out/lab/{clip.id}.lab")]
        before = [one.end for one in read_labels(tmp_path / f"voice/lab/{clip.id}.lab")]
        assert ends[-1] == pytest.approx(min(seconds, ends[-1]))
        assert ends[1] - ends[0] == pytest.approx(before[1] - before[0], abs=1e-4)
        assert ends[0] <= before[0]


def test_licence_and_credit_go_along(corpus: Path, tmp_path: Path) -> None:
    Facts(name="mine", licence="CC0", credit="Ana").write(corpus)
    (corpus / "LICENSE").write_text("all of it")
    prepared(corpus, tmp_path / "out")
    assert (tmp_path / "out/LICENSE").read_text() == "all of it"
    assert "- licence: CC0\n- credit: Ana\n" in (tmp_path / "out/card.md").read_text()
    assert "changes: 'prepared for training: silence at the ends cut" in (tmp_path / "out/corpus.yaml").read_text()


def test_nothing_is_overwritten_and_nothing_half_done_stays(corpus: Path, tmp_path: Path) -> None:
    prepared(corpus, tmp_path / "out")
    before = (tmp_path / "out/card.md").read_bytes()
    with pytest.raises(ValueError, match="is there already; nothing was overwritten"):
        prepared(corpus, tmp_path / "out", seed=9)
    assert (tmp_path / "out/card.md").read_bytes() == before

    def interrupt(_: str, done: int, __: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(corpus, tmp_path / "stopped", PrepareConfig(), interrupt)
    assert {one.name for one in tmp_path.iterdir()} == {"corpus", "out"}


def test_a_corpus_without_a_usable_clip_is_refused(tmp_path: Path) -> None:
    write_empty = tmp_path / "corpus/wavs"
    write_empty.mkdir(parents=True)
    soundfile.write(write_empty / "a.wav", np.zeros(16000), 16000)
    (tmp_path / "corpus/metadata.csv").write_text("a|Words.\n")
    with pytest.raises(ValueError, match=r"no clip can be used of 1 \(a: silent"):
        prepared(tmp_path / "corpus", tmp_path / "out")
    assert not (tmp_path / "out").exists()
