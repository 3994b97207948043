"""rerail index, then rerail search."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from rerail.cli import main
from rerail.tasks.face_voice.index import Index

Out = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(colours: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("searched")
    for person in ("p00", "p06"):
        (found / person).mkdir()
        shutil.copy(colours / "pictures" / person / "0.png", found / person)
        shutil.copy(colours / "sounds" / person / "0.wav", found / person)
    return found


@pytest.fixture(scope="module")
def index(folder: Path, matching_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("index") / "x.npz"
    assert main(["index", str(matching_run), str(folder), "--out", str(out)]) == 0
    return out


def found(out: str) -> list[str]:
    return [line.split("\t")[2] for line in out.splitlines() if "\t" in line]


def test_a_voice_is_looked_for_among_pictures_and_a_picture_among_voices(
    index: Path, folder: Path, colours: Path, capsys: Out
) -> None:
    assert main(["search", str(index), "--audio", str(colours / "sounds/p06/3.wav")]) == 0
    assert found(capsys.readouterr().out) == [str(folder / "p06/0.png"), str(folder / "p00/0.png")]
    assert main(["search", str(index), "--image", str(colours / "pictures/p00/3.png"), "--top", "1"]) == 0
    assert found(capsys.readouterr().out) == [str(folder / "p00/0.wav")]
    same = ["--image", str(colours / "pictures/p06/0.png"), "--among", "pictures", "--top", "1"]
    assert main(["search", str(index), *same]) == 0
    assert found(capsys.readouterr().out) == [str(folder / "p06/0.png")]


def test_what_cannot_be_used_is_named_and_left_out(
    folder: Path, matching_run: Path, tmp_path: Path, capsys: Out
) -> None:
    shutil.copytree(folder / "p00", tmp_path / "some")
    (tmp_path / "some/broken.jpg").write_bytes(b"no picture")
    assert main(["index", str(matching_run), str(tmp_path / "some"), "--out", str(tmp_path / "x.npz")]) == 0
    out = capsys.readouterr().out
    assert "left out: " in out
    assert "broken.jpg: cannot be decoded" in out
    assert "2 files in" in out
    assert main(["index", str(matching_run), str(tmp_path / "some"), "--out", str(tmp_path / "x.npz")]) == 2
    assert "x.npz is there already; give another name" in capsys.readouterr().err


def test_a_run_that_has_moved_is_named(index: Path, matching_run: Path, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(matching_run, tmp_path / "moved")
    query = ["--image", str(folder / "p00/0.png")]
    assert main(["search", str(index), *query, "--run", str(tmp_path / "moved")]) == 0


@pytest.mark.parametrize(
    ("altered", "told"),
    [
        ({"weights": "others"}, "its weights are not those that made"),
        ({"checkpoint": "nowhere/step-00000004"}, "is gone; index again, or give a copy by --run"),
    ],
)
def test_an_index_of_other_weights_is_not_searched(
    index: Path, folder: Path, tmp_path: Path, capsys: Out, altered: dict[str, str], told: str
) -> None:
    """A run that has gone on keeps its newest checkpoints only."""
    replace(Index.load(index), **altered).save(tmp_path / "x.npz")  # type: ignore[arg-type]
    assert main(["search", str(tmp_path / "x.npz"), "--image", str(folder / "p00/0.png")]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ([], "--image, --audio: give one of the two"),
        (["--image", "a.png", "--audio", "a.wav"], "--image, --audio: give one of the two"),
        (["--image", "a.png", "--top", "0"], "--top: got 0; give at least 1"),
        (["--image", "nowhere.png"], "nowhere.png: no such file; give another"),
        (["--image", "a.png", "--among", "persons"], "persons"),
    ],
)
def test_what_is_wrong_is_told(index: Path, capsys: Out, more: list[str], told: str) -> None:
    assert main(["search", str(index), *more]) == 2
    assert told in capsys.readouterr().err


def test_an_index_of_one_kind_is_searched_for_no_other(
    folder: Path, matching_run: Path, tmp_path: Path, capsys: Out
) -> None:
    (tmp_path / "some").mkdir()
    shutil.copy(folder / "p00/0.png", tmp_path / "some")
    assert main(["index", str(matching_run), str(tmp_path / "some"), "--out", str(tmp_path / "x.npz")]) == 0
    assert main(["search", str(tmp_path / "x.npz"), "--image", str(folder / "p00/0.png")]) == 2
    assert "x.npz: holds no voice; give --among" in capsys.readouterr().err
    assert main(["search", str(tmp_path / "some/0.png"), "--image", str(folder / "p00/0.png")]) == 2
    assert "0.png: not an index" in capsys.readouterr().err
