from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

import small_corpora
from rerail.cli import main
from rerail.data.get.corpora import CORPORA, Corpus
from rerail.data.get.packages import Package
from rerail.data.readers import sphinx


def test_a_corpus_is_prepared_described_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_corpora.festvox(tmp_path / "a_en_ana_b", 18)
    assert main(["data", "prepare", str(tmp_path / "a_en_ana_b"), "--to", str(tmp_path / "out"), "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert "- clips: 18 (train 16, validation 1, test 1)" in out
    assert "- speakers: 1: ana (18 clips" in out
    assert main(["data", "card", str(tmp_path / "out")]) == 0
    assert "- clips: 18 (train 16, validation 1, test 1)" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "out")]) == 0


def test_a_folder_that_is_taken_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_corpora.lj(tmp_path / "corpus", 12)
    command = ["data", "prepare", str(tmp_path / "corpus"), "--to", str(tmp_path / "corpus")]
    assert main(command) == 2
    assert "is there already; nothing was overwritten" in capsys.readouterr().err
    assert main([*command[:4], str(tmp_path / "out"), "--sample_rate", "22050"]) == 2
    assert "no clip can be used of 12" in capsys.readouterr().err
    assert {one.name for one in tmp_path.iterdir()} == {"corpus"}


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg")
def test_a_corpus_is_fetched_and_its_terms_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small_corpora.sphinx(tmp_path / "content/usr/share")
    store = tmp_path / "cache/packages"
    store.mkdir(parents=True)
    built = small_corpora.deb("tiny", tmp_path / "content", tmp_path)
    sha256 = hashlib.sha256(built.read_bytes()).hexdigest()
    package = Package(name="tiny", version="1.0", pool=f"pool/{built.name}", size=built.stat().st_size, sha256=sha256)
    corpus = Corpus(packages=(package,), read=sphinx.read, about="4 clips", licence="CC0", credit="Ana", language="en")
    monkeypatch.setitem(CORPORA, "sphinx-en", corpus)  # type: ignore[misc]
    command = ["data", "get", "sphinx-en", "--to", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    with monkeypatch.context() as without_apt:
        without_apt.setenv("PATH", str(tmp_path))
        assert main(command) == 2
    assert "apt-get is not here; get the package by hand" in capsys.readouterr().err
    shutil.copy(built, store)
    assert main(command) == 0
    out = capsys.readouterr().out
    assert out.startswith("sphinx-en: 4 clips\nlicence: CC0\ncredit: Ana\n")
    assert f"4 clips in {tmp_path / 'out'}; 0 files left out" in out


def test_an_unknown_corpus_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "get", "ljspeech"]) == 2
    assert "unknown corpus 'ljspeech'; known: festvox-ru, asterisk-en" in capsys.readouterr().err
    assert main(["data", "get", "sphinx-en", "--pictures"]) == 2
    assert "pictures: sphinx-en has none; known: tuxpaint" in capsys.readouterr().err
